"""The EV's timing and appetite."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.simulator.ev import CAPACITY, Ev
from tests.hardware.support import allow, charging, new_board, run


def step(ev: Ev, seconds: float, offered: float, mains: bool, dt: float = 0.05) -> None:
    for _ in range(round(seconds / dt)):
        ev.step(dt, offered, mains)


def test_it_gets_ready_a_while_after_the_offer() -> None:
    ev = Ev()
    step(ev, 60.0, 0.0, False)
    assert ev.letter == "B"
    step(ev, 1.0, 16.0, False)
    assert ev.letter == "B"
    step(ev, 1.0, 16.0, False)
    assert ev.letter == "C"


def test_it_asks_for_ventilation_where_it_needs_it() -> None:
    ev = Ev(ventilation=True)
    step(ev, 2.0, 16.0, False)
    assert ev.letter == "D"


def test_it_ramps_up_within_seconds_and_stops_within_three() -> None:
    ev = Ev()
    step(ev, 2.0, 32.0, False)
    step(ev, 0.9, 32.0, True)
    assert ev.current == 0.0
    step(ev, 1.1, 32.0, True)
    assert 6.0 < ev.current < 12.0
    step(ev, 4.0, 32.0, True)
    assert ev.current == 32.0
    step(ev, 3.0, 0.0, True)
    assert (ev.current, ev.letter) == (0.0, "B")


def test_it_loses_its_current_with_the_mains() -> None:
    ev = Ev()
    step(ev, 8.0, 32.0, True)
    ev.step(0.05, 32.0, False)
    assert ev.current == 0.0


@pytest.mark.parametrize(
    ("offered", "max_current", "drawn"), [(16, 32, 16), (32, 10, 10), (6, 32, 6), (5.9, 32, 0), (16, 4, 4)]
)
def test_it_draws_no_more_than_is_offered_and_it_can_take(offered: float, max_current: float, drawn: float) -> None:
    ev = Ev(max_current=max_current)
    step(ev, 12.0, offered, True)
    assert ev.current == drawn


def test_it_suspends_and_resumes_as_it_is_told() -> None:
    board = charging()
    board.change_ev(1, {"requests_energy": False})
    run(board, 3.0)
    assert board.state()["evses"]["1"]["state"] == "B2"
    assert not board.electronics[1].closed
    board.change_ev(1, {"requests_energy": True})
    run(board, 6.0)
    assert board.state()["evses"]["1"]["state"] == "C2"
    assert board.world.outlets[1].current[0] == 16.0


def test_it_stays_in_b_until_it_requests_energy() -> None:
    board = charging()
    board.unplug(1)
    board.plug(1, Ev(requests_energy=False))
    run(board, 600.0, dt=0.5)
    assert board.state()["evses"]["1"]["state"] == "B2"


def test_a_night_fills_it_up_then_it_suspends() -> None:
    board = charging(32.0, soc=40.0)
    before = board.world.outlets[1].energy
    powers = []
    for _ in range(12 * 60):
        run(board, 60.0, dt=5.0)
        powers.append(board.state()["evses"]["1"]["power"])
    ev = board.world.outlets[1].ev
    assert ev is not None
    assert ev.soc == 100.0
    assert board.state()["evses"]["1"]["state"] == "B2"
    energy = (board.world.outlets[1].energy - before) / 1000
    assert energy * 0.92 == pytest.approx(0.6 * CAPACITY, rel=0.01)
    assert any(1000 < power < 3000 for power in powers), "it takes less when nearly full"
    assert powers[-1] == 0.0


@given(st.lists(st.tuples(st.floats(0, 80), st.booleans(), st.floats(0, 100)), max_size=20), st.floats(0, 80))
def test_any_steps_keep_it_within_its_limits(steps: list[tuple[float, bool, float]], max_current: float) -> None:
    ev = Ev(max_current=max_current)
    for offered, mains, dt in steps:
        before = ev.current
        ev.step(dt, offered, mains)
        assert 0.0 <= ev.current <= max(max_current, 0.0)
        assert ev.current <= max(before, offered)
        assert mains or ev.current == 0.0


def test_the_board_needs_no_steps_of_a_size() -> None:
    energies = []
    for dt in (0.05, 1.0):
        board = new_board()
        allow(board)
        board.plug(1, Ev())
        run(board, 600.0, dt=dt)
        energies.append(board.world.outlets[1].energy)
    assert energies[0] == pytest.approx(energies[1], rel=0.01)
