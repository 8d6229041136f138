"""A browser, and for it the web server alone: its own process before a real Redis, with the test as the uplink."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, sync_playwright

from station.live import bus
from station.live.payloads import EvseLive, encode
from station.project import environment
from station.project.channel_layer import StationChannelLayer
from tests.support.ports import free_port
from tests.support.waiting import wait_until
from tests.webui.making import station

PROJECT = Path(__file__).resolve().parent.parent.parent
ASGI = "station.project.asgi:application"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
PASSWORD = "a long enough word"
WIDTHS = (360, 768, 1440)  # px: phone, tablet, desk
PICTURES = os.environ.get("TEST_PICTURES")  # a folder for pictures of the pages


class Web:
    """The web server and its Redis, each ended and started by the test at will; ``publish`` is the uplink's part."""

    def __init__(self, folder: Path, bench: int) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket = folder / "redis.sock"
        self.database = folder / "data" / "station.sqlite3"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("STATION_", "DJANGO_"))},
            "DJANGO_SETTINGS_MODULE": "station.project.settings",
            "STATION_DATA": str(folder / "data"),
            "STATION_WEB": f"127.0.0.1:{self.port}",
            "STATION_BENCH": f"127.0.0.1:{bench}",
            "REDIS_URL": f"unix://{self.socket}",
        }
        self._redis: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._cookies: StorageState | None = None

    # ------------------------------------------------------------------ processes

    def run(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, *arguments], cwd=PROJECT, env=self.environment, check=True, capture_output=True, timeout=60
        )

    def prepare(self) -> None:
        """A database with one person in it."""
        (self.folder / "data").mkdir()
        self.run("manage.py", "migrate", "--verbosity", "0")
        code = (
            "import django; django.setup();"
            "from django.contrib.auth.models import User;"
            f"User.objects.create_superuser('admin', password={PASSWORD!r})"
        )
        self.run("-c", code)

    def start_redis(self) -> None:
        self._redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        wait_until(self.socket.exists, "Redis listens")

    def stop_redis(self) -> None:
        _end(self._redis)
        self._redis = None
        self.socket.unlink(missing_ok=True)

    def start_server(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", f"{self.port}", ASGI],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, "the web server answers", timeout=30)

    def stop_server(self) -> None:
        _end(self._server)
        self._server = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/login/", timeout=5) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except OSError:
            return False

    # ------------------------------------------------------------------ somebody who is logged in

    def login(self, browser: Browser) -> StorageState:
        """The cookies of a login, made once by hand; anew where the session has been ended since."""
        values = {cookie["value"] for cookie in self._cookies["cookies"]} if self._cookies else set()
        sessions = {key for (key,) in self.rows("SELECT session_key FROM django_session")}
        if self._cookies is None or not values & sessions:
            context = browser.new_context(base_url=self.url)
            page = context.new_page()
            page.goto("/login/")
            page.get_by_label("User name").fill("admin")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url("**/")
            self._cookies = context.storage_state()
            context.close()
        return self._cookies

    # ------------------------------------------------------------------ the database

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=10)) as database, database:
            return database.execute(query, values).fetchall()


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


class PlayedUplink:
    """Publishes the station as the real one would: at once when it changes, and again while nothing does."""

    def __init__(self, web: Web) -> None:
        read = environment.read(web.environment)
        self._layer = StationChannelLayer(hosts=[read.redis], prefix=f"station-{read.instance}")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._life = uuid.uuid4().hex
        self._live = station()
        self._board: dict[str, Any] | None = None
        self._changed = asyncio.Event()
        self._silent = False
        self._over = False
        self._serial = 0
        self._thread.start()

    def show(self, *evses: EvseLive, **changes: Any) -> None:
        """The station is like this from now on."""
        self._live = station(*evses, **changes)
        self._loop.call_soon_threadsafe(self._changed.set)

    def show_board(self, board: dict[str, Any]) -> None:
        """The hardware worker publishes this from now on."""
        self._board = board
        self._loop.call_soon_threadsafe(self._changed.set)

    def fall_silent(self, silent: bool = True) -> None:
        """As an uplink that has died, or come back."""
        self._silent = silent
        self._loop.call_soon_threadsafe(self._changed.set)

    def end(self) -> None:
        self._over = True
        self._loop.call_soon_threadsafe(self._changed.set)
        self._thread.join(10)

    def _run(self) -> None:
        # A thread of its own from beginning to end: the browser's driver has a loop in the test's.
        self._loop.run_until_complete(self._publish())
        self._loop.close()

    async def _publish(self) -> None:
        while not self._over:
            self._changed.clear()
            self._serial += 1
            message = {
                "type": bus.LIVE_STATION,
                "station": {**encode(self._live), "serial": self._serial, "life": self._life},
            }
            if not self._silent:
                try:
                    await asyncio.wait_for(self._layer.group_send(bus.WATCHERS, message), 2)
                    if self._board is not None:
                        board = {"type": bus.BOARD_REGISTERS, "board": self._board}
                        await asyncio.wait_for(self._layer.group_send(bus.ENGINEERS, board), 2)
                except Exception:  # Redis is away, as some tests want it
                    await asyncio.sleep(0.1)
            try:
                await asyncio.wait_for(self._changed.wait(), 0.5)
            except TimeoutError:
                continue


