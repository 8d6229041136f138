"""The station as it is now, for whoever asks once: the uplink is asked to publish, and its next word is the answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from channels.layers import get_channel_layer

from station.live import bus
from station.live.payloads import EvseLive, StationLive, decode
from webui.dashboard import latest

log = logging.getLogger(__name__)

PATIENCE = 2.0  # s; the uplink publishes at most every 0.2 s
LAYER_TIMEOUT = 1.0  # s; the channel layer answers in a millisecond or is away

_asking: asyncio.Task[StationLive | None] | None = None


async def current() -> StationLive | None:
    """The station as it is now; None where the uplink does not answer. Who asks at the same time shares the answer."""
    global _asking
    loop = asyncio.get_running_loop()
    if _asking is None or _asking.done() or _asking.get_loop() is not loop:
        _asking = loop.create_task(_ask(None))
    return await asyncio.shield(_asking)


async def after(message: dict[str, Any]) -> StationLive | None:
    """Send ``message`` to the uplink, and return the station as it is once the uplink has read it; None: no answer."""
    return await _ask(message)


async def _ask(message: dict[str, Any] | None) -> StationLive | None:
    layer: Any = get_channel_layer()
    channel = ""
    try:
        async with asyncio.timeout(LAYER_TIMEOUT):
            channel = await layer.new_channel()
            await layer.group_add(bus.WATCHERS, channel)
            if message is not None:
                await layer.send(bus.UPLINK, message)
            await layer.send(bus.UPLINK, {"type": bus.HELLO})
        async with asyncio.timeout(PATIENCE):
            return await _hear(layer, channel, skip=message is not None)
    except Exception as failure:  # a timeout, or whatever the layer's driver raises
        log.warning("the station's state is not to be had: %s", str(failure) or type(failure).__name__)
        return None
    finally:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(LAYER_TIMEOUT):
                await layer.group_discard(bus.WATCHERS, channel)


async def _hear(layer: Any, channel: str, *, skip: bool) -> StationLive:
    """The next publication. With ``skip`` not one that was on its way before the message was read.

    Two publications are 0.2 s apart, and a message crosses Redis in milliseconds: the second one knows of it.
    """
    while True:
        message = await layer.receive(channel)
        if message.get("type") != bus.LIVE_STATION:
            continue
        station = decode(message["station"])
        latest.remember(station)
        if not skip:
            return station
        skip = False
        await layer.send(bus.UPLINK, {"type": bus.HELLO})


def evse_of(station: StationLive, evse_id: int) -> EvseLive | None:
    """The EVSE of that number, or None."""
    return next((evse for evse in station.evses if evse.evse_id == evse_id), None)
