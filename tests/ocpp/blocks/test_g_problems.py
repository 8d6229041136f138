"""What is broken reaches the CSMS as NotifyEvent, once, in order, and is taken back (G05, N07)."""

from __future__ import annotations

from typing import Any

from station.domain.board import Fault
from tests.support.memory_rig import MemoryRig


def station(*, sockets: bool = False, **variables: str) -> MemoryRig:
    if sockets:
        variables = {**{f"Connector@{evse}.1.ConnectorType": "sType2" for evse in (1, 2)}, **variables}
    rig = MemoryRig(**variables)
    for evse in rig.board.evses.values():
        evse.socket = sockets
    rig.boot()
    rig.let(1)
    return rig


def told(rig: MemoryRig) -> list[tuple[str, str, str, bool]]:
    """Component, code, value and whether it is cleared, of every event so far."""
    events: list[dict[str, Any]] = [event for one in rig.sent("NotifyEvent") for event in one["eventData"]]
    assert [event["eventId"] for event in events] == list(range(1, len(events) + 1))
    assert {event["variable"]["name"] for event in events} <= {"Problem"}
    return [
        (event["component"]["name"], event["techCode"], event["actualValue"], event.get("cleared", False))
        for event in events
    ]


def test_a_fault_is_told_and_taken_back() -> None:
    rig = station()
    rig.fault(2, Fault.OVER_TEMPERATURE)
    rig.let(1)
    rig.fault(2, None)
    rig.let(1)
    assert told(rig) == [("EVSE", "OverTemperature", "true", False), ("EVSE", "OverTemperature", "false", True)]
    assert rig.sent("NotifyEvent")[0]["eventData"][0]["component"]["evse"] == {"id": 2}


def test_a_fault_in_a_transaction_names_it() -> None:
    rig = station()
    rig.plug()
    rig.card()
    rig.let(3)
    rig.fault(1, Fault.OVER_TEMPERATURE)
    rig.let(1)
    event = rig.sent("NotifyEvent")[0]["eventData"][0]
    assert event["transactionId"] == rig.events()[0]["transactionInfo"]["transactionId"]


def test_a_fault_while_offline_is_told_later() -> None:
    rig = station()
    rig.disconnect()
    rig.fault()
    rig.let(1)
    assert not told(rig)
    rig.connect()
    rig.let(1)
    assert told(rig) == [("EVSE", "GroundFailure", "true", False)]


def test_a_fault_that_outlasts_a_power_cut_is_told_once() -> None:
    rig = station()
    rig.fault()
    rig.let(1)
    rig.power_cut()
    rig.boot()
    rig.let(1)
    rig.fault(1, None)
    rig.let(1)
    assert [value for _, _, value, _ in told(rig)] == ["true", "false"]


def test_no_energy_before_the_lock_holds_the_cable() -> None:
    """G05.FR.01, G05.FR.02."""
    rig = station(sockets=True)
    rig.board.evses[1].lock_broken = True
    rig.plug()
    rig.card()
    rig.let(10)
    assert rig.board.evses[1].power == 0
    assert told(rig) == [("ConnectorPlugRetentionLock", "ConnectorLockFailure", "true", False)]
    rig.board.evses[1].lock_broken = False
    rig.let(5)
    assert rig.board.evses[1].power > 0
    assert told(rig)[-1] == ("ConnectorPlugRetentionLock", "ConnectorLockFailure", "false", True)


def test_a_lock_that_does_not_open() -> None:
    """F05.FR.05."""
    rig = station(sockets=True)
    rig.board.evses[1].lock_stuck = True
    rig.call("UnlockConnector", {"evseId": 1, "connectorId": 1})
    rig.let(6)
    assert rig.answer_to(rig.last_call_id) == {"status": "UnlockFailed"}


def test_only_sockets_may_unlock_when_the_ev_leaves() -> None:
    """Part 2, 2.1.12: ReadOnly where all cables are fixed."""
    assert station().set_variable("OCPPCommCtrlr.UnlockOnEVSideDisconnect", "true") == "Rejected"
    assert station(sockets=True).set_variable("OCPPCommCtrlr.UnlockOnEVSideDisconnect", "true") == "Accepted"


def test_the_csms_may_unlock_what_is_kept_for_a_driver() -> None:
    """E09.FR.03; the driver lost the card."""
    rig = station(sockets=True)
    rig.plug()
    rig.card()
    rig.let(4)
    rig.unplug()
    rig.let(1)
    assert rig.board.evses[1].locked
    rig.card("04FFEEDDCCBBAA", evse=1)
    rig.let(1)
    assert rig.board.evses[1].locked, "another driver's card opens nothing"
    rig.call("UnlockConnector", {"evseId": 1, "connectorId": 1})
    rig.let(1)
    assert rig.answer_to(rig.last_call_id) == {"status": "Unlocked"}
    assert not rig.board.evses[1].locked
    rig.let(5)
    assert not rig.board.evses[1].locked


def test_a_status_that_does_not_last_is_not_told() -> None:
    """MinimumStatusDuration."""
    rig = station(**{"ChargingStation.MinimumStatusDuration": "5"})
    assert rig.statuses() == ["Available"], "the first one at once"
    rig.plug()
    rig.let(3)
    rig.unplug()
    rig.let(10)
    assert rig.statuses() == ["Available"]
    rig.plug()
    rig.let(4.8)
    assert rig.statuses() == ["Available"]
    rig.let(0.4)
    assert rig.statuses() == ["Available", "Occupied"]
