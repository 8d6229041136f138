"""The uplink's ear on the channel layer: a Channels worker that survives an absent Redis, and its consumer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from channels.consumer import AsyncConsumer
from channels.worker import Worker

from station.domain.board import BoardSnapshot
from station.domain.events import LimitWanted, TransferReport
from station.domain.wire import unpack_limit, unpack_report, unpack_snapshot
from station.live import bus

log = logging.getLogger(__name__)

SILENCE = 15.0  # s; the hardware worker sends once a second, so a quiet subscription is a dead one
RETRY = 1.0  # s


class UplinkConsumer(AsyncConsumer):
    """Turns messages into what the runtime understands; what is none of ours is logged and dropped."""

    # It listens where its worker does and nowhere else: without a layer of its own it makes no second subscription.
    channel_layer_alias = "none"

    def __init__(
        self,
        snapshot: Callable[[BoardSnapshot], None],
        nudge: Callable[[], None],
        hello: Callable[[], None],
        report: Callable[[TransferReport], None],
        limit: Callable[[LimitWanted], None],
    ) -> None:
        self._heard = {
            bus.BOARD_SNAPSHOT: lambda message: snapshot(unpack_snapshot(message["snapshot"])),
            bus.COMMAND_FILED: lambda message: nudge(),
            bus.HELLO: lambda message: hello(),
            bus.TRANSFER_REPORT: lambda message: report(unpack_report(message["report"])),
            bus.LIMIT_WANTED: lambda message: limit(unpack_limit(message["limit"])),
        }

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle one message. Nothing here touches the database, so no connection is looked after as Channels does."""
        hear = self._heard.get(message["type"])
        if hear is None:
            log.warning("dropped a message of the unknown type %a", str(message["type"])[:40])
            return
        try:
            hear(message)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.warning("dropped a bad %s: %s %s", message["type"], type(error).__name__, error)


class UplinkWorker(Worker):
    """``Worker`` whose listener takes Redis as it comes: away, hanging, back again, or sending nonsense."""

    def __init__(self, application: Any, channel_layer: Any, *, silence: float = SILENCE, retry: float = RETRY) -> None:
        super().__init__(application, [bus.UPLINK], channel_layer)
        self._silence = silence
        self._retry = retry

    async def listener(self, channel: str) -> None:
        """Pass on what comes until cancelled."""
        away = False
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    message = await self.channel_layer.receive(channel)
            except TimeoutError:
                continue  # its cancelled receive has unsubscribed; the next one subscribes anew
            except Exception as error:
                if not away:
                    log.warning("the channel layer is away: %s", str(error) or type(error).__name__)
                away = True
                await asyncio.sleep(self._retry)
                continue
            if away:
                log.info("the channel layer is back")
            away = False
            if not isinstance(message, dict) or not isinstance(message.get("type"), str):
                log.warning("dropped a message without a type")
                continue
            scope = {"type": "channel", "channel": channel}
            self.get_or_create_application_instance(channel, scope).put_nowait(message)
