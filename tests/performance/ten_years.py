"""Pages with ten years of sessions behind them: a million, and twenty million meter values."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.performance.figures import MAX, P95, Figure
from tests.performance.history import card, write
from tests.performance.memory import MB
from tests.support.appliance import Appliance
from tests.support.waiting import wait_until
from tests.support.web import WebSession

SESSIONS, POINTS = 1_000_000, 20
ROUNDS = 8  # how often each page is asked for
ADMIN = "bench-admin-word"
SLOW = 10.0  # s for which a reader takes nothing
MILLION = 1_000_000

OFTEN, RARELY = card(0)[-4:], card(299)[-4:]
LISTS = (
    "",
    "?evse=1",
    "?evse=9",
    "?ended=EVDisconnected",
    "?ended=GroundFault",
    "?ended=running",
    "?ended=GroundFault&evse=2",
    f"?card={OFTEN}",
    f"?card={RARELY}",
    "?card=1",
    f"?card={OFTEN}&ended=GroundFault&evse=2",
    "?card=1&ended=Local&evse=2",
    "?since=2019-01-01&until=2019-12-31",
    "?since=2019-06-01&until=2019-06-01&evse=2",
    "?until=2016-01-01&ended=PowerLoss",
    f"?since=2017-01-01&card={OFTEN}&ended=Local",
    "?before=20180101T000000.000000_x&evse=1",
    f"?after=20180101T000000.000000_x&card={OFTEN}",
)
YEARS = ("?period=2020", "?period=2017&evse=1", f"?period=2020&card={OFTEN}", "?period=2020&card=1&ended=Local")


def ten_years(folder: Path, progress: Callable[[str], None]) -> Iterator[Figure]:
    """About ten minutes, most of them for making the history and adding it up."""
    with Appliance(folder) as appliance:
        appliance.provision("--admin-password", ADMIN)
        progress("a million sessions")
        write(appliance.data / "station.sqlite3", SESSIONS, POINTS)
        begun = time.monotonic()
        appliance.start(healthy=False)
        appliance.wait_healthy(120)
        yield Figure("start to /healthz 200, a million sessions", "s", 10, MAX, [time.monotonic() - begun])
        progress("adding them up")
        yield _added_up(appliance)
        progress("pages")
        asker = _Asker(appliance)
        yield Figure("overview, a million sessions", "ms", 100, P95, asker.times("/", [""] * 4))
        yield Figure("session list by any filter", "ms", 150, P95, asker.times("/sessions/", LISTS))
        yield Figure("a year's chart", "ms", 250, P95, asker.times("/sessions/chart/", YEARS))
        progress("CSV")
        yield from _csv(appliance, asker)
        appliance.stop()


def _added_up(appliance: Appliance) -> Figure:
    """From the first look, which asks for it, to when pages have their sums."""
    begun = time.monotonic()
    people = WebSession(appliance.web, password=ADMIN)
    wait_until(lambda: "adding the sessions up" not in people.get("/sessions/"), "sums", 1800, every=1)
    return Figure("a million sessions added up", "s", 900, MAX, [time.monotonic() - begun])


class _Asker:
    """Somebody who is logged in, on one connection."""

    def __init__(self, appliance: Appliance) -> None:
        self._port = appliance.web
        self._cookie = WebSession(appliance.web, password=ADMIN).cookie

    def ask(self, address: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        connection.request("GET", address, headers={"Cookie": self._cookie, "Accept-Language": "en"})
        answer = connection.getresponse()
        assert answer.status == 200, (answer.status, address)
        return answer

    def times(self, page: str, queries: Any) -> list[float]:
        """From the request to the last octet, ms; each page ``ROUNDS`` times, and not counting its first."""
        found = []
        for query in queries:
            self.ask(page + query).read()
            for _ in range(ROUNDS):
                begun = time.monotonic()
                self.ask(page + query).read()
                found.append((time.monotonic() - begun) * 1000)
        return found


def _csv(appliance: Appliance, asker: _Asker) -> Iterator[Figure]:
    process = appliance.process("web")
    assert process is not None
    with _Memory(process) as memory:
        begun, lines = time.monotonic(), -1  # the header is none
        answer = asker.ask("/sessions/sessions.csv")
        while chunk := answer.read(1024 * 1024):
            lines += chunk.count(b"\n")
        took = time.monotonic() - begun
        assert lines == SESSIONS, lines
        slow = asker.ask("/sessions/sessions.csv")
        slow.read(64 * 1024)
        time.sleep(SLOW)  # what it does not take must wait in the database, not in memory
        slow.close()
    # As a time, for which less is better: 20 s for a million are 50,000 a second.
    yield Figure("CSV, a million rows", "s", MILLION / 50_000, MAX, [took * MILLION / lines])
    yield Figure("memory of the web server, more while it exports", "MB", 16, MAX, [memory.more])


class _Memory:
    """The largest size of a process (its own pages) over that at the beginning, MB."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.more = 0.0

    def __enter__(self) -> _Memory:
        self._first = self._size()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            self.more = max(self.more, self._size() - self._first)

    def _size(self) -> float:
        return float(self._process.memory_full_info().uss / MB)