class PlayedBench(ThreadingHTTPServer):
    """Answers as the simulated board's bench does, from a state that the test holds."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _BenchRequest)
        self.asked: list[tuple[str, Any]] = []
        self.state: dict[str, Any] = {
            "power": True,
            "door": False,
            "reader": {"count": 0, "uid": "", "type": ""},
            "evses": {str(number): bench_evse() for number in (1, 2)},
        }


def bench_evse(**changes: Any) -> dict[str, Any]:
    """An EVSE of the bench's state."""
    return {
        "state": "A",
        "plugged": False,
        "contactor": False,
        "limit": 0.0,
        "phases": 1,
        "voltage": [230.1, 0.0, 0.0],
        "current": [0.0, 0.0, 0.0],
        "power": 0.0,
        "energy": 1204.6,
        "fault": None,
        "bay": False,
        "ev": {"requests_energy": True, "max_current": 32, "phases": 1, "soc": None},
        "drive": None,
        **changes,
    }


class _BenchRequest(BaseHTTPRequestHandler):
    server: PlayedBench

    def do_GET(self) -> None:
        self._answer(200, self.server.state)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.path, json.loads(body) if body else None))
        evses = self.server.state["evses"]
        if self.path == "/evse/1/plug":
            evses["1"] = bench_evse(state="B1", plugged=True)
        elif self.path == "/evse/1/drive":
            evses["1"] = bench_evse(
                state="C2", plugged=True, drive={"step": "charging", "progress": 0.4, "error": None}
            )
        elif self.path == "/evse/2/unplug":
            self._answer(409, {"error": "EVSE 2: no EV is plugged in"})
            return
        self._answer(200, self.server.state)

    def _answer(self, status: int, what: Any) -> None:
        data = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: the test looks at ``asked``."""


@pytest.fixture(scope="package")
def bench() -> Iterator[PlayedBench]:
    server = PlayedBench()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture(scope="package")
def web(tmp_path_factory: pytest.TempPathFactory, bench: PlayedBench) -> Iterator[Web]:
    server = Web(tmp_path_factory.mktemp("web"), bench.server_address[1])
    server.prepare()
    server.start_redis()
    try:
        server.start_server()
        yield server
    finally:
        server.stop_server()
        server.stop_redis()


@pytest.fixture
def uplink(web: Web) -> Iterator[PlayedUplink]:
    played = PlayedUplink(web)
    yield played
    played.end()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for this folder only: while its driver runs, the thread has an event loop that is in others' way."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page, and all that went wrong on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.bytes = 0
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "request", lambda request: None if request.url.startswith((url, "data:")) else self._foreign(request.url)
        )

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _foreign(self, url: str) -> None:
        self.foreign.append(url)

    def assert_well_everywhere(self, name: str) -> None:
        """``assert_well`` on phone, tablet and desk, in light and dark; a picture of each goes to ``PICTURES``."""
        for dark in (False, True):
            self.page.emulate_media(color_scheme="dark" if dark else "light")
            for width in WIDTHS:
                self.page.set_viewport_size({"width": width, "height": 800 if width < 600 else 1000})
                self.assert_well()
                if PICTURES:
                    file = f"{name}-{width}-{'dark' if dark else 'light'}.png"
                    self.page.screenshot(path=Path(PICTURES) / file, full_page=True)

    def assert_well(self) -> None:
        """No scrolling sideways, nothing on the console, nothing from elsewhere, no control too small to touch."""
        sideways = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 0, f"{sideways} px too wide"
        assert not self.errors
        assert not self.foreign
        assert self.page.evaluate(_TOO_SMALL) == []


# Links within running text are exempt (WCAG 2.5.8); so is what is there for screen readers only.
_TOO_SMALL = """() => [...document.querySelectorAll("button,summary,input:not([type=hidden]),select,nav a,a.button")]
    .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
    .map(e => e.outerHTML.slice(0, 120))"""


Opener = Callable[..., Watched]


@pytest.fixture
def opened(chromium: Browser, web: Web) -> Iterator[Opener]:
    """Opens a page in a browser of its own, logged in unless told otherwise."""
    contexts: list[BrowserContext] = []

    def open_(path: str, *, width: int = 1440, login: bool = True) -> Watched:
        context = chromium.new_context(
            base_url=web.url,
            viewport={"width": width, "height": 800 if width < 600 else 1000},
            storage_state=web.login(chromium) if login else None,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        watched = Watched(page, web.url)
        page.goto(path)
        return watched

    yield open_
    for context in contexts:
        context.close()
