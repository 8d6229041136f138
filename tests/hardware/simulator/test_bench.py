"""The bench over HTTP: every action, every refusal, and the demo drive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from hardware.simulator.board import NotNowError, SimulatedBoard
from hardware.simulator.drive import Drive, Step
from tests.hardware.support import Live, allow, live_simulator, new_board, run


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_simulator(tmp_path_factory.mktemp("bench")) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _tidy(live: Live) -> Iterator[None]:
    yield
    for evse in "12":
        live.ask(f"/evse/{evse}/drive", {"stop": True})
        live.ask(f"/evse/{evse}/unplug", {})
        live.ask(f"/evse/{evse}/fault", {"code": None})
    live.ask("/power", {"on": True})


def test_the_state_has_all_that_is_promised(live: Live) -> None:
    status, state = live.ask("/state")
    assert status == 200
    assert set(state) == {"power", "door", "reader", "evses"}
    assert set(state["reader"]) == {"count", "uid", "type"}
    assert list(state["evses"]) == ["1", "2"]
    assert set(state["evses"]["1"]) == {
        "state", "plugged", "contactor", "limit", "phases", "voltage", "current", "power", "energy", "fault", "bay",
        "cable", "locked", "ev", "drive",
    }  # fmt: skip
    assert (state["power"], state["evses"]["1"]["state"], state["evses"]["1"]["ev"]) == (True, "A", None)


def test_plug_ev_and_unplug(live: Live) -> None:
    status, state = live.ask("/evse/1/plug", {"max_current": 10, "phases": 3, "requests_energy": False, "soc": 41.5})
    assert status == 200
    evse = state["evses"]["1"]
    assert (evse["state"], evse["plugged"]) == ("B1", True)
    assert evse["ev"] == {"requests_energy": False, "max_current": 10, "phases": 3, "soc": 41.5}
    _, state = live.ask("/evse/1/ev", {"requests_energy": True, "max_current": 16.5})
    assert state["evses"]["1"]["ev"] == {"requests_energy": True, "max_current": 16.5, "phases": 3, "soc": 41.5}
    _, state = live.ask("/evse/1/ev", {"soc": None})
    assert state["evses"]["1"]["ev"]["soc"] is None
    status, state = live.ask("/evse/1/unplug", raw=b"")
    assert (status, state["evses"]["1"]["state"], state["evses"]["1"]["plugged"]) == (200, "A", False)


def test_plug_without_a_body_takes_the_usual_ev(live: Live) -> None:
    _, state = live.ask("/evse/2/plug", raw=b"")
    assert state["evses"]["2"]["ev"] == {"requests_energy": True, "max_current": 32, "phases": 1, "soc": 40}


def test_fault_bay_door_power_and_card(live: Live) -> None:
    assert live.ask("/evse/1/fault", {"code": "GroundFailure"})[1]["evses"]["1"]["fault"] == "GroundFailure"
    assert live.ask("/evse/1/fault", {"code": None})[1]["evses"]["1"]["fault"] is None
    assert live.ask("/evse/1/bay", {"occupied": True})[1]["evses"]["1"]["bay"] is True
    assert live.ask("/door", {"open": True})[1]["door"] is True
    assert live.ask("/door", {"open": False})[1]["door"] is False
    _, state = live.ask("/power", {"on": False})
    assert (state["power"], state["evses"]["1"]["state"]) == (False, "E")
    assert live.ask("/rfid", {"uid": "04A2B3C4D5E6F7"})[0] == 409
    _, state = live.ask("/power", {"on": True})
    assert (state["power"], state["evses"]["1"]["state"], state["reader"]["count"]) == (True, "A", 0)
    live.ask("/rfid", {"uid": "04A2B3C4D5E6F7", "type": "ISO14443"})
    _, state = live.ask("/rfid", {"uid": "04a2b3c4d5e6f8", "type": "ISO14443", "evse": 1})
    assert state["reader"] == {"count": 2, "uid": "04A2B3C4D5E6F8", "type": "ISO14443"}


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/evse/1/plug", [], "JSON object"),
        ("/evse/1/plug", {"max_current": "32"}, "max_current"),
        ("/evse/1/plug", {"max_current": -1}, "max_current"),
        ("/evse/1/plug", {"max_current": 81}, "max_current"),
        ("/evse/1/plug", {"max_current": True}, "max_current"),
        ("/evse/1/plug", {"phases": 4}, "phases"),
        ("/evse/1/plug", {"phases": True}, "phases"),
        ("/evse/1/plug", {"phases": [1]}, "phases"),
        ("/evse/1/plug", {"requests_energy": 1}, "requests_energy"),
        ("/evse/1/plug", {"soc": 100.1}, "soc"),
        ("/evse/1/plug", {"colour": "red"}, "colour"),
        ("/evse/1/unplug", {"now": True}, "now"),
        ("/evse/1/ev", {}, "at least one"),
        ("/evse/1/fault", {}, "code"),
        ("/evse/1/fault", {"code": "Boredom"}, "GroundFailure"),
        ("/evse/1/fault", {"code": "PowerLoss"}, "code"),
        ("/evse/1/fault", {"code": 3}, "code"),
        ("/evse/1/bay", {"occupied": "yes"}, "occupied"),
        ("/evse/1/bay", {}, "occupied"),
        ("/rfid", {}, "uid"),
        ("/rfid", {"uid": 4}, "uid"),
        ("/rfid", {"uid": ""}, "uid"),
        ("/rfid", {"uid": "04A2B3C4D5E6F7F8"}, "uid"),
        ("/rfid", {"uid": "not hexadecimal"}, "uid"),
        ("/rfid", {"uid": "04A2B3C4", "type": "Barcode"}, "type"),
        ("/rfid", {"uid": "04A2B3C4", "evse": 0}, "evse"),
        ("/rfid", {"uid": "04A2B3C4", "evse": "1"}, "evse"),
        ("/door", {"open": None}, "open"),
        ("/power", {"on": 1}, "on"),
        ("/evse/1/drive", {"seconds": 0}, "seconds"),
        ("/evse/1/drive", {"uid": "zz"}, "uid"),
        ("/evse/1/drive", {"stop": True, "seconds": 5}, "stop"),
    ],
)
def test_a_bad_body_is_refused_by_name_and_changes_nothing(live: Live, path: str, body: object, named: str) -> None:
    before = live.ask("/state")[1]
    status, answer = live.ask(path, body)
    assert status == 400
    assert list(answer) == ["error"]
    assert named in answer["error"]
    after = live.ask("/state")[1]
    assert [evse["plugged"] for evse in after["evses"].values()] == [False, False]
    assert after["reader"] == before["reader"]


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b'{"max_current": NaN}', b"[" * 10_000, b'"plug"'])
def test_what_is_no_json_object_is_refused(live: Live, raw: bytes) -> None:
    status, answer = live.ask("/evse/1/plug", raw=raw)
    assert status == 400
    assert answer["error"]


@pytest.mark.parametrize("evse", ["0", "3", "x", "-1", "1.0", "99999999999999999999", "²"])
def test_an_evse_that_is_not_there_is_404(live: Live, evse: str) -> None:
    for action, body in (("plug", {}), ("unplug", {}), ("ev", {"soc": 1}), ("bay", {"occupied": True}), ("drive", {})):
        status, answer = live.ask(f"/evse/{quote(evse)}/{action}", body)
        assert status == 404
        assert answer["error"]
    assert live.ask("/rfid", {"uid": "04A2B3C4", "evse": 3})[0] == 404


def test_what_cannot_be_done_now_is_409(live: Live) -> None:
    assert live.ask("/evse/1/unplug", {}) == (409, {"error": "EVSE 1: nothing is plugged in"})
    assert live.ask("/evse/1/ev", {"soc": 1})[0] == 409
    live.ask("/evse/1/plug", {})
    assert live.ask("/evse/1/plug", {})[0] == 409
    assert live.ask("/evse/1/drive", {}) == (409, {"error": "EVSE 1: an EV is plugged in already"})
    assert live.ask("/evse/1/drive", {"stop": True})[0] == 409


def test_http_errors_are_json_too(live: Live) -> None:
    assert live.ask("/nowhere")[0] == 404
    assert live.ask("/state", {})[0] == 405
    assert live.ask("/door")[0] == 405
    status, answer = live.ask("/door", raw=b" " * 20_000)
    assert (status, list(answer)) == (413, ["error"])


def test_a_drive_shows_how_it_stands_and_can_be_stopped(live: Live) -> None:
    status, state = live.ask("/evse/1/drive", {"seconds": 5})
    assert (status, state["evses"]["1"]["drive"]) == (200, {"step": "plugged", "progress": 0.0, "error": None})
    assert state["evses"]["2"]["drive"] is None
    assert live.ask("/evse/1/drive", {})[0] == 409
    _, state = live.ask("/evse/1/drive", {"stop": True})
    assert state["evses"]["1"]["drive"] == {"step": "failed", "progress": 1.0, "error": "stopped by hand"}
    assert not state["evses"]["1"]["plugged"]


# ------------------------------------------------------------------ the drive in bench time


def go(board: SimulatedBoard, drive: Drive, seconds: float, station: bool = True) -> list[Step]:
    """Let time pass; ``station``: it allows power after the first card and withdraws it after the second."""
    steps = []
    for _ in range(round(seconds / 0.05)):
        run(board, 0.05)
        drive.step(0.05)
        if station:
            allow(board, 16.0 if board.reader.count == 1 else 0.0)
        if not steps or steps[-1] is not drive.step_now:
            steps.append(drive.step_now)
    return steps


def test_a_drive_goes_through_a_whole_session() -> None:
    board = new_board()
    drive = Drive(board, 1, 20.0, "ISO14443", "04A2B3C4D5E6F7")
    assert go(board, drive, 60.0) == [
        Step.PLUGGED, Step.WAITING_FOR_ENERGY, Step.CHARGING, Step.STOPPING, Step.UNPLUGGING, Step.DONE,
    ]  # fmt: skip
    assert drive.state() == {"step": "done", "progress": 1.0, "error": None}
    assert (board.reader.count, board.world.outlets[1].ev) == (2, None)
    energy = board.world.outlets[1].energy / 1000
    assert 15 < energy < 25, "about 20 s at 3.6 kW"


def test_the_progress_never_goes_back() -> None:
    board = new_board()
    drive = Drive(board, 1, 5.0, "ISO14443", "04A2B3C4")
    last = 0.0
    while drive.running:
        go(board, drive, 0.25)
        assert last <= drive.progress <= 1.0
        last = drive.progress


def test_a_drive_without_energy_fails_and_unplugs() -> None:
    board = new_board()
    drive = Drive(board, 1, 5.0, "ISO14443", "04A2B3C4")
    go(board, drive, 50.0, station=False)
    assert drive.state() == {"step": "failed", "progress": 1.0, "error": "no energy within 45 s of the card"}
    assert board.world.outlets[1].ev is None


def test_a_drive_whose_second_card_stops_nothing_fails_and_unplugs() -> None:
    board = new_board()
    allow(board)
    drive = Drive(board, 1, 5.0, "ISO14443", "04A2B3C4")
    go(board, drive, 60.0, station=False)
    assert drive.error == "the contactor did not open within 30 s of the second card"
    assert board.world.outlets[1].ev is None


def test_unplugging_by_hand_ends_a_drive() -> None:
    board = new_board()
    drive = Drive(board, 1, 5.0, "ISO14443", "04A2B3C4")
    go(board, drive, 8.0)
    board.unplug(1)
    go(board, drive, 0.1)
    assert (drive.step_now, drive.error) == (Step.FAILED, "the EV was unplugged by hand")


def test_a_drive_without_supply_says_so() -> None:
    board = new_board()
    board.set_supply(False)
    drive = Drive(board, 1, 5.0, "ISO14443", "04A2B3C4")
    go(board, drive, 3.0)
    assert drive.error == "the reader has no supply"
    board = new_board()
    Drive(board, 1, 5.0, "ISO14443", "04A2B3C4")
    with pytest.raises(NotNowError):
        Drive(board, 1, 5.0, "ISO14443", "04A2B3C4")


def test_a_world_is_kept_before_the_answer(tmp_path: Path) -> None:
    with live_simulator(tmp_path) as simulator:
        simulator.ask("/evse/1/plug", {"soc": 12})
        assert '"soc": 12' in (tmp_path / "simulator" / "state.json").read_text()
