"""Filing what a person asks of the station, and the nudge that tells the uplink to look."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

from channels.layers import get_channel_layer
from django.utils import timezone

from station.live import bus
from station.store.models import Command

log = logging.getLogger(__name__)

NUDGE_TIMEOUT = 1.0  # s; the channel layer answers in a millisecond or is away
REPEAT_WITHIN = timedelta(seconds=15)  # the same wish again while the first is open is the same wish


async def file(user: Any, action: str, arguments: dict[str, Any], *, who: str = "") -> Command:
    """The row for what ``user`` asks; where the same is already open (a second click), that one.

    ``who`` names the person or the machine that asks, where that says more than the user's name.
    """
    now = timezone.now()
    waiting = await Command.objects.filter(
        user=user,
        action=action,
        arguments=arguments,
        status=Command.Status.FILED,
        filed_at__range=(now - REPEAT_WITHIN, now),
    ).afirst()
    if waiting is not None:
        return waiting
    who = who or user.get_username()
    return await Command.objects.acreate(user=user, who=who, action=action, arguments=arguments)


async def nudge(command: Command) -> bool:
    """Tell the uplink that there is something to do; False where it could not be told (it finds the row later)."""
    try:
        async with asyncio.timeout(NUDGE_TIMEOUT):
            await get_channel_layer().send(bus.UPLINK, {"type": bus.COMMAND_FILED, "command_id": command.pk})
    except Exception as failure:  # whatever the layer's driver raises: the row is what counts
        log.warning("command %s is filed, but the uplink could not be told: %s", command.pk, failure)
        return False
    return True
