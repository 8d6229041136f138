"""The hardware page's WebSocket. While it is open, and only then, the registers are read and sent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any

from django.utils import translation

from station.live import bus
from webui.accounts import language
from webui.consumers import LAYER_TIMEOUT, InstallerConsumer
from webui.dashboard import fragments, shared

log = logging.getLogger(__name__)

SILENCE = 4.0  # s without registers until the page says so


class HardwareConsumer(InstallerConsumer):
    """One installer who looks at the board."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asking: asyncio.Task[None] | None = None
        self._seen = time.monotonic()
        self._silent = False

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """As for every page; then the registers, too."""
        await super().receive(text_data, bytes_data)
        if self._watch is None or self._asking is not None:
            return
        with contextlib.suppress(Exception):  # the channel layer is away, which the page is told already
            async with asyncio.timeout(LAYER_TIMEOUT):
                await self.channel_layer.group_add(bus.ENGINEERS, self.channel_name)
        self._asking = asyncio.create_task(self._keep_asking())

    async def disconnect(self, code: int) -> None:
        if self._asking is not None:
            self._asking.cancel()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(LAYER_TIMEOUT):
                await self.channel_layer.group_discard(bus.ENGINEERS, self.channel_name)
        await super().disconnect(code)

    async def board_registers(self, message: dict[str, Any]) -> None:
        """``bus.BOARD_REGISTERS``: the board as it is now."""
        from webui.hardware_page import live  # loaded with the first page that is opened

        try:
            with translation.override(language.of_scope(self.scope)):
                found = live.board(message["board"])
        except (KeyError, TypeError, ValueError, AttributeError) as failure:
            log.warning("hardware: an unreadable publication was ignored: %r", failure)
            return
        self._seen = time.monotonic()
        await self._tell_silence(live.silent, is_silent=False)
        await self._send_changed(found)

    async def _send_changed(self, found: dict[str, str]) -> None:
        html = self._changed(found)
        if html:
            await self.send(text_data=html)

    def _changed(self, found: dict[str, str]) -> str:
        parts = []
        for name, html in found.items():
            mark = fragments.mark_of(html)
            if name in self._has and self._has[name] != mark:
                self._has[name] = mark
                parts.append(html)
        return "".join(parts)

    def _changes(self, published: shared.Publication) -> str:
        from webui.hardware_page import live

        return self._changed(live.maintenance(published.station))

    async def _keep_asking(self) -> None:
        """Say again and again that somebody looks; and to the page, when nothing comes."""
        from webui.hardware_page import live

        asked = float("-inf")
        while True:
            now = time.monotonic()
            if now - asked >= bus.WATCH / 3:
                asked = now
                with contextlib.suppress(Exception):  # it is said again soon
                    async with asyncio.timeout(LAYER_TIMEOUT):
                        await self.channel_layer.send(bus.HARDWARE, {"type": bus.BOARD_WATCH})
            if now - self._seen > SILENCE:
                await self._tell_silence(live.silent, is_silent=True)
            await asyncio.sleep(0.5)

    async def _tell_silence(self, make: Any, *, is_silent: bool) -> None:
        if is_silent != self._silent:
            self._silent = is_silent
            with translation.override(language.of_scope(self.scope)):
                html = make(is_silent=is_silent)
            await self.send(text_data=html)
