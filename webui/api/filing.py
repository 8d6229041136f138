"""Commands from the API: filed once however often they arrive, and waited for."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from station.store.models import Command
from webui.api.callers import Caller
from webui.api.models import FiledOnce
from webui.api.problems import Problem
from webui.commands import filing

KEPT = timedelta(days=1)
_KEY = re.compile(r'\A"?(?P<key>[A-Za-z0-9._:/+=-]{1,64})"?\Z')
LOOKS = (0.05, 0.1, 0.1, 0.2)  # s between looks at the row; the last one goes on


async def file(caller: Caller, request: HttpRequest, action: str, arguments: dict[str, Any]) -> Command:
    """The command's row, filed now, or earlier under the same Idempotency-Key. Raises Problem for a key misused."""
    presented = request.headers.get("Idempotency-Key")
    if presented is None:
        command = await filing.file(caller.user, action, arguments, who=caller.who)
    else:
        match = _KEY.match(presented)
        if match is None:
            raise Problem(
                "bad-request",
                _("The Idempotency-Key has to be 1 to 64 letters, digits and signs of . _ : / + = -"),
            )
        command = await sync_to_async(_file_once)(caller, match["key"], action, arguments)
    if command.status == Command.Status.FILED:
        await filing.nudge(command)
    return command


def _file_once(caller: Caller, key: str, action: str, arguments: dict[str, Any]) -> Command:
    now = timezone.now()
    asked = json.dumps([action, arguments], sort_keys=True)
    fingerprint = hashlib.sha256(asked.encode()).hexdigest()
    try:
        with transaction.atomic():
            FiledOnce.objects.filter(at__lt=now - KEPT).delete()
            known = FiledOnce.objects.filter(caller=caller.key, key=key).first()
            if known is None:
                command = Command.objects.create(user=caller.user, who=caller.who, action=action, arguments=arguments)
                FiledOnce.objects.create(
                    caller=caller.key, key=key, fingerprint=fingerprint, command_id=command.pk, at=now
                )
                return command
    except IntegrityError:  # the same key at the same moment: the other request was first (databases but SQLite)
        known = FiledOnce.objects.get(caller=caller.key, key=key)
    if known.fingerprint != fingerprint:
        raise Problem("key-reused", _("This Idempotency-Key was used for another request within the last day."))
    found = Command.objects.filter(pk=known.command_id).first()
    if found is None:
        raise Problem("key-reused", _("What this Idempotency-Key stood for is too long ago to be known any more."))
    return found


async def wait_for(command: Command, seconds: float) -> Command:
    """The row once it is finished, or as it is when the time is over."""
    end = time.monotonic() + seconds
    looks = iter(LOOKS)
    pause = LOOKS[-1]
    while command.status == Command.Status.FILED and time.monotonic() < end:
        pause = next(looks, pause)
        await asyncio.sleep(min(pause, max(0.0, end - time.monotonic())))
        command = await Command.objects.aget(pk=command.pk)
    return command
