"""Limits of the owner's: who gets how much, what lasts, what lapses, and what the CSMS hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.events import LimitWanted
from tests.ocpp.blocks.stations import charging, station
from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig


def offered(rig: MemoryRig, evse: int = 1) -> float:
    """A that the last setpoint offers."""
    wanted = rig.board.evses[evse].wanted
    assert wanted is not None
    return wanted.current


def want(rig: MemoryRig, current: float | None, valid_for: float = 60.0, evse: int = 1) -> None:
    rig.step(LimitWanted(evse, current, valid_for, "olga"))


def order(rig: MemoryRig, number: int = 1, **arguments: Any) -> tuple[str, str]:
    finished = rig.operator("limit", number, **arguments)
    assert finished is not None
    return finished.status, finished.message


def test_a_standing_limit_holds_at_once_and_across_a_power_cut() -> None:
    rig = charging()
    before = offered(rig)
    assert order(rig, evse_id=1, current=10) == ("Accepted", "Set.")
    assert offered(rig) == 10.0 < before
    rig.power_cut()
    rig.boot()
    rig.let(3)
    assert offered(rig) == 10.0
    assert order(rig, 2, evse_id=1, current=None) == ("Accepted", "Lifted.")
    assert offered(rig) == before
    check(rig)


def test_a_limit_above_the_rating_gives_nobody_more() -> None:
    rig = charging()
    before = offered(rig)
    order(rig, evse_id=1, current=80)
    assert offered(rig) == before


def test_it_is_the_limit_of_one_evse() -> None:
    rig = charging()
    order(rig, evse_id=2, current=0)
    assert offered(rig, 1) > 0


def test_zero_pauses_and_the_csms_hears_who_does() -> None:
    rig = charging()
    order(rig, evse_id=1, current=0)
    rig.let(5)
    assert offered(rig) == 0.0
    assert not rig.board.evses[1].closed
    assert rig.told()[-1] == "Updated ChargingStateChanged SuspendedEVSE"
    order(rig, 2, evse_id=1, current=16)
    rig.let(5)
    assert rig.told()[-1] == "Updated ChargingStateChanged Charging"
    check(rig)


def test_who_comes_while_paused_is_suspended_by_the_station_from_the_start() -> None:
    rig = station()
    order(rig, evse_id=1, current=0)
    rig.plug()
    rig.card()
    rig.let(20)
    assert rig.events()[-1]["transactionInfo"]["chargingState"] == "SuspendedEVSE"
    check(rig)


def test_where_a_pause_ends_the_transaction_it_is_not_the_ev_that_is_blamed() -> None:
    rig = charging(**{"TxCtrlr.TxStopPoint": "EnergyTransfer"})
    order(rig, evse_id=1, current=0)
    rig.let(15)
    [ended] = [event for event in rig.events() if event["eventType"] == "Ended"]
    assert ended["transactionInfo"]["stoppedReason"] == "Local"
    check(rig)


def test_a_timed_limit_lapses_unless_it_is_repeated() -> None:
    rig = charging()
    before = offered(rig)
    want(rig, 8.0, 30)
    assert offered(rig) == 8.0
    for _ in range(3):
        rig.let(20)
        want(rig, 8.0, 30)
        assert offered(rig) == 8.0
    rig.let(29)
    assert offered(rig) == 8.0
    rig.let(2)
    assert offered(rig) == before
    kinds = [entry.kind for entry in rig.disk.journal if entry.kind.startswith("limit")]
    assert kinds == ["limit_timed", "limit_lapsed"], "noted once, not with every repetition"


def test_nothing_of_a_timed_limit_is_stored() -> None:
    rig = charging()
    before = offered(rig)
    want(rig, 8.0)
    rig.power_cut()
    rig.boot()
    rig.let(3)
    assert offered(rig) == before


def test_a_timed_limit_is_ended_by_whoever_set_it_and_by_a_command() -> None:
    rig = charging()
    before = offered(rig)
    want(rig, 8.0)
    want(rig, None)
    assert offered(rig) == before
    want(rig, 8.0)
    order(rig, evse_id=1, current=None)
    assert offered(rig) == before
    want(rig, None)  # there is none: nothing happens


def test_the_least_of_both_holds() -> None:
    rig = charging()
    order(rig, evse_id=1, current=10)
    want(rig, 13.0)
    assert offered(rig) == 10.0
    want(rig, 6.0)
    assert offered(rig) == 6.0
    rig.let(61)
    assert offered(rig) == 10.0


@pytest.mark.parametrize("current", [5.9, -1, "10", True, float("nan"), float("inf"), [6]])
def test_what_cannot_be_a_limit_is_refused_by_name(current: Any) -> None:
    rig = charging()
    before = offered(rig)
    status, message = order(rig, evse_id=1, current=current)
    assert status == "Rejected"
    assert message.startswith("The limit has to be")
    want(rig, current)
    assert offered(rig) == before
    assert not [entry for entry in rig.disk.journal if entry.kind.startswith("limit")]


@pytest.mark.parametrize("evse", [0, 3, "1", None, True])
def test_an_evse_that_is_not_there(evse: Any) -> None:
    rig = charging()
    assert order(rig, evse_id=evse, current=10)[0] == "Rejected"
    want(rig, 8.0, evse=9)


@pytest.mark.parametrize("seconds", [9.9, 3601, -1, float("nan")])
def test_a_time_that_makes_no_sense_limits_nothing(seconds: float) -> None:
    rig = charging()
    before = offered(rig)
    want(rig, 8.0, seconds)
    assert offered(rig) == before


def test_damaged_memory_is_no_limit() -> None:
    rig = charging()
    rig.disk.remembered["owner_limits"] = {"1": 3, "x": 10, "2": "a"}
    rig.boot()
    rig.let(3)
    assert offered(rig) > 6
