"""StatusNotification, Heartbeat and ChangeAvailability (G01 to G04)."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.board import Fault
from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig


def station(**variables: str) -> MemoryRig:
    quiet = {"SampledDataCtrlr.TxUpdatedInterval": "0", "AlignedDataCtrlr.Interval": "0"}
    return MemoryRig(**quiet, **variables).boot()


def change(rig: MemoryRig, operative: bool, evse: int | None = None, connector: int | None = None) -> str:
    request: dict[str, Any] = {"operationalStatus": "Operative" if operative else "Inoperative"}
    if evse is not None:
        request["evse"] = {"id": evse} | ({"connectorId": connector} if connector is not None else {})
    return str(rig.call("ChangeAvailability", request)["status"])


def now(rig: MemoryRig) -> list[str]:
    return [rig.statuses(1)[-1], rig.statuses(2)[-1]]


# ------------------------------------------------------------------ G01


def test_a_cable_occupies() -> None:
    """G01.FR.03, G01.FR.04, E02.FR.05."""
    rig = station()
    rig.plug()
    rig.unplug()
    assert rig.statuses() == ["Available", "Occupied", "Available"]


def test_the_status_comes_before_the_transaction_s_event() -> None:
    rig = station()
    rig.plug()
    rig.let(1)
    order = [frame[2] for way, frame in rig.trace if way == ">" and frame[0] == 2]
    assert order[-2:] == ["StatusNotification", "TransactionEvent"]


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_is_told_and_taken_back(fault: Fault) -> None:
    rig = station()
    rig.fault(2, fault)
    rig.let(1)
    rig.fault(2, None)
    assert rig.statuses(2) == ["Available", "Faulted", "Available"]
    assert rig.statuses(1) == ["Available"]
    (noted,) = [one for one in rig.disk.journal if one.kind == "fault"]
    assert noted.data["faults"] == [fault.value]


def test_a_board_that_is_silent_for_long_is_a_fault() -> None:
    rig = station()
    rig.board.online = False
    rig.let(4.8)
    assert now(rig) == ["Available", "Available"]
    rig.skip(0.5)
    assert now(rig) == ["Faulted", "Faulted"]
    rig.board.online = True
    rig.let(0.2)
    assert now(rig) == ["Available", "Available"]


def test_a_board_that_is_silent_for_a_moment_is_none() -> None:
    rig = station()
    for _ in range(3):
        rig.board.online = False
        rig.let(4)
        rig.board.online = True
        rig.let(1)
    assert rig.statuses() == ["Available"]


def test_the_device_model_says_the_same() -> None:
    rig = station()
    rig.plug(2)
    rig.fault(1)
    asked = [
        {"component": {"name": "Connector", "evse": {"id": 2, "connectorId": 1}}, "variable": {"name": name}}
        for name in ("AvailabilityState",)
    ]
    asked += [{"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AvailabilityState"}}]
    asked += [{"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Problem"}}]
    result = rig.call("GetVariables", {"getVariableData": asked})["getVariableResult"]
    assert [one["attributeValue"] for one in result] == ["Occupied", "Faulted", "true"]


# ------------------------------------------------------------------ G02


def test_heartbeats_go_on_through_silence() -> None:
    rig = station()
    rig.answers["Heartbeat"] = None
    rig.skip(1000)
    assert len(rig.sent("Heartbeat")) == 3


def test_a_new_interval_takes_effect_at_once() -> None:
    """G02.FR.02."""
    rig = station()
    assert rig.set_variable("OCPPCommCtrlr.HeartbeatInterval", "10") == "Accepted"
    rig.skip(35)
    assert len(rig.sent("Heartbeat")) == 3


def test_no_heartbeat_offline_and_a_new_series_afterwards() -> None:
    rig = station()
    rig.disconnect()
    rig.skip(1000)
    rig.connect()
    assert rig.sent("Heartbeat") == []
    rig.skip(301)
    assert len(rig.sent("Heartbeat")) == 1


# ------------------------------------------------------------------ G03, G04


@pytest.mark.parametrize(
    ("evse", "connector", "expected"),
    [
        (None, None, ["Unavailable", "Unavailable"]),  # G04.FR.01, G04.FR.05, G04.FR.07
        (0, None, ["Unavailable", "Unavailable"]),
        (1, None, ["Unavailable", "Available"]),  # G03.FR.04, G03.FR.06
        (2, 1, ["Available", "Unavailable"]),
    ],
)
def test_three_levels(evse: int | None, connector: int | None, expected: list[str]) -> None:
    rig = station()
    assert change(rig, False, evse, connector) == "Accepted"
    assert now(rig) == expected
    assert change(rig, True, evse, connector) == "Accepted"
    assert now(rig) == ["Available", "Available"]


def test_each_level_keeps_its_own() -> None:
    """G03.FR.07, G04.FR.08."""
    rig = station()
    change(rig, False, 1, 1)
    change(rig, False)
    change(rig, False, 2)
    change(rig, True)
    assert now(rig) == ["Unavailable", "Unavailable"]
    change(rig, True, 2)
    assert now(rig) == ["Unavailable", "Available"]
    change(rig, True, 1)
    assert now(rig) == ["Unavailable", "Available"], "the connector itself is still out of order"
    change(rig, True, 1, 1)
    assert now(rig) == ["Available", "Available"]


@pytest.mark.parametrize("operative", [True, False])
def test_the_same_again(operative: bool) -> None:
    """G03.FR.03, G04.FR.04; also while a transaction runs."""
    rig = station()
    change(rig, operative, 2)
    rig.plug(1)
    assert change(rig, operative, 2) == "Accepted"
    assert change(rig, True, 1) == "Accepted"


def test_unknown_targets() -> None:
    rig = station()
    assert change(rig, False, 9) == "Rejected"
    assert change(rig, False, 1, 2) == "Rejected"
    assert now(rig) == ["Available", "Available"]


def test_it_outlasts_a_power_cut() -> None:
    """G02 of G01, B01.FR.07, G03.FR.08, G04.FR.09."""
    rig = station()
    change(rig, False, 1)
    rig.power_cut()
    rig.boot()
    assert now(rig) == ["Unavailable", "Available"]
    change(rig, True, 1)
    rig.power_cut()
    rig.boot()
    assert now(rig) == ["Available", "Available"]


def test_nobody_charges_at_what_is_unavailable() -> None:
    rig = station()
    change(rig, False, 1)
    rig.plug(1)
    rig.card(evse=1)
    rig.let(5)
    assert rig.events() == []
    assert rig.board.evses[1].power == 0
    assert rig.statuses(1)[-1] == "Unavailable"


@pytest.mark.parametrize("level", [(1, None), (1, 1), (None, None)])
def test_a_running_transaction_is_waited_for(level: tuple[int | None, int | None]) -> None:
    """G03.FR.05, G04.FR.06, G01.FR.05."""
    rig = station()
    rig.plug()
    rig.card()
    rig.let(3)
    assert change(rig, False, *level) == "Scheduled"
    rig.let(10)
    assert rig.board.evses[1].power > 0
    rig.card()
    rig.let(2)
    assert rig.statuses(1)[-1] == "Unavailable"
    rig.unplug()
    assert rig.statuses(1)[-1] == "Unavailable"
    rig.plug()
    rig.let(3)
    assert len(check(rig)) == 1


def test_what_is_scheduled_may_be_taken_back() -> None:
    rig = station()
    rig.plug()
    rig.card()
    rig.let(3)
    change(rig, False, 1)
    assert change(rig, True, 1) == "Accepted"
    rig.card()
    rig.let(2)
    rig.unplug()
    assert rig.statuses(1)[-1] == "Available"


def test_what_is_scheduled_outlasts_a_power_cut() -> None:
    rig = station()
    rig.plug()
    rig.card()
    rig.let(3)
    assert change(rig, False, 1) == "Scheduled"
    rig.power_cut()
    rig.boot()
    rig.let(3)
    assert rig.board.evses[1].power > 0
    rig.card()
    rig.let(2)
    assert rig.statuses(1)[-1] == "Unavailable"


def test_of_the_whole_station_each_evse_waits_for_its_own_transaction() -> None:
    """G04.FR.06; TC_G_14: what has no transaction is Unavailable at once."""
    rig = station()
    for evse, card in ((1, "04AA"), (2, "04BB")):
        rig.plug(evse)
        rig.card(card, evse=evse)
        rig.let(3)
    assert change(rig, False) == "Scheduled"
    rig.card("04AA")
    rig.let(2)
    assert now(rig) == ["Unavailable", "Occupied"]
    rig.card("04BB")
    rig.let(2)
    assert now(rig) == ["Unavailable", "Unavailable"]


def test_who_waits_for_energy_without_a_transaction_gets_none() -> None:
    rig = station(**{"TxCtrlr.TxStartPoint": "EnergyTransfer"})
    rig.plug()
    rig.ev(1, wants_energy=False)
    rig.card()
    rig.let(3)
    assert change(rig, False, 1) == "Accepted"
    rig.ev(1, wants_energy=True)
    rig.let(5)
    assert rig.board.evses[1].power == 0


def test_the_operator_changes_it_too() -> None:
    rig = station()
    assert rig.operator("availability", 1, evse_id=2, operative=False).status == "Accepted"  # type: ignore[union-attr]
    assert now(rig) == ["Available", "Unavailable"]
    assert rig.operator("availability", 2, evse_id=7, operative=False).status == "Rejected"  # type: ignore[union-attr]
    rig.operator("availability", 3, evse_id=None, operative=False)
    assert now(rig) == ["Unavailable", "Unavailable"]
