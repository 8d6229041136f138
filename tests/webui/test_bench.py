"""The bench panel against a small HTTP server that answers as a bench."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client

from tests.webui.looking import look
from webui.bench import board, client

HTMX = {"HX-Request": "true", "HX-Target": "bench-said"}
EVSE = {
    "state": "C2",
    "plugged": True,
    "contactor": True,
    "limit": 16.0,
    "phases": 1,
    "voltage": [230.1, 0.0, 0.0],
    "current": [15.8, 0.0, 0.0],
    "power": 3635.0,
    "energy": 1204.6,
    "fault": None,
    "bay": False,
    "ev": {"requests_energy": True, "max_current": 32, "phases": 1, "soc": 41.5},
    "drive": None,
}
STATE = {"power": True, "door": False, "reader": {"count": 3, "uid": "04A2", "type": "ISO14443"}, "evses": {"1": EVSE}}


class Bench(ThreadingHTTPServer):
    """Answers with ``status`` and ``answer`` whatever it is asked, and keeps what it was asked."""

    daemon_threads = True
    status = 200
    answer: bytes = json.dumps(STATE).encode()

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, Any]] = []

    def says(self, what: Any, status: int = 200) -> None:
        self.status, self.answer = status, what if isinstance(what, bytes) else json.dumps(what).encode()


class Handler(BaseHTTPRequestHandler):
    server: Bench

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, json.loads(body) if body else None))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: Any) -> None:
        """Nothing: the test looks at ``asked``."""


@pytest.fixture
def bench(settings: Any, _fresh: None) -> Iterator[Bench]:
    server = Bench()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    here = replace(settings.ENVIRONMENT.bench, host="127.0.0.1", port=server.server_address[1])
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, simulated=True, bench=here)
    yield server
    server.shutdown()
    thread.join(5)
    server.server_close()


def posted(bench: Bench) -> tuple[str, Any]:
    """The one thing that was asked for."""
    [(_, path, body)] = [asked for asked in bench.asked if asked[0] == "POST"]
    return path, body


def test_panel_shows_the_board(browser: Client, bench: Bench) -> None:
    page = look(browser.get("/bench/").content)
    for said in ("C2 car asks for energy", "16.0 A", "3.64 kW", "1.205 kWh", "The reader last saw 04A2."):
        assert said in page.words
    assert "/bench/" in look(browser.get("/").content).links


@pytest.mark.parametrize(
    ("address", "fields", "path", "body"),
    [
        ("evse/1/plug", {}, "/evse/1/plug", None),
        ("evse/2/unplug", {}, "/evse/2/unplug", None),
        ("evse/1/ev", {"to": "off"}, "/evse/1/ev", {"requests_energy": False}),
        ("evse/1/ev", {"max_current": "10.5"}, "/evse/1/ev", {"max_current": 10.5}),
        ("evse/1/fault", {"code": "GroundFailure"}, "/evse/1/fault", {"code": "GroundFailure"}),
        ("evse/1/fault", {"code": ""}, "/evse/1/fault", {"code": None}),
        ("evse/1/bay", {"to": "on"}, "/evse/1/bay", {"occupied": True}),
        ("evse/1/drive", {}, "/evse/1/drive", {"seconds": 60}),
        ("evse/1/drive", {"stop": "on"}, "/evse/1/drive", {"stop": True}),
        ("door", {"to": "on"}, "/door", {"open": True}),
        ("power", {"to": "off"}, "/power", {"on": False}),
        ("rfid", {"uid": "04:a2:b3:c4"}, "/rfid", {"uid": "04A2B3C4", "type": "ISO14443"}),
        ("rfid", {"uid": "E004010203040506"}, "/rfid", {"uid": "E004010203040506", "type": "ISO15693"}),
    ],
)
def test_each_action_is_passed_on(
    browser: Client, bench: Bench, address: str, fields: dict[str, str], path: str, body: Any
) -> None:
    answer = browser.post(f"/bench/{address}/", fields, headers=HTMX)
    assert answer.status_code == 200
    assert answer.headers["HX-Trigger"] == "bench-changed"
    assert "Done." in look(answer.content).words or body == {"seconds": 60}
    assert posted(bench) == (path, body)


@pytest.mark.parametrize(
    ("address", "fields", "said"),
    [
        ("evse/1/ev", {}, "Nothing was asked of the car."),
        ("evse/1/ev", {"max_current": "lots"}, "Enter a number."),
        ("evse/1/ev", {"max_current": "nan"}, "Enter a number."),
        ("evse/1/ev", {"max_current": "81"}, "less than or equal to 80"),
        ("evse/1/fault", {"code": "<script>"}, "Select a valid choice."),
        ("evse/1/bay", {}, "This field is required."),
        ("door", {"to": "ajar"}, "Select a valid choice."),
        ("rfid", {"uid": ""}, "This field is required."),
        ("rfid", {"uid": "04A2B3"}, "has 4, 7, 8 or 10 bytes"),
        ("rfid", {"uid": "04A2B3C4D5"}, "has 4, 7, 8 or 10 bytes"),
        ("rfid", {"uid": "ZZA2B3C4"}, "has 4, 7, 8 or 10 bytes"),
    ],
)
def test_what_makes_no_sense_is_not_passed_on(
    browser: Client, bench: Bench, address: str, fields: dict[str, str], said: str
) -> None:
    answer = browser.post(f"/bench/{address}/", fields, headers=HTMX)
    assert said in look(answer.content).words
    assert not bench.asked


@pytest.mark.parametrize("address", ["evse/1/explode", "evse/1000/plug", "selfdestruct", "evse/1/rfid"])
def test_unknown_actions(browser: Client, bench: Bench, address: str) -> None:
    assert browser.post(f"/bench/{address}/", headers=HTMX).status_code == 404
    assert not bench.asked


def test_refusal_is_shown_in_the_bench_s_words(browser: Client, bench: Bench) -> None:
    bench.says({"error": "EVSE 1: no EV is <plugged> in"}, 409)
    answer = browser.post("/bench/evse/1/unplug/", headers=HTMX)
    assert "EVSE 1: no EV is <plugged> in" in look(answer.content).words


def test_evse_that_the_bench_does_not_have(browser: Client, bench: Bench) -> None:
    bench.says({"error": "no EVSE 9"}, 404)
    assert browser.post("/bench/evse/9/plug/", headers=HTMX).status_code == 404


@pytest.mark.parametrize(
    ("what", "status"), [(b"<html>", 200), (b"[]", 200), (b"\xff", 200), (b"", 200), ({"error": "x"}, 500)]
)
def test_bench_that_talks_rubbish_is_away(browser: Client, bench: Bench, what: Any, status: int) -> None:
    bench.says(what, status)
    page = browser.get("/bench/")
    assert page.status_code == 200
    assert "The simulated board does not answer" in look(page.content).words
    answer = browser.post("/bench/evse/1/plug/", headers=HTMX)
    assert "The simulated board does not answer" in look(answer.content).words


def test_bench_that_is_not_there(browser: Client, bench: Bench) -> None:
    bench.shutdown()
    bench.server_close()
    assert "The simulated board does not answer" in look(browser.get("/bench/").content).words


def test_poll_brings_only_what_changed(browser: Client, bench: Bench) -> None:
    first = browser.get("/bench/state/", headers=HTMX)
    assert {"bench-poll", "bench-board", "bench-1-readout", "bench-1-controls", "bench-1-drive"} <= set(
        look(first.content).ids
    )
    seen = first.context["seen"]
    assert browser.get("/bench/state/", {"seen": seen}, headers=HTMX).status_code == 204
    bench.says({**STATE, "evses": {"1": {**EVSE, "power": 3000.0}}})
    answer = browser.get("/bench/state/", {"seen": seen}, headers=HTMX)
    assert look(answer.content).ids == ["bench-poll", "bench-1-readout"]
    assert browser.get("/bench/state/", {"seen": "x" * 9000}, headers=HTMX).status_code == 200


def test_cards_are_remembered_latest_first_and_not_for_ever(browser: Client, bench: Bench) -> None:
    for number in range(7):
        browser.post("/bench/rfid/", {"uid": f"0{number}A2B3C4"}, headers=HTMX)
    answer = browser.post("/bench/rfid/", {"uid": "05A2B3C4"}, headers=HTMX)
    words = look(answer.content).words
    assert words.split()[1:] == ["05A2B3C4", "06A2B3C4", "04A2B3C4", "03A2B3C4", "02A2B3C4"]


def test_drive_from_the_overview_gets_only_the_answer(browser: Client, bench: Bench) -> None:
    answer = browser.post("/bench/evse/1/drive/", headers={"HX-Request": "true", "HX-Target": "tryout-said"})
    assert look(answer.content).words == "The demo drive has begun."


@pytest.mark.parametrize(
    ("drive", "said"),
    [
        ({"step": "charging", "progress": 0.5, "error": None}, "Charging"),
        ({"step": "done", "progress": 1.0, "error": None}, "The drive is done"),
        (
            {"step": "failed", "progress": 1.0, "error": "no energy within 45 s"},
            "The drive failed: no energy within 45 s",
        ),
        ({"step": "hopping", "progress": "x", "error": 3}, "Hopping"),
        ("rubbish", "Demo drive"),
    ],
)
def test_drive_in_words(browser: Client, bench: Bench, drive: Any, said: str) -> None:
    bench.says({**STATE, "evses": {"1": {**EVSE, "drive": drive}}})
    assert said in look(browser.get("/bench/").content).words


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"evses": []},
        {"evses": {"x": {}, "1": None, "2": {"ev": 3, "voltage": "high", "power": float("inf"), "state": None}}},
        {"reader": "none", "power": None, "evses": {"1": {"current": [None, True, "x", 4]}}},
    ],
)
def test_state_of_the_wrong_shape_is_read_with_care(state: dict[str, Any]) -> None:
    for evse in board.read(state).evses:
        assert evse.power == 0.0


def test_hostile_state_is_only_text(browser: Client, bench: Bench) -> None:
    bad = '"><script>alert(1)</script>'
    evse = {**EVSE, "state": bad, "fault": bad, "drive": {"step": bad, "progress": 0, "error": bad}}
    bench.says({**STATE, "reader": {"count": 1, "uid": bad}, "evses": {"1": evse}})
    look(browser.get("/bench/").content)


def test_address_that_listens_everywhere_is_reached_on_loopback(bench: Bench, settings: Any) -> None:
    everywhere = replace(settings.ENVIRONMENT.bench, host="0.0.0.0")  # noqa: S104 - what is tested
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, bench=everywhere)
    assert client.state() == STATE
