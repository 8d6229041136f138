"""The live view's WebSocket: full state first, then only what changed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from datetime import datetime
from typing import Any, ClassVar

from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone, translation

from station.live import bus
from webui.accounts import guard, language
from webui.accounts.roles import Role, has_role
from webui.dashboard import fragments, known, latest, shared
from webui.firmware import live as firmware
from webui.network import live as network
from webui.queue import live as queue

log = logging.getLogger(__name__)

TRY_AGAIN = 1013  # RFC 6455 registry, "Try Again Later": the browser comes back with a back-off
LAYER_TIMEOUT = 2.0  # s; the channel layer answers in a millisecond or is away
SESSION_CHECK = 30.0  # s between two looks whether the person may still watch
LONGEST_WORD = 64 * 1024  # characters of what a page may say
WORD = 4.0  # s of silence after which a page on which nothing changes hears something (page.js waits 8 s)
TURN = 0.5  # s between two looks of a consumer at its own state


class LiveConsumer(AsyncWebsocketConsumer):
    """One browser that watches.

    The page first says what it already shows (``{"have": {id: mark}}``), from its first paint or from before the line
    was lost, and gets what differs. So nothing that a person has opened there is closed for no reason.
    """

    role = Role.OWNER  # who may watch, and above

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has: dict[str, str] = {}
        self._life = ""
        self._serial = -1
        self._heard = time.monotonic()
        self._heard_at: datetime | None = None
        self._notice = ""
        self._spoke = time.monotonic()
        self._watch: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ the browser's side

    async def connect(self) -> None:
        """Accept a person of this role. (The page's origin is checked before us.)"""
        await self.accept()
        if code := guard.refusal(self.scope, self.role):
            # Closed after the handshake, because only then the page gets to read the code.
            await self.close(code=code)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The page's only word: what it has. Whatever else comes is ignored."""
        if self._watch is not None or guard.refusal(self.scope, self.role):
            return
        self._has = what_it_has(text_data)
        try:
            async with asyncio.timeout(LAYER_TIMEOUT):
                await self.channel_layer.group_add(bus.WATCHERS, self.channel_name)
        except Exception as failure:  # whatever the layer's driver raises
            log.warning("live view: the channel layer is away: %s", failure)
            await self._tell("bus")
            await self.close(code=TRY_AGAIN)
            return
        self._heard = time.monotonic()
        self._watch = asyncio.create_task(self._keep_watch())

    async def disconnect(self, code: int) -> None:
        if self._watch is not None:
            self._watch.cancel()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(LAYER_TIMEOUT):
                await self.channel_layer.group_discard(bus.WATCHERS, self.channel_name)

    # ------------------------------------------------------------------ the station's side

    async def live_station(self, message: dict[str, Any]) -> None:
        """``bus.LIVE_STATION``: the station as it is now."""
        try:
            published = shared.publication(message["station"])
        except (KeyError, TypeError, ValueError) as failure:
            log.warning("live view: an unreadable publication was ignored: %r", failure)
            return
        station = published.station
        if station.life == self._life and station.serial < self._serial:
            return  # late: a newer one was already shown
        self._life, self._serial = station.life, station.serial
        self._heard, self._heard_at = time.monotonic(), timezone.localtime()
        latest.remember(station)
        await known.refresh(station)
        with translation.override(language.of_scope(self.scope)):
            html = self._changes(published)
        if self._notice:
            self._notice = ""
            html += fragments.notice_fragment()
        if not html and time.monotonic() - self._spoke > WORD:
            html = fragments.notice_fragment()  # nothing has changed; but the page takes a long silence for a lost line
        if html:
            self._spoke = time.monotonic()
            await self.send(text_data=html)

    def _changes(self, published: shared.Publication) -> str:
        """The pieces that the browser has not; all cards where it has none or others."""
        seen = published.seen_by(fragments.reader(self._is_technical()))
        found, marks = seen.found, seen.marks
        changed = [name for name in found if self._has.get(name) != marks[name]]
        parts = [found[name] for name in changed]
        if self._has.get(fragments.CARDS) != marks[fragments.CARDS]:
            parts = [found[name] for name in changed if not name.startswith("evse-")]
            parts.append(seen.cards)
        self._has = marks
        return "".join(parts)

    def _is_technical(self) -> bool:
        return has_role(self.scope.get("user"), Role.INSTALLER)

    async def _keep_watch(self) -> None:
        """Ask for the state, say when it grows old, and end when this is no longer open to the person."""
        asked = 0.0
        checked = time.monotonic()
        while True:
            now = time.monotonic()
            silent = now - self._heard
            if asked == 0.0 or (silent > fragments.STALE_AFTER / 2 and now - asked > fragments.STALE_AFTER / 2):
                asked = now
                reachable = await self._ask()
                if not reachable:
                    await self._tell("bus")
                elif silent > fragments.STALE_AFTER:
                    await self._tell("stale")
            if now - checked > SESSION_CHECK:
                checked = now
                if code := await guard.refusal_now(self.scope, self.role):
                    await self.close(code=code)
                    return
            await asyncio.sleep(TURN)

    async def _ask(self) -> bool:
        """Ask the uplink to publish at once; False where the channel layer is away."""
        try:
            async with asyncio.timeout(LAYER_TIMEOUT):
                await self.channel_layer.send(bus.UPLINK, {"type": bus.HELLO})
        except Exception as failure:  # whatever the layer's driver raises; it is tried again
            log.debug("live view: the channel layer is away: %s", failure)
            return False
        return True

    async def _tell(self, kind: str) -> None:
        if kind != self._notice:
            self._notice = kind
            with translation.override(language.of_scope(self.scope)):
                html = fragments.notice_fragment(kind, self._heard_at)
            await self.send(text_data=html)


class InstallerConsumer(LiveConsumer):
    """The same for the installer's pages: what is live on them are a few pieces, and each page has its own."""

    role = Role.INSTALLER
    pieces: ClassVar = {**network.PIECES, **firmware.PIECES, **queue.PIECES}

    def _changes(self, published: shared.Publication) -> str:
        parts = []
        for name in self._has.keys() & self.pieces.keys():
            html = self.pieces[name](published.station)
            if html and fragments.mark_of(html) != self._has[name]:  # empty: leave what is there
                self._has[name] = fragments.mark_of(html)
                parts.append(html)
        return "".join(parts)


def what_it_has(text: str | None) -> dict[str, str]:
    """The marks that a page says it has; it only ever deceives itself."""
    if not text or len(text) > LONGEST_WORD:
        return {}
    try:
        have = json.loads(text)["have"]
        return {str(name): str(mark) for name, mark in have.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
