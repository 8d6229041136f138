"""The process of the neighbourhood: mDNS and MQTT, there only while one of them is switched on."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import Error as DatabaseError
from django.db import connection

from station.domain.events import LimitWanted
from station.domain.wire import pack_limit
from station.live import bus
from station.live.payloads import StationLive, decode
from station.store.models import Command
from station.store.secrets import SecretDamaged
from webui import words
from webui.commands import filing
from webui.neighbourhood import switch, tls
from webui.neighbourhood.doors import Door
from webui.neighbourhood.models import CONTROL, Neighbourhood
from webui.neighbourhood.topics import Order

log = logging.getLogger(__name__)

WHO = "MQTT"  # in the log of commands
BEAT = 1.0  # s
SILENT = 12.0  # s without a publication until the uplink is asked; it repeats an unchanged state every 10 s
RETRY = 1.0  # s
LAYER_TIMEOUT = 2.0  # s
OUTCOME_WITHIN = 30.0  # s that a command's outcome is waited for
FAILED = 1


def run(beat: Callable[[Mapping[str, Any]], None], data: Path, doors: Sequence[Door]) -> int:
    """Live until SIGTERM, or until the settings have changed: the supervisor then starts it anew (returns 0)."""
    try:
        chosen = Neighbourhood.current()
        password = chosen.open_password()
    except (DatabaseError, SecretDamaged) as error:
        log.error("the settings of the neighbourhood cannot be read: %s", error)
        return FAILED
    finally:
        connection.close()  # it must not be used by the loop's other threads
    return asyncio.run(_live(beat, data, doors, chosen, password))


async def _live(
    beat: Callable[[Mapping[str, Any]], None], data: Path, doors: Sequence[Door], chosen: Neighbourhood, password: str
) -> int:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    announced, bridge = chosen.mdns and bool(doors), None

    def tell() -> None:
        """Alive, and how it goes; nothing of it is a secret."""
        link = "off" if bridge is None else "connected" if bridge.connected else "away"
        beat({"mqtt": link, "mdns": announced})

    jobs: list[Coroutine[Any, Any, None]] = [_watch(tell, data, switch.read(data), stopped)]
    if announced:
        from webui.neighbourhood import announce

        jobs.append(announce.announce(chosen.mdns_name or await _identity() or announce.host(), doors))
    if chosen.mqtt:
        from webui.neighbourhood.bridge import Bridge, Broker

        broker = Broker(
            host=chosen.host,
            port=chosen.port,
            base=chosen.topic,
            user=chosen.user,
            password=password,
            tls=tls.context(chosen.ca) if chosen.tls else None,
            control=chosen.scope == CONTROL,
            discovery=chosen.discovery,
            discovery_prefix=chosen.discovery_topic,
        )
        bridge = Bridge(broker, carry_out, limit)
        jobs += [bridge.run(), _listen(bridge.hear)]
    tasks = [asyncio.create_task(job) for job in jobs]
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in tasks if task.done() and task.exception() is not None]
    for task in failed:
        log.error("the neighbourhood ends", exc_info=task.exception())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return FAILED if failed else 0


async def _watch(beat: Callable[[], None], data: Path, began: switch.Wish, stopped: asyncio.Event) -> None:
    while True:
        beat()
        if switch.read(data) != began:
            log.info("other settings: the neighbourhood begins anew")
            stopped.set()
            return
        await asyncio.sleep(BEAT)


# ------------------------------------------------------------------ from the station


async def _listen(hear: Callable[[StationLive], None]) -> None:
    """Pass on every publication of the uplink until cancelled; Redis may go and come back."""
    layer: Any = get_channel_layer()
    away = False
    while True:
        try:
            await _listen_once(layer, hear)
        except Exception as error:  # whatever the layer's driver raises
            if not away:
                log.warning("the channel layer is away: %s", str(error) or type(error).__name__)
            away = True
            await asyncio.sleep(RETRY)
        else:
            away = False


async def _listen_once(layer: Any, hear: Callable[[StationLive], None]) -> None:
    """Until nothing has come for a while; then a new subscription is better than a dead one."""
    async with asyncio.timeout(LAYER_TIMEOUT):
        channel = await layer.new_channel()
        await layer.group_add(bus.WATCHERS, channel)
        await layer.send(bus.UPLINK, {"type": bus.HELLO})
    try:
        while True:
            try:
                async with asyncio.timeout(SILENT):
                    message = await layer.receive(channel)
            except TimeoutError:
                return
            try:
                hear(decode(message["station"]))
            except (KeyError, TypeError, ValueError) as failure:
                log.warning("an unreadable publication was ignored: %r", failure)
    finally:
        async with asyncio.timeout(LAYER_TIMEOUT):
            await layer.group_discard(bus.WATCHERS, channel)


async def _identity() -> str:
    """The station's name at its CSMS, where the uplink tells it soon."""
    from webui.api import live

    station = await live.current()
    return station.identity if station else ""


# ------------------------------------------------------------------ to the station


async def carry_out(order: Order) -> str:
    """File the order as a command, and say in words what came of it."""
    command = await filing.file(None, order.action, {"evse_id": order.evse_id}, who=WHO)
    await filing.nudge(command)
    end = time.monotonic() + OUTCOME_WITHIN
    while command.status == Command.Status.FILED:
        if time.monotonic() > end:
            return "the station has not answered yet"
        await asyncio.sleep(0.2)
        command = await Command.objects.aget(pk=command.pk)
    await sync_to_async(lambda: connection.close())()  # that of the thread on which the rows were read
    return words.outcome(command.action, command.status == Command.Status.ACCEPTED, command.message)


async def limit(evse_id: int, current: float | None, valid_for: float) -> None:
    """Tell the uplink; where it cannot be told, the next repetition does."""
    wanted = LimitWanted(evse_id, current, valid_for, WHO)
    try:
        async with asyncio.timeout(LAYER_TIMEOUT):
            await get_channel_layer().send(bus.UPLINK, {"type": bus.LIMIT_WANTED, "limit": pack_limit(wanted)})
    except Exception as failure:  # whatever the layer's driver raises
        log.warning("a limit could not be told: %s", str(failure) or type(failure).__name__)
