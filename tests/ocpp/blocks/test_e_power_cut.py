"""A power cut at each phase: the transaction goes on, or ends with PowerLoss."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.ocpp.blocks.stations import charging, station
from tests.support.invariants import check, registers


@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.6, 1.0, 1.2, 1.4, 5.0, 30.0])
def test_a_short_power_cut_goes_on_at_any_phase(seconds: float) -> None:
    rig = station()
    rig.plug()
    rig.card()
    rig.let(seconds)
    rig.power_cut()
    rig.now = rig.now.plus(60)
    rig.boot()
    rig.let(5)
    assert rig.board.evses[1].power > 0
    rig.card()
    rig.let(2)
    (told,) = check(rig)
    assert told.ended
    assert not rig.disk.queue


@pytest.mark.parametrize("plugged", [True, False])
def test_a_long_power_cut_ends_with_power_loss(plugged: bool) -> None:
    rig = charging(**{"TxCtrlr.ResumptionTimeout": "300"})
    rig.power_cut()
    rig.board.evses[1].plugged = plugged
    rig.now = rig.now.plus(301)
    rig.boot()
    rig.let(2)
    assert rig.told()[-1].startswith("Ended AbnormalCondition")
    assert rig.told()[-1].endswith("PowerLoss")
    check(rig)


def test_the_ev_that_left_meanwhile_ends_with_power_loss() -> None:
    rig = charging()
    rig.power_cut()
    rig.board.evses[1].plugged = False
    rig.boot()
    rig.let(1)
    assert rig.told()[-1] == "Ended AbnormalCondition Idle PowerLoss"
    check(rig)


@pytest.mark.parametrize("evse", [None, 1])
def test_a_waiting_card_outlasts_a_power_cut(evse: int | None) -> None:
    rig = station()
    rig.card(evse=evse)
    rig.power_cut()
    rig.boot()
    rig.plug(1)
    rig.let(5)
    (told,) = check(rig)
    assert told.evse_id == 1
    assert rig.board.evses[1].power > 0


def test_the_cable_that_came_during_the_power_cut_is_told() -> None:
    rig = station()
    rig.card(evse=1)
    rig.power_cut()
    rig.board.evses[1].plugged = True
    rig.boot()
    assert rig.told()[-1] == "Updated CablePluggedIn EVConnected"


def test_a_power_cut_while_the_contactor_opens_still_tells_the_end() -> None:
    rig = charging()
    rig.card()
    rig.power_cut()
    rig.boot()
    rig.let(1)
    assert rig.told()[-1] == "Ended StopAuthorized EVConnected Local"
    assert rig.events()[-1]["idToken"]["idToken"] == "04A2B3C4D5E6F7"
    check(rig)


def test_the_wall_clock_of_the_next_life_may_be_years_off() -> None:
    rig = charging()
    rig.power_cut()
    rig.jump_wall_clock(timedelta(days=-20_000))
    rig.boot(connect=False)
    rig.let(5)
    assert rig.board.evses[1].power > 0


def test_a_meter_that_is_not_ready_after_a_power_cut_is_not_believed() -> None:
    """J02.FR.17: the register as it is; one that begins at 0 is not, and would be billed once it is right again."""
    rig = charging()
    rig.card()
    rig.let(2)
    rig.unplug()
    register = rig.events()[-1]["meterValue"][-1]["sampledValue"][0]["value"]
    rig.power_cut()
    rig.board.evses[1].meter = {"energy": 0}
    rig.boot()
    rig.plug()
    rig.card()
    rig.let(5)
    rig.board.evses[1].meter = {}
    rig.let(60)
    rig.card()
    rig.let(2)
    _, told = check(rig)
    assert all(value >= register for event in told.events for value in registers(event))
    assert rig.disk.transactions[told.transaction_id].meter_start >= register * 1000
