"""What lasts of the simulated board, and that its meter never goes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hardware.simulator.board import SimulatedBoard
from hardware.simulator.ev import Ev
from hardware.simulator.store import Store, StoreError
from station.domain.board import CPState, Fault
from tests.hardware.support import allow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "simulator" / "state.json"


def test_what_is_physical_lasts_and_the_electronics_starts_anew(path: Path) -> None:
    store = Store(path)
    board = SimulatedBoard(store.load(2))
    board.plug(1, Ev(max_current=10, phases=3, soc=41.5, requests_energy=False, tells_soc=False))
    board.set_bay(2, True)
    board.set_fault(2, Fault.GROUND_FAILURE)
    board.set_door(True)
    board.set_supply(False)
    board.world.outlets[1].flown = (1_204_600.7, 3.2, 0.0)
    allow(board)
    store.save(board.world)

    again = SimulatedBoard(Store(path).load(2))
    ev = again.world.outlets[1].ev
    assert ev is not None
    assert (ev.max_current, ev.phases, ev.soc, ev.requests_energy, ev.tells_soc) == (10, 3, 41.5, False, False)
    assert again.world.outlets[1].shown == (1_204_600, 3, 0)
    assert (again.world.outlets[2].bay_occupied, again.world.outlets[2].cause) == (True, Fault.GROUND_FAILURE)
    assert (again.world.door_open, again.world.supply) == (True, False)
    assert again.world.boot_count == board.world.boot_count + 1
    assert not again.electronics[1].setpoint.allow_power
    assert again.electronics[1].cp_state is CPState.E


def test_the_register_shows_only_what_is_kept(path: Path) -> None:
    store = Store(path)
    board = SimulatedBoard(store.load(1))
    allow(board, 32.0)
    board.plug(1, Ev())
    writes, last = 0, ""
    for tick in range(20 * 60):
        now = tick * 0.05
        board.electronics[1].watchdog.feed()
        board.step(0.05)
        store.keep(board, now)
        text = path.read_text()
        writes += text != last
        last = text
        assert board.world.outlets[1].register <= sum(json.loads(text)["evses"]["1"]["energy"])
        assert board.world.outlets[1].energy - board.world.outlets[1].register < 2500, "the meter follows"
    assert writes < 150
    before = board.world.outlets[1].register
    assert before > 90_000
    assert Store(path).load(1).outlets[1].register >= before, "as after a power cut at this point"

    board.unplug(1)
    store.keep(board, 60.0)
    assert board.world.outlets[1].register == int(board.world.outlets[1].energy), "all of it, once nothing flows"


def test_a_world_from_before_the_phases_were_counted_has_its_energy_on_the_first(path: Path) -> None:
    store = Store(path)
    store.save(store.load(1))
    data = json.loads(path.read_text())
    data["evses"]["1"]["energy"] = 1234
    path.write_text(json.dumps(data))
    outlet = Store(path).load(1).outlets[1]
    assert (outlet.shown, outlet.register) == ((1234, 0, 0), 1234)


def test_nothing_is_written_while_nothing_happens(path: Path) -> None:
    store = Store(path)
    board = SimulatedBoard(store.load(1))
    store.keep(board, 0.0)
    path.unlink()
    for tick in range(1000):
        board.step(1.0)
        store.keep(board, float(tick))
    assert not path.exists()


def test_a_full_disk_holds_the_meter_and_is_told_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.parent.mkdir(exist_ok=True)
    path.parent.write_text("a file where the folder should be")
    store = Store(path)
    board = SimulatedBoard(Store(path.parent.parent / "other.json").load(1))
    board.world.outlets[1].flown = (5000.0, 0.0, 0.0)
    for tick in range(5):
        store.keep(board, float(tick))
    assert board.world.outlets[1].register == 0
    assert len(caplog.records) == 1
    path.parent.unlink()
    store.keep(board, 10.0)
    assert board.world.outlets[1].register == 5000


def test_evses_that_are_not_there_this_time_come_back(path: Path) -> None:
    store = Store(path)
    world = store.load(3)
    world.outlets[3].flown = (777.0, 0.0, 0.0)
    store.save(world)
    fewer = Store(path)
    world = fewer.load(1)
    assert list(world.outlets) == [1]
    fewer.save(world)
    assert Store(path).load(3).outlets[3].register == 777


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"evses": {}}', '{"evses": 3, "door_open": 0, "supply": 1, "boot_count": 1}',
     '{"door_open": false, "supply": true, "boot_count": 1, "evses": {"1": {"energy": -1, "ev": null, "cause": null}}}',
     '{"door_open": false, "supply": true, "boot_count": 1, "evses": {"1": {"energy": 1, "ev": null, "cause": "x"}}}'],
)  # fmt: skip
def test_a_file_that_is_no_state_is_refused_by_name(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(StoreError, match=r"state\.json"):
        Store(path).load(1)
    assert path.read_text() == text
