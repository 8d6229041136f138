"""How state gets to those who watch: the latest value only, not too often, and never waiting for Redis.

Whoever has news says ``changed`` or ``touch`` and goes on. A task of its own does the sending; while that hangs or
fails, newer values replace older ones, and the newest is sent as soon as sending works again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from station.live.payloads import StationLive, encode

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE = 5.0  # s that one sending may take
RETRY = 1.0  # s after a sending that failed
APART = 0.2  # s between two publications: five a second
REPEAT = 10.0  # s after which an unchanged state is published again


class Latest(Generic[T]):
    """Sends what ``source`` returns (None: nothing) after each ``changed``, and every ``repeat`` seconds anyway.

    ``apart`` is the least time between two sendings in seconds, ``what`` the word for the log.
    """

    def __init__(
        self,
        source: Callable[[], T | None],
        send: Callable[[T], Awaitable[None]],
        *,
        what: str,
        apart: float = 0.0,
        repeat: float | None = None,
        retry: float = RETRY,
        patience: float = PATIENCE,
    ) -> None:
        self._source = source
        self._send = send
        self._what = what
        self._apart = apart
        self._repeat = repeat
        self._retry = retry
        self._patience = patience
        self._news = asyncio.Event()
        self._failing = False

    def changed(self) -> None:
        """There is a new value; returns at once."""
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled; no failure of ``send`` ends it."""
        while True:
            await self._wait()
            self._news.clear()
            value = self._source()
            if value is None:
                continue
            if await self._try(value):
                await asyncio.sleep(self._apart)
            else:
                await asyncio.sleep(self._retry)
                self._news.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._repeat):
                await self._news.wait()
        except TimeoutError:
            return

    async def _try(self, value: T) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                await self._send(value)
        except Exception as error:
            # Whatever is wrong with the layer below, the next try may work. Said once, not every second.
            if not self._failing:
                log.warning("%s cannot be sent: %s", self._what, str(error) or type(error).__name__)
            self._failing = True
            return False
        if self._failing:
            log.info("%s is sent again", self._what)
        self._failing = False
        return True


class Publisher:
    """Publishes the live view of the station.

    ``make`` gives the whole state as it is now; its ``serial`` is set here. A state that says the same as the last
    one (but for the time) is published only when asked for, and every ``repeat`` seconds.
    """

    def __init__(
        self,
        make: Callable[[], StationLive],
        send: Callable[[dict[str, Any]], Awaitable[None]],
        *,
        apart: float = APART,
        repeat: float = REPEAT,
    ) -> None:
        self._make = make
        self._repeat = repeat
        self._serial = 0
        self._last: StationLive | None = None
        self._due = 0.0  # when an unchanged state is published again (the loop's clock)
        self._latest = Latest(self._next, send, what="the live view", apart=apart, repeat=repeat)

    def touch(self, *, asked: bool = False) -> None:
        """Something may have changed, or (``asked``) somebody wants the state whether changed or not."""
        if asked:
            self._last = None
        self._latest.changed()

    async def run(self) -> None:
        """Publish until cancelled."""
        await self._latest.run()

    def _next(self) -> dict[str, Any] | None:
        now = asyncio.get_running_loop().time()
        try:
            made = self._make()
        except Exception:
            # A view that cannot be made must not stop the charging that it would show.
            log.exception("the live view cannot be made")
            return None
        same = self._last is not None and replace(made, at="", serial=0) == self._last
        if same and now < self._due:
            return None
        self._last = replace(made, at="", serial=0)
        self._due = now + self._repeat
        self._serial += 1
        return encode(replace(made, serial=self._serial))
