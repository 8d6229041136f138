"""Changes on trial: what could cut off the person who makes it comes back by itself unless somebody keeps it.

The time is a constant: a setting could be set so that the net has a hole. It is stored, so a restart of the web server
does not lose it, and it runs on the monotonic clock within one: a station's clock may jump by years. After a restart,
what is left is what the clock on the wall says, but never more than the whole time.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.utils import timezone

from webui.access.models import Trial

log = logging.getLogger(__name__)

WINDOW = 120.0  # s
AGAIN = 5.0  # s until what could not be taken back is tried once more

RULES, VPN, CERTIFICATE = "rules", "vpn", "certificate"

_clock: Callable[[], float] = time.monotonic
_lock = threading.RLock()


@dataclass(slots=True)
class Running:
    """One that runs. ``until`` is on the monotonic clock."""

    kind: str
    who: str
    before: Any
    until: float

    @property
    def left(self) -> int:
        """Whole seconds, rounded up."""
        return max(0, math.ceil(self.until - _clock()))


_running: dict[str, Running] | None = None  # None: not read yet


def running() -> list[Running]:
    """Those that run; the first call reads the database. One whose time is over counts until it was taken back."""
    return list(_known().values())


def get(kind: str) -> Running | None:
    return _known().get(kind)


def begin(kind: str, who: str, before: Any) -> None:
    """What was changed just now is on trial. A trial that runs already goes on, and back to what was before it."""
    with _lock:
        known = _known()
        kept = known[kind].before if kind in known else before
        ends_at = timezone.now() + timedelta(seconds=WINDOW)
        Trial.objects.update_or_create(pk=kind, defaults={"who": who, "ends_at": ends_at, "before": kept})
        known[kind] = Running(kind, who, kept, _clock() + WINDOW)


def keep(kind: str) -> None:
    """What is on trial stays for good."""
    end(kind)
    if kind == CERTIFICATE:
        from webui.https import own

        own.keep()


def end(kind: str) -> bool:
    """It is kept, or what it changed was replaced for good; False where none runs any more."""
    with _lock:
        found = _known().pop(kind, None) is not None
        Trial.objects.filter(pk=kind).delete()
        return found


def take_back(kind: str) -> bool:
    """Back to what was before; False where none runs. Raises what the way back raises, and the trial stays then."""
    with _lock:
        trial = get(kind)
        if trial is None:
            return False
        _WAYS_BACK[kind]()(trial.before)
        end(kind)
    log.warning("%s of %s: taken back, nobody has kept it", _NAMES[kind], trial.who)
    return True


def due() -> bool:
    """Whether there is one whose time is over. Touches no disk once it has been read."""
    now = _clock()
    return any(trial.until <= now for trial in _known().values())


def look() -> None:
    """Take back those whose time is over. What fails is tried again a few seconds later."""
    if not due():
        return
    with _lock:
        for trial in running():
            if trial.until <= _clock():
                try:
                    take_back(trial.kind)
                    _note(trial.kind)
                except (OSError, DatabaseError, ValueError) as error:
                    log.error("%s cannot be taken back: %s", _NAMES[trial.kind], error)
                    trial.until = _clock() + AGAIN


def _note(kind: str) -> None:
    from webui.access import record

    record.note(None, "take_back_trial", {"kind": kind})


def forget() -> None:
    """Read them anew at the next call, as after a restart."""
    global _running
    _running = None


def _known() -> dict[str, Running]:
    global _running
    if _running is None:
        with _lock:
            now = timezone.now()
            try:
                rows = list(Trial.objects.all())
            except DatabaseError as error:
                log.error("changes on trial cannot be read: %s", error)
                return {}
            _running = {row.kind: _resumed(row, now) for row in rows if row.kind in _WAYS_BACK}
    return _running


def _resumed(row: Trial, now: Any) -> Running:
    left = min(max((row.ends_at - now).total_seconds(), 0.0), WINDOW)
    return Running(row.kind, row.who, row.before, _clock() + left)


# ---------------------------------------------------------------------- the ways back


def _rules() -> Callable[[Any], None]:
    from webui.access import rules

    return lambda before: rules.put(rules.read(before))


def _vpn() -> Callable[[Any], None]:
    from webui.vpn import service

    return service.restore


def _certificate() -> Callable[[Any], None]:
    from webui.https import own

    return own.restore


_WAYS_BACK: dict[str, Callable[[], Callable[[Any], None]]] = {RULES: _rules, VPN: _vpn, CERTIFICATE: _certificate}
_NAMES = {RULES: "the access rules", VPN: "the VPN's settings", CERTIFICATE: "the web server's certificate"}
