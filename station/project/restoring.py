"""Before the appliance's processes start: what somebody has ordered for a station that stands still."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path

from django.db import Error as DatabaseError
from django.utils import timezone

from station.backup import container, here, plan, reset, waiting
from station.backup.container import Refused
from station.backup.waiting import MOST_TRIES, RESET, Order, Outcome
from station.domain.effects import LogSecurity
from station.project.environment import Environment
from station.store import repositories

log = logging.getLogger(__name__)


def waits(environment: Environment) -> bool:
    """Whether something is to be done at the next start."""
    return waiting.pending(environment.data) is not None


def carry_out(environment: Environment) -> None:
    """Do what waits. Whatever goes wrong, the station starts as it is, and the web interface says why."""
    order = waiting.pending(environment.data)
    if order is None:
        return
    try:
        if order.tries >= MOST_TRIES:
            raise Refused("failed", f"{MOST_TRIES}")
        # A power cut or a bug in the middle must not keep the station from starting for ever.
        waiting.order(environment.data, replace(order, tries=order.tries + 1))
        _do(order, environment)
        code, what = "", ""
    except Refused as refused:
        code, what = refused.code, refused.what
    except (DatabaseError, OSError) as error:
        code, what = "failed", str(error).split("\n")[0][:200]
    _tell(order, code, what, environment.data)


def _do(order: Order, environment: Environment) -> None:
    if order.kind == RESET:
        reset.carry_out(environment.data, environment.keys, sessions=order.sessions)
        return
    staged = waiting.staged(environment.data, order.staged)
    if staged is None:
        raise Refused("damaged")
    content, passphrase = staged
    backup = container.unpack(content, passphrase, secrets=bool(passphrase))
    plan.apply(plan.make(backup, here.about()))


def _tell(order: Order, code: str, what: str, data: Path) -> None:
    done = "reset to the factory's settings" if order.kind == RESET else "restored from a backup"
    said = f"{done} by {order.who}" if not code else f"not {done}, as {order.who} wished ({code})"
    (log.warning if code else log.info)("%s%s", said, f": {what}" if what else "")
    try:
        waiting.finish(data, Outcome(order.kind, order.who, time.time(), code, what))
        now = timezone.now()
        repositories.commit([LogSecurity(now, "ReconfigurationOfSecurityParameters", said[:255], critical=False)])
    except (OSError, DatabaseError) as error:
        log.error("what came of it cannot be kept: %s", error)
