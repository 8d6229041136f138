"""RequestStart, RequestStop, UnlockConnector and TriggerMessage (F01 to F03, F05, F06)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ocpp.blocks.stations import station
from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig

TOKEN = {"idToken": "04AA", "type": "ISO14443"}
START, STOP = "TxCtrlr.TxStartPoint", "TxCtrlr.TxStopPoint"


def start(rig: MemoryRig, evse: int | None = 1, number: int = 7) -> dict[str, Any]:
    request: dict[str, Any] = {"remoteStartId": number, "idToken": TOKEN}
    return rig.call("RequestStartTransaction", request | ({"evseId": evse} if evse else {}))


def reason(answer: dict[str, Any]) -> str:
    assert answer["status"] == "Rejected"
    return str(answer["statusInfo"]["reasonCode"])


# ------------------------------------------------------------------ F01, F02


def test_remote_start_with_the_cable_in() -> None:
    """F01.FR.02, F01.FR.13, F01.FR.19, F01.FR.25."""
    rig = station()
    rig.plug()
    running = rig.events()[0]["transactionInfo"]["transactionId"]
    assert start(rig) == {"status": "Accepted", "transactionId": running}
    rig.let(3)
    assert rig.told() == [
        "Started CablePluggedIn EVConnected",
        "Updated RemoteStart EVConnected",
        "Updated ChargingStateChanged Charging",
    ]
    assert [event["transactionInfo"].get("remoteStartId") for event in rig.events()] == [None, 7, None]
    assert rig.events()[1]["idToken"] == TOKEN
    assert rig.sent("Authorize") == []
    check(rig)


@pytest.mark.parametrize(
    ("point", "first"),
    [
        ("Authorized", "Started RemoteStart Idle"),
        ("EVConnected", "Started RemoteStart EVConnected"),  # F02.FR.21
        ("PowerPathClosed", "Started RemoteStart EVConnected"),
        ("EnergyTransfer", "Started RemoteStart Charging"),
    ],
)
def test_remote_start_before_the_cable(point: str, first: str) -> None:
    """F02.FR.01, F02.FR.21."""
    rig = station(**{START: point})
    assert start(rig) == {"status": "Accepted"}
    rig.let(3)
    rig.plug()
    rig.let(3)
    assert rig.told()[0] == first
    assert rig.events()[0]["transactionInfo"]["remoteStartId"] == 7
    assert all("RemoteStart" not in one for one in rig.told()[1:])
    check(rig)


def test_remote_start_and_nobody_comes() -> None:
    """F02.FR.07."""
    rig = station(**{START: "Authorized", "TxCtrlr.EVConnectionTimeOut": "20"})
    start(rig)
    rig.let(21)
    assert rig.told() == ["Started RemoteStart Idle", "Ended EVConnectTimeout Idle Timeout"]


@pytest.mark.parametrize(("status", "starts"), [("Accepted", True), ("Blocked", False)])
def test_remote_start_may_be_checked_first(status: str, starts: bool) -> None:
    """F01.FR.01, F02.FR.09: first the answer, then the question."""
    rig = station(**{"AuthCtrlr.AuthorizeRemoteStart": "true"})
    rig.answers["Authorize"] = {"idTokenInfo": {"status": status}}
    rig.plug()
    assert start(rig)["status"] == "Accepted"
    out = [frame for way, frame in rig.trace if way == ">"]
    answer = next(number for number, frame in enumerate(out) if frame[0] == 3)
    assert out[answer + 1][2] == "Authorize"
    rig.let(3)
    assert len(rig.sent("Authorize")) == 1
    assert (rig.board.evses[1].power > 0) is starts
    assert any(one.split()[1] == "RemoteStart" for one in rig.told()) is starts


def test_what_changed_while_the_token_was_checked() -> None:
    rig = station(**{"AuthCtrlr.AuthorizeRemoteStart": "true", START: "PowerPathClosed"})
    rig.answers["Authorize"] = None
    rig.plug()
    start(rig)
    rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    rig.answers.clear()
    rig.release()
    rig.let(3)
    assert rig.board.evses[1].power == 0


def test_the_station_chooses_where_a_cable_waits() -> None:
    """F01.FR.20, F02.FR.22."""
    rig = station()
    rig.plug(2)
    assert start(rig, None)["status"] == "Accepted"
    rig.let(3)
    assert rig.board.evses[2].power > 0


def test_remote_start_refused() -> None:
    """F01.FR.23, F01.FR.24, F02.FR.25, F02.FR.26."""
    rig = station()
    assert reason(start(rig, 9)) == "UnknownEvse"
    rig.fault(1)
    assert reason(start(rig, 1)) == "NotAvailable"
    rig.fault(1, None)
    rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    assert reason(start(rig, 1)) == "NotAvailable"
    rig.plug(2)
    start(rig, 2)
    assert reason(start(rig, 2, 8)) == "NotAvailable"
    assert reason(start(rig, None, 9)) == "NoEvse"
    rig.board.online = False
    rig.poll()
    assert reason(start(rig, None, 10)) == "NoEvse"


def test_remote_start_for_another_token_of_a_running_transaction() -> None:
    """C01.FR.23."""
    rig = station(**{STOP: "EVConnected"})
    rig.plug()
    rig.card("04BB")
    rig.let(3)
    rig.card("04BB")
    rig.let(2)
    assert reason(start(rig)) == "TxInProgress"


def test_remote_start_again_for_the_token_that_was_stopped() -> None:
    """F01.FR.19: RemoteStart is the next event's reason, not every later one's."""
    rig = station(**{STOP: "EVConnected"})
    rig.plug()
    start(rig)
    rig.let(3)
    rig.call("RequestStopTransaction", {"transactionId": rig.events()[0]["transactionInfo"]["transactionId"]})
    rig.let(2)
    assert start(rig, 1, 8)["status"] == "Accepted"
    rig.let(3)
    assert [one.split()[1] for one in rig.told()[-2:]] == ["RemoteStart", "ChargingStateChanged"]
    check(rig)


# ------------------------------------------------------------------ F03


def test_remote_stop() -> None:
    """F03.FR.03, F03.FR.07."""
    rig = station()
    rig.plug()
    rig.card()
    rig.let(3)
    running = rig.events()[0]["transactionInfo"]["transactionId"]
    assert rig.call("RequestStopTransaction", {"transactionId": running}) == {"status": "Accepted"}
    rig.let(2)
    assert rig.told()[-1] == "Ended RemoteStop EVConnected Remote"
    assert "idToken" not in rig.events()[-1]
    assert reason(rig.call("RequestStopTransaction", {"transactionId": running})) == "TxNotFound"  # F03.FR.08
    check(rig)


def test_remote_stop_where_the_cable_is_the_stop_point() -> None:
    """F03.FR.02."""
    rig = station(**{STOP: "EVConnected"})
    rig.plug()
    rig.card()
    rig.let(3)
    rig.call("RequestStopTransaction", {"transactionId": rig.events()[0]["transactionInfo"]["transactionId"]})
    rig.let(2)
    assert [one.split()[:2] for one in rig.told()[-2:]] == [
        ["Updated", "RemoteStop"],
        ["Updated", "ChargingStateChanged"],
    ]
    assert rig.board.evses[1].power == 0
    rig.unplug()
    assert rig.told()[-1] == "Ended EVCommunicationLost Idle Remote"
    check(rig)


def test_remote_stop_of_a_transaction_that_waits_for_its_cable() -> None:
    rig = station(**{START: "Authorized", STOP: "EVConnected"})
    rig.card()
    running = rig.events()[0]["transactionInfo"]["transactionId"]
    assert rig.call("RequestStopTransaction", {"transactionId": running})["status"] == "Accepted"
    assert rig.told()[-1] == "Ended RemoteStop Idle Remote"
    rig.card("04BB")
    rig.plug(2)
    rig.let(3)
    assert rig.board.evses[2].power > 0
    check(rig)


# ------------------------------------------------------------------ F05


def unlock(rig: MemoryRig, evse: int = 1, connector: int = 1) -> dict[str, Any]:
    return rig.call("UnlockConnector", {"evseId": evse, "connectorId": connector})


def test_unlock_answers_with_what_the_lock_did() -> None:
    """F05.FR.01, F05.FR.04, F05.FR.06."""
    rig = station()
    assert unlock(rig) == {}
    rig.poll()
    assert rig.answer_to("csms-1") == {"status": "Unlocked"}


def test_a_lock_that_is_stuck() -> None:
    """F05.FR.05."""
    rig = station()
    rig.board.evses[1].lock_stuck = True
    rig.poll()
    unlock(rig)
    rig.let(4)
    assert rig.answer_to("csms-1") == {}
    rig.let(2)
    assert rig.answer_to("csms-1") == {"status": "UnlockFailed"}


def test_a_board_that_does_not_answer_unlocks_nothing() -> None:
    """F05.FR.05."""
    rig = station()
    rig.board.online = False
    rig.poll()
    unlock(rig)
    rig.let(6)
    assert rig.answer_to("csms-1") == {"status": "UnlockFailed"}


@pytest.mark.parametrize(("evse", "connector"), [(9, 1), (1, 2)])
def test_unlock_of_an_unknown_connector(evse: int, connector: int) -> None:
    """F05.FR.03."""
    assert unlock(station(), evse, connector) == {"status": "UnknownConnector"}


def test_unlock_in_an_authorized_transaction() -> None:
    """F05.FR.02."""
    rig = station()
    rig.plug()
    rig.card()
    rig.let(3)
    assert unlock(rig) == {"status": "OngoingAuthorizedTransaction"}
    assert rig.operator("unlock", 1, evse_id=1).status == "Rejected"  # type: ignore[union-attr]
    assert rig.board.evses[1].power > 0


def test_an_unlock_whose_asker_is_gone_needs_no_answer() -> None:
    rig = station()
    rig.board.evses[1].lock_stuck = True
    rig.poll()
    unlock(rig)
    rig.disconnect()
    rig.connect()
    rig.let(6)
    assert rig.answer_to("csms-1") == {}


def test_the_operator_unlocks() -> None:
    rig = station()
    assert rig.operator("unlock", 1, evse_id=1) is None
    rig.poll()
    assert rig.disk.finished[1].status == "Accepted"
    assert rig.operator("unlock", 2, evse_id=5).status == "Rejected"  # type: ignore[union-attr]


# ------------------------------------------------------------------ F06


def trigger(rig: MemoryRig, message: str, evse: int | None = None, connector: int | None = None) -> str:
    target = {"id": evse} | ({"connectorId": connector} if connector else {})
    request: dict[str, Any] = {"requestedMessage": message} | ({"evse": target} if evse is not None else {})
    return str(rig.call("TriggerMessage", request)["status"])


def test_the_answer_comes_first() -> None:
    """F06.FR.04."""
    rig = station()
    before = len(rig.trace)
    assert trigger(rig, "Heartbeat") == "Accepted"
    kinds = [(frame[0], frame[2]) for way, frame in rig.trace[before:] if way == ">"]
    assert kinds == [(3, {"status": "Accepted"}), (2, "Heartbeat")]


def test_a_status_is_triggered_for_a_connector_only() -> None:
    """F06.FR.12, F06.FR.13."""
    rig = station()
    assert trigger(rig, "StatusNotification", 2, 1) == "Accepted"
    assert rig.statuses(2) == ["Available", "Available"]
    assert rig.statuses(1) == ["Available"]
    assert trigger(rig, "StatusNotification") == "Rejected"
    assert trigger(rig, "StatusNotification", 1) == "Rejected"
    assert trigger(rig, "StatusNotification", 9, 1) == "Rejected"


def test_meter_values_are_triggered_for_one_or_all() -> None:
    """F06.FR.06, F06.FR.11."""
    rig = station()
    assert trigger(rig, "MeterValues", 2) == "Accepted"
    assert [one["evseId"] for one in rig.sent("MeterValues")] == [2]
    assert trigger(rig, "MeterValues") == "Accepted"
    assert [one["evseId"] for one in rig.sent("MeterValues")] == [2, 1, 2]
    (value,) = rig.sent("MeterValues")[0]["meterValue"][0]["sampledValue"]
    assert (value["context"], value["measurand"]) == ("Trigger", "Energy.Active.Import.Register")


def test_transaction_events_are_triggered_where_transactions_run() -> None:
    """F06.FR.07."""
    rig = station()
    assert trigger(rig, "TransactionEvent") == "Rejected"
    rig.plug()
    assert trigger(rig, "TransactionEvent", 2) == "Rejected"
    assert trigger(rig, "TransactionEvent", 1) == "Accepted"
    assert trigger(rig, "TransactionEvent") == "Accepted"
    assert rig.told()[1:] == ["Updated Trigger EVConnected"] * 2
    assert {one["context"] for one in rig.events()[1]["meterValue"][0]["sampledValue"]} == {"Trigger"}
    check(rig)


def test_a_heartbeat_needs_no_evse() -> None:
    """F06.FR.03."""
    rig = station()
    assert trigger(rig, "Heartbeat", 9) == "Accepted"
    assert len(rig.sent("Heartbeat")) == 1


@pytest.mark.parametrize(
    ("message", "status"), [("BootNotification", "Rejected"), ("SignV2GCertificate", "NotImplemented")]
)
def test_what_cannot_be_triggered(message: str, status: str) -> None:
    """F06.FR.08, F06.FR.17."""
    rig = station()
    assert trigger(rig, message) == status
    assert len(rig.sent("BootNotification")) == 1
