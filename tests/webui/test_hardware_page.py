"""The hardware page: words for all that the board says, pieces while somebody looks, and its buttons."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from hardware import register_view, registers
from hardware.registers import HOLDING, INPUT
from hardware.simulator.modbus import input_values
from station.domain.board import BoardSnapshot, CPState, EvseSnapshot, SelfTest, WatchdogState
from station.domain.effects import Journal, Remember
from station.domain.wire import pack_snapshot
from station.live import bus
from station.live.payloads import encode
from station.store import repositories
from station.store.models import Command
from tests.hardware.support import charging as charging_board
from tests.webui.looking import look
from tests.webui.making import NOON, charging, free, station
from webui.dashboard import fragments, latest
from webui.hardware_page import consumer, live, names
from webui.hardware_page.consumer import HardwareConsumer

MODE = {"who": "olga", "left": 299, "current": 10.0, "phases": 1}


def told(**changes: Any) -> dict[str, Any]:
    """What the hardware worker publishes of a board with one EVSE that charges."""
    words = registers.encode(INPUT, input_values(charging_board(), 1))
    rows = {"input": register_view.inputs(words), "holding": register_view.holding([0] * registers.span(HOLDING)[1])}
    snapshot = pack_snapshot(BoardSnapshot(1.0, firmware="reference-1.0", evses=(EvseSnapshot(1), EvseSnapshot(2))))
    polling = {"polls": 10, "missed": 2, "late_p95": 0.5, "late_max": 3.1}
    return json.loads(json.dumps({"snapshot": snapshot, "registers": {"1": rows}, "polling": polling, **changes}))


# ------------------------------------------------------------------ words


@pytest.mark.parametrize("register", [*INPUT, *HOLDING], ids=lambda register: register.name)
def test_every_register_has_words(register: registers.Register) -> None:
    assert names.register(register.name) != register.name


def test_every_state_has_words() -> None:
    assert {state.value for state in CPState} == set(names.PILOT)
    assert {state.value for state in WatchdogState} == set(names.WATCHDOG)
    assert {state.value for state in SelfTest} <= set(names.SELF_TEST)


def test_what_nobody_knows_is_shown_as_it_is() -> None:
    assert names.register("new_register") == "new_register"
    assert names.value("cp_state", "X9") == "X9"
    assert names.value("temperature", "") == "not available"


def test_the_pieces_of_a_board() -> None:
    found = live.board(told())
    assert set(found) == {"hardware-head", "hardware-evse-1", "hardware-evse-2", "hardware-registers-1"}
    assert "C2: the car is ready, current is offered" in look(found["hardware-registers-1"]).words
    assert "0005" in look(found["hardware-registers-1"]).words
    for html in found.values():
        look(html)


def test_hostile_words_of_a_board_are_only_text() -> None:
    hostile = told()
    hostile["snapshot"]["firmware"] = "<script>1</script>"
    hostile["snapshot"]["evses"][0]["faults"] = ["<b>"]
    html = "".join(live.board(hostile).values())
    assert "<script>" not in html
    assert "<b><" not in html


def test_maintenance_in_pieces() -> None:
    engineering = {"1": {"maintenance": MODE}, "2": {}}
    found = live.maintenance(station(free(1), charging(2), engineering=engineering))
    assert "olga has this EVSE in maintenance." in look(found["hardware-maintenance-1"]).words
    assert "4:59" in look(found["hardware-left-1"]).words
    assert "A session is running here." in look(found["hardware-maintenance-2"]).words
    later = live.maintenance(
        station(free(1), charging(2), engineering={"1": {"maintenance": {**MODE, "left": 298}}, "2": {}})
    )
    assert later["hardware-maintenance-1"] == found["hardware-maintenance-1"], "what is typed there must stay"
    assert later["hardware-left-1"] != found["hardware-left-1"]


# ------------------------------------------------------------------ the page


def test_only_an_installer_sees_it(browser: Client) -> None:
    assert browser.get("/hardware/").status_code == 403
    assert browser.post("/hardware/restart/").status_code == 403
    assert browser.post("/hardware/1/begin/").status_code == 403
    assert browser.post("/hardware/1/setpoint/", {"current": "6", "phases": "1"}).status_code == 403
    assert not Command.objects.exists()


def test_the_page(installer: Client) -> None:
    repositories.commit(
        [
            Remember("self_tests", {"1": {"at": "2025-06-01T12:00:00Z", "outcome": "Passed", "who": "olga"}, "x": 1}),
            Journal(NOON, "maintenance_ended", evse_id=2, data={"who": "ben", "why": "timeout"}),
            Journal(NOON, "manual_setpoint", evse_id=2, data={"who": "ben", "current": 10.0, "phases": 1}),
        ]
    )
    words = look(installer.get("/hardware/").content).words
    assert "Last by olga on 1 Jun 2025, 12:00: passed" in words
    assert "ended by itself, for nothing was done any more" in words
    assert "ben set EVSE 2 to 10 A and 1 phase(s) by hand." in words
    latest.remember(station(free(1), free(2), engineering={"1": {"maintenance": MODE}}))
    assert "olga has this EVSE in maintenance." in look(installer.get("/hardware/").content).words


@pytest.mark.parametrize(
    ("address", "typed", "action", "arguments"),
    [
        ("/hardware/1/begin/", {}, "begin_maintenance", {"evse_id": 1}),
        ("/hardware/2/end/", {}, "end_maintenance", {"evse_id": 2}),
        ("/hardware/1/test/", {}, "self_test", {"evse_id": 1}),
        ("/hardware/restart/", {}, "restart", {}),
        (
            "/hardware/1/setpoint/",
            {"current": "10.5", "phases": "3"},
            "manual_setpoint",
            {"evse_id": 1, "current": 10.5, "phases": 3},
        ),
    ],
)
def test_a_button_files_a_command(
    installer: Client, address: str, typed: dict[str, str], action: str, arguments: dict[str, Any]
) -> None:
    assert installer.post(address, typed).status_code == 302
    row = Command.objects.get()
    assert (row.action, row.arguments) == (action, arguments)


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"current": "x", "phases": "1"},
        {"current": "-1", "phases": "1"},
        {"current": "nan", "phases": "1"},
        {"current": "1e9", "phases": "1"},
        {"current": "6.55", "phases": "1"},
        {"current": "6", "phases": "2"},
        {"current": "<b>", "phases": "<script>"},
    ],
)
def test_a_bad_setpoint_is_named(installer: Client, typed: dict[str, str]) -> None:
    answer = installer.post("/hardware/1/setpoint/", typed)
    assert answer.status_code == 422
    assert "<script>" not in answer.content.decode()
    assert not Command.objects.exists()


@pytest.mark.parametrize("address", ["/hardware/9/begin/", "/hardware/1/explode/", "/hardware/9/setpoint/"])
def test_what_is_not_there(installer: Client, address: str) -> None:
    assert installer.post(address, {"current": "6", "phases": "1"}).status_code == 404
    assert installer.get("/hardware/1/begin/").status_code == 405


# ------------------------------------------------------------------ logging out


def test_logging_out_ends_ones_maintenance(installer: Client) -> None:
    installer.post("/hardware/1/begin/")
    installer.post("/logout/")
    assert [row.action for row in Command.objects.order_by("pk")][-1] == "end_maintenance"


def test_who_was_in_none_files_nothing(installer: Client) -> None:
    installer.post("/logout/")
    assert not Command.objects.filter(action="end_maintenance").exists()


# ------------------------------------------------------------------ the WebSocket


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(consumer, "SILENCE", 0.2)
    return


def test_registers_travel_while_the_page_is_open(layer: Any, person: User, quick: None) -> None:
    person.is_staff = True
    person.save()

    async def look_on() -> None:
        line = WebsocketCommunicator(HardwareConsumer.as_asgi(), "/ws/hardware/")
        line.scope |= {"user": person, "session": None}
        assert (await line.connect())[0]
        have = dict.fromkeys(("hardware-head", "hardware-evse-1", "hardware-maintenance-1"), "")
        await line.send_to(text_data=json.dumps({"have": have}))
        asked = await asyncio.wait_for(layer.receive(bus.HARDWARE), 10)
        assert asked == {"type": bus.BOARD_WATCH}
        assert "Nothing comes from the board" in await line.receive_from(10)
        await layer.group_send(bus.ENGINEERS, {"type": bus.BOARD_REGISTERS, "board": {"nonsense": 1}})
        await layer.group_send(bus.ENGINEERS, {"type": bus.BOARD_REGISTERS, "board": told()})
        assert 'id="hardware-silent"' in await line.receive_from(10)
        html = await line.receive_from(10)
        assert 'id="hardware-head"' in html
        assert "registers-1" not in html, "the page has not opened them"
        live_station = encode(station(free(1), engineering={"1": {"maintenance": MODE}}))
        await layer.group_send(bus.WATCHERS, {"type": bus.LIVE_STATION, "station": live_station})
        while "olga has this EVSE" not in await line.receive_from(10):
            continue
        await line.disconnect()

    async_to_sync(look_on)()


def test_an_owner_gets_no_registers(layer: Any, person: User) -> None:
    async def look_on() -> int:
        line = WebsocketCommunicator(HardwareConsumer.as_asgi(), "/ws/hardware/")
        line.scope |= {"user": person, "session": None}
        await line.connect()
        return int((await line.receive_output(10))["code"])

    assert async_to_sync(look_on)() == 4403


def test_marks_tell_whether_a_piece_has_changed() -> None:
    before, after = told(), copy.deepcopy(told())
    after["snapshot"]["evses"][0]["temperature"] = 31.5
    first, second = live.board(before), live.board(after)
    changed = {name for name in first if fragments.mark_of(first[name]) != fragments.mark_of(second[name])}
    assert changed == {"hardware-evse-1"}
