"""Maintenance: Unavailable to everybody else, never under a session, and over by itself; and the self-test."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.board import Fault, SelfTest
from station.domain.events import OperatorCommand
from tests.support.memory_rig import MemoryRig

QUIET = {"SampledDataCtrlr.TxUpdatedInterval": "0", "AlignedDataCtrlr.Interval": "0"}


def station() -> MemoryRig:
    return MemoryRig(**QUIET).boot()


class Asking:
    """Commands with ids of their own."""

    def __init__(self, rig: MemoryRig) -> None:
        self.rig, self.count = rig, 0

    def __call__(self, action: str, **arguments: Any) -> str:
        self.count += 1
        finished = self.rig.operator(action, self.count, **arguments)
        assert finished is not None
        return finished.status


def charging_by_hand() -> tuple[MemoryRig, Asking]:
    rig = station()
    ask = Asking(rig)
    assert ask("begin_maintenance", evse_id=1) == "Accepted"
    rig.plug()
    assert ask("manual_setpoint", evse_id=1, current=10, phases=1) == "Accepted"
    rig.let(3)
    return rig, ask


def test_the_csms_sees_it_unavailable_and_then_available() -> None:
    rig = station()
    ask = Asking(rig)
    ask("begin_maintenance", evse_id=1)
    ask("end_maintenance", evse_id=1)
    assert rig.statuses(1) == ["Available", "Unavailable", "Available"]
    assert rig.statuses(2) == ["Available"]


def test_energy_flows_by_hand_and_no_transaction_starts() -> None:
    rig, _ = charging_by_hand()
    evse = rig.board.evses[1]
    assert evse.closed
    assert evse.power == 2300
    rig.card(evse=1)
    rig.let(2)
    assert rig.events() == []
    answer = rig.call(
        "RequestStartTransaction", {"evseId": 1, "remoteStartId": 1, "idToken": {"idToken": "A", "type": "Central"}}
    )
    assert answer["status"] == "Rejected"


@pytest.mark.parametrize("end", ["time", "hand", "logout", "restart"])
def test_it_ends_and_takes_the_current_with_it(end: str) -> None:
    rig, ask = charging_by_hand()
    if end == "time":
        rig.skip(290)
        assert rig.board.evses[1].wanted.allow_power  # type: ignore[union-attr]
        rig.skip(11)
    elif end == "hand":
        ask("end_maintenance", evse_id=1)
    elif end == "logout":
        ask("end_maintenance")
    else:
        rig.power_cut()
        rig.boot()
    rig.let(1)
    assert not rig.board.evses[1].wanted.allow_power  # type: ignore[union-attr]
    assert rig.statuses(1)[-1] == "Occupied"
    if end != "restart":
        assert [one.data["why"] for one in rig.disk.journal if one.kind == "maintenance_ended"] == [
            {"time": "timeout", "hand": "by_hand", "logout": "logout"}[end]
        ]


@pytest.mark.parametrize("evse", [None, 1])
def test_a_reset_ends_it(evse: int | None) -> None:
    rig, _ = charging_by_hand()
    rig.station.model.factory_set("EVSE@1.AllowReset", "true")
    request: dict[str, Any] = {"type": "Immediate"} | ({"evseId": evse} if evse else {})
    assert rig.call("Reset", request)["status"] == "Accepted"
    rig.let(1)
    assert not rig.board.evses[1].wanted.allow_power  # type: ignore[union-attr]
    assert "maintenance" not in rig.station.maintenance.as_json(rig.now)["1"]


def test_what_the_person_does_gives_it_more_time() -> None:
    rig, ask = charging_by_hand()
    rig.skip(200)
    ask("manual_setpoint", evse_id=1, current=0, phases=1)
    assert not rig.board.evses[1].wanted.allow_power  # type: ignore[union-attr]
    rig.skip(200)
    assert rig.station.maintenance.as_json(rig.now)["1"]["maintenance"]["left"] == 100
    rig.skip(101)
    assert "maintenance" not in rig.station.maintenance.as_json(rig.now)["1"]


def test_a_fault_takes_the_offer_away() -> None:
    rig, _ = charging_by_hand()
    rig.fault(1, Fault.GROUND_FAILURE)
    assert not rig.board.evses[1].wanted.allow_power  # type: ignore[union-attr]


def test_never_where_somebody_charges_or_has_shown_a_card() -> None:
    rig = station()
    ask = Asking(rig)
    rig.card()
    assert ask("begin_maintenance", evse_id=1) == "Rejected"
    rig.plug()
    rig.let(3)
    assert ask("begin_maintenance", evse_id=1) == "Rejected"
    assert ask("self_test", evse_id=1) == "Rejected"
    assert ask("begin_maintenance", evse_id=2) == "Accepted"


def test_never_where_a_driver_has_a_reservation() -> None:
    rig = station()
    kept = {
        "id": 1,
        "expiryDateTime": "2026-03-01T13:00:00Z",
        "evseId": 1,
        "idToken": {"idToken": "A", "type": "Central"},
    }
    assert rig.call("ReserveNow", kept)["status"] == "Accepted"
    ask = Asking(rig)
    assert ask("begin_maintenance", evse_id=1) == "Rejected"
    assert ask("begin_maintenance", evse_id=2) == "Accepted"


def test_one_hand_at_an_evse() -> None:
    rig, _ = charging_by_hand()
    for number, (action, more) in enumerate(
        [("begin_maintenance", {}), ("manual_setpoint", {"current": 6, "phases": 1})], start=90
    ):
        rig.step(OperatorCommand(number, "another", action, {"evse_id": 1, **more}))
        assert rig.disk.finished[number].status == "Rejected"
    rig.step(OperatorCommand(99, "another", "end_maintenance"))
    assert rig.board.evses[1].wanted.allow_power  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "arguments",
    [
        {"evse_id": 9, "current": 10, "phases": 1},
        {"evse_id": "1", "current": 10, "phases": 1},
        {"evse_id": True, "current": 10, "phases": 1},
        {"evse_id": 2, "current": 10, "phases": 1},
        {"evse_id": 1, "current": 5, "phases": 1},
        {"evse_id": 1, "current": 33, "phases": 1},
        {"evse_id": 1, "current": -1, "phases": 1},
        {"evse_id": 1, "current": float("nan"), "phases": 1},
        {"evse_id": 1, "current": "10", "phases": 1},
        {"evse_id": 1, "current": True, "phases": 1},
        {"evse_id": 1, "current": 10, "phases": 3},
        {"evse_id": 1, "current": 10, "phases": 2},
        {"evse_id": 1, "current": 10},
        {},
    ],
)
def test_bad_setpoints(arguments: dict[str, Any]) -> None:
    rig = station()
    ask = Asking(rig)
    ask("begin_maintenance", evse_id=1)
    assert ask("manual_setpoint", **arguments) == "Rejected"


def test_what_the_csms_had_set_stays() -> None:
    rig = station()
    ask = Asking(rig)
    ask("begin_maintenance", evse_id=1)
    rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    ask("end_maintenance", evse_id=1)
    rig.let(1)
    assert rig.statuses(1) == ["Available", "Unavailable"]


# ------------------------------------------------------------------ the self-test


@pytest.mark.parametrize("outcome", [SelfTest.PASSED, SelfTest.FAILED, SelfTest.REFUSED])
def test_a_self_test_is_run_once_and_its_outcome_lasts(outcome: SelfTest) -> None:
    rig = station()
    ask = Asking(rig)
    rig.board.evses[2].test_outcome = outcome
    assert ask("self_test", evse_id=2) == "Accepted"
    rig.let(2)
    assert rig.board.evses[2].tests == 1
    kept = rig.disk.remembered["self_tests"]["2"]
    assert (kept["outcome"], kept["who"]) == (str(outcome), "owner")
    assert rig.station.maintenance.self_tests == ()
    assert ask("self_test", evse_id=2) == "Accepted"
    rig.let(2)
    assert rig.board.evses[2].tests == 2


def test_after_a_restart_an_old_outcome_is_not_the_new_one() -> None:
    rig = station()
    ask = Asking(rig)
    ask("self_test", evse_id=1)
    rig.let(1)
    rig.boot()  # the hardware worker lives on and knows the last number
    ask("self_test", evse_id=1)
    rig.let(1)
    assert rig.board.evses[1].tests == 2


def test_a_board_that_never_answers_is_told_as_such() -> None:
    rig = station()
    ask = Asking(rig)
    rig.board.evses[1].test_outcome = SelfTest.RUNNING
    ask("self_test", evse_id=1)
    rig.let(1)
    assert ask("self_test", evse_id=1) == "Rejected", "one runs already"
    rig.let(20)
    assert rig.disk.remembered["self_tests"]["1"]["outcome"] == "NoAnswer"
