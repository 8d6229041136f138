"""The live pages under load: what browsers cost the station, and how soon they show what happens at the board.

A browser is a WebSocket that says what a page says and reads what it gets; drawing is the browser's own matter.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
from websockets.asyncio.client import connect

from tests.performance.figures import MAX, P95, Figure
from tests.support.appliance import Appliance
from tests.support.waiting import wait_until
from tests.support.web import WebSession

BROWSERS = 20
WINDOWS, WINDOW = 4, 5.0  # how often the load is taken, and over how many seconds each time
CHANGES = 25
ADMIN = "bench-admin-word"
Cpu = Callable[[list[psutil.Process]], float]


class Watchers:
    """Browsers that are open at the overview; ``heard`` is what each got, and when."""

    def __init__(self, port: int, cookie: str) -> None:
        self._url, self._cookie = f"ws://127.0.0.1:{port}/ws/live/", cookie
        self._origin = f"http://127.0.0.1:{port}"
        self.heard: list[list[tuple[float, str]]] = [[] for _ in range(BROWSERS)]
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._watch()), daemon=True)

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: all(self.heard), f"{BROWSERS} browsers are served")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)

    def forget(self) -> None:
        for heard in self.heard:
            heard.clear()

    def first(self, *parts: str) -> list[float]:
        """When each browser first got a message with all ``parts`` since ``forget``; raises where one never did."""
        wait_until(lambda: all(self._first(heard, parts) for heard in self.heard), f"all browsers show {parts}")
        return [self._first(heard, parts) or 0.0 for heard in self.heard]

    def _first(self, heard: list[tuple[float, str]], parts: tuple[str, ...]) -> float | None:
        return next((at for at, text in list(heard) if all(part in text for part in parts)), None)

    async def _watch(self) -> None:
        browsers = [asyncio.create_task(self._browse(heard)) for heard in self.heard]
        await self._over.wait()
        for browser in browsers:
            browser.cancel()
        await asyncio.gather(*browsers, return_exceptions=True)

    async def _browse(self, heard: list[tuple[float, str]]) -> None:
        headers = {"Cookie": self._cookie}
        async with connect(self._url, origin=self._origin, additional_headers=headers) as line:  # type: ignore[arg-type]
            await line.send('{"have": {}}')
            async for text in line:
                heard.append((time.monotonic(), str(text)))  # noqa: PERF401 - at the moment when it comes


@contextmanager
def watched(appliance: Appliance) -> Iterator[Watchers]:
    """``BROWSERS`` browsers, logged in as the administrator."""
    watchers = Watchers(appliance.web, WebSession(appliance.web, password=ADMIN).cookie)
    watchers.start()
    try:
        yield watchers
    finally:
        watchers.stop()


def browsers(appliance: Appliance, cpu: Cpu) -> Iterator[Figure]:
    """A session runs at one EVSE; nobody watches, then twenty do. What they cost is the difference."""
    appliance.plug(1)
    appliance.card()
    appliance.wait_evse(1, "charging", contactor=True)
    time.sleep(5)
    family = appliance.processes()
    alone = _load(family, cpu)
    with watched(appliance) as watchers:
        time.sleep(2)
        together = _load(family, cpu)
        yield Figure(
            f"CPU for {BROWSERS} browsers, of one core", "%", 10, MAX, [load - min(alone) for load in together]
        )
        yield _on_the_screen(appliance, watchers)


def _on_the_screen(appliance: Appliance, watchers: Watchers) -> Figure:
    """From the bench's request to the piece in every one of the browsers."""
    times = []
    for number in range(CHANGES):
        for act, tone in ((appliance.plug, "tone-wait"), (appliance.unplug, "tone-idle")):
            time.sleep(0.5 + 0.037 * number % 0.2)  # at any moment between two polls
            watchers.forget()
            begun = time.monotonic()
            act(2)
            times += [(at - begun) * 1000 for at in watchers.first('id="evse-2-state"', tone)]
    return Figure(f"change at the board to {BROWSERS} screens", "ms", 400, P95, times)


def _load(family: list[psutil.Process], cpu: Cpu) -> list[float]:
    """Per cent of a core."""
    found, spent, at = [], cpu(family), time.monotonic()
    for _ in range(WINDOWS):
        time.sleep(WINDOW)
        before, since = spent, at
        spent, at = cpu(family), time.monotonic()
        found.append((spent - before) / (at - since) * 100)
    return found
