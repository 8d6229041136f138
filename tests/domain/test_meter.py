"""What a meter says is judged before anybody is billed for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.board import MeterReading
from station.domain.meter import Meter


def reading(energy: int = 1_000_000, **says: Any) -> MeterReading:
    return MeterReading(**{"voltage": (230.0, 0.0, 0.0), "total_power": 3680.0, "energy": energy, **says})


def meter(**reads: Any) -> Meter:
    """A meter of a 7.36 kW EVSE that believed one reading at 100 s."""
    one = Meter(max_power=7360.0)
    assert one.take(reading(**reads), 100.0)
    return one


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        ({"energy": 999_999}, "energy_went_back"),
        ({"energy": 0}, "energy_went_back"),
        ({"energy": -1}, "energy_invalid"),
        ({"energy": 0xFFFF_FFFF}, "energy_invalid"),
        ({"energy": 2**64 - 1}, "energy_invalid"),
        ({"energy": 0x1_FFFF_FFFF}, "energy_invalid"),
        ({"energy": 2_000_000}, "energy_jumped"),
        ({"total_power": 9600.0}, "power_implausible"),
        ({"total_power": -1.0}, "power_implausible"),
        ({"total_power": float("nan")}, "power_implausible"),
        ({"voltage": (501.0, 0.0, 0.0)}, "voltage_implausible"),
        ({"voltage": (230.0, float("nan"), 0.0)}, "voltage_implausible"),
        ({"ok": False}, "meter_failed"),
        ({"age": 10.1}, "meter_stale"),
    ],
)
def test_what_cannot_be_is_refused_by_name(says: dict[str, Any], problem: str) -> None:
    one = meter()
    assert not one.take(reading(**says), 101.0)
    assert one.problem == problem
    assert (one.energy, one.power) == (1_000_000, 0.0)
    assert one.refused == 1
    assert one.take(reading(), 102.0)
    assert (one.problem, one.power) == ("", 3680.0)


def test_a_problem_that_lasts_counts_once() -> None:
    one = meter()
    for second in range(5):
        one.take(reading(ok=False), 101.0 + second)
    assert one.refused == 1


@pytest.mark.parametrize(("seconds", "mwh", "believed"), [(3600.0, 7_360_000, True), (3600.0, 12_000_000, False)])
def test_as_much_as_can_have_flowed_is_believed(seconds: float, mwh: int, believed: bool) -> None:
    assert meter().take(reading(1_000_000 + mwh), 100.0 + seconds) is believed


def test_a_pulse_meter_may_step() -> None:
    assert meter().take(reading(1_001_000), 100.2)


def test_what_was_told_in_an_earlier_life_is_the_least() -> None:
    one = Meter(max_power=7360.0, floor=500_000)
    assert not one.take(reading(499_999), 1.0)
    assert one.problem == "energy_went_back"
    assert one.energy is None
    assert one.take(reading(500_000), 2.0)


def test_a_register_of_a_phase_that_goes_back_or_away_is_not_believed_and_the_total_is() -> None:
    one = meter(energy_phases=(600, 300, 100))
    for at, (energy, told) in enumerate([(1_000_100, (599, 400, 101)), (1_000_200, ()), (1_000_300, (700, 400))], 101):
        assert one.take(reading(energy, energy_phases=told), float(at))
        assert one.reading is not None
        assert (one.energy, one.reading.energy_phases) == (energy, (600, 300, 100))
    assert one.take(reading(1_000_400, energy_phases=(700, 400, 100)), 105.0)
    assert one.reading.energy_phases == (700, 400, 100)


@given(st.lists(st.tuples(st.integers(-10, 2**40), st.floats(0.1, 60)), max_size=50))
def test_the_energy_that_leaves_never_goes_back_nor_ahead_of_physics(says: list[tuple[int, float]]) -> None:
    one, at = meter(), 100.0
    for energy, seconds in says:
        before, since = one.energy or 0, one.taken
        at += seconds
        one.take(reading(energy), at)
        assert one.energy is not None
        assert 0 <= one.energy - before <= 7360.0 * 1.5 * (at - since) / 3.6 + 2_000


def test_a_first_reading_far_from_what_was_last_told_is_refused() -> None:
    """A meter that is not ready yet says nothing that anybody is billed for."""
    one = Meter(max_power=7360.0, floor=500_000)
    assert not one.take(reading(0), 1.0)
    assert one.problem == "energy_went_back"
    assert not one.take(reading(10**12), 2.0)
    assert one.problem == "energy_jumped"
    assert one.take(reading(500_100), 3.0)


@pytest.mark.parametrize("energy", [0, 10**10])
def test_a_replaced_meter_is_believed_when_it_has_been_steady_and_nobody_charges(energy: int) -> None:
    one = meter()
    for minute in range(40):
        assert not one.take(reading(energy), 200.0 + 60 * minute), "somebody charges"
    assert one.take(reading(energy), 3_000.0, idle=True)
    assert (one.problem, one.energy) == ("", energy)


def test_a_register_that_is_not_steady_is_not_believed() -> None:
    one = meter()
    for minute in range(100):
        assert not one.take(reading(10**10 * (minute % 2)), 200.0 + 60 * minute, idle=True)


def test_a_glitch_begins_no_series() -> None:
    one = meter()
    assert not one.take(reading(0), 200.0, idle=True)
    assert one.take(reading(), 300.0, idle=True)
    assert not one.take(reading(0), 2_100.0, idle=True)
