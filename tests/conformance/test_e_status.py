"""Part 6, section 2.6, E Transactions: GetTransactionStatus, with and without messages in the queue."""

import pytest

from tests.conformance.rig import Payload, Rig, Silence
from tests.conformance.states import DURATION, Session, configured

QUICK = {
    "SampledDataCtrlr.TxUpdatedInterval": "1",
    "OCPPCommCtrlr.MessageTimeout[Default]": "3",
    "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": "1",
}


def _status(rig: Rig, transaction_id: str | None = None) -> Payload:
    return rig.call("GetTransactionStatus", {"transactionId": transaction_id} if transaction_id else {})


def _events_in_queue(rig: Rig, session: Session) -> None:
    """Offline for a while in a transaction, then connected again with nothing delivered yet."""
    session.energy_transfer_started()
    rig.let(0.5)
    rig.forget()
    rig.go_away()
    rig.let(DURATION)
    rig.answer("TransactionEvent", Silence())
    rig.come_back()


def _emptied(rig: Rig) -> None:
    rig.answer_by_default("TransactionEvent")
    event = rig.expect("TransactionEvent")
    assert event["eventType"] == "Updated", event
    assert event["meterValue"], event
    assert event["offline"] is True, event


@pytest.mark.tc("TC_E_28")
def test_unknown_transaction_id(rig: Rig) -> None:
    rig.start()
    assert _status(rig, "7c0e1d1c-0000-4000-8000-00000000e028") == {"ongoingIndicator": False, "messagesInQueue": False}


@pytest.mark.tc("TC_E_29")
def test_ongoing_with_message_in_queue(rig: Rig) -> None:
    session = configured(rig, **QUICK)
    _events_in_queue(rig, session)
    assert _status(rig, session.transaction_id) == {"ongoingIndicator": True, "messagesInQueue": True}
    _emptied(rig)


@pytest.mark.tc("TC_E_30")
def test_ongoing_without_message_in_queue(rig: Rig) -> None:
    session = configured(rig)
    session.energy_transfer_started()
    rig.let(0.5)
    assert _status(rig, session.transaction_id) == {"ongoingIndicator": True, "messagesInQueue": False}


@pytest.mark.tc("TC_E_31")
@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.parametrize("stop", ["EVConnected,Authorized", "ParkingBayOccupancy"])
def test_ended_with_message_in_queue(rig: Rig, remote: bool, stop: str) -> None:
    quick = {**QUICK, "SampledDataCtrlr.TxUpdatedInterval": "0"}
    session = configured(rig, remote=remote, stop=stop, **quick)
    session.parking_bay_occupied()
    session.energy_transfer_started()
    rig.go_away()
    rig.let(1.0)
    if remote:
        rig.ev(requests_energy=False)
    else:
        rig.card()
    rig.let(4.0)
    rig.unplug()
    rig.let(1.0)
    rig.bay(occupied=False)
    rig.let(1.0)
    rig.answer("TransactionEvent", Silence())
    rig.come_back()
    assert _status(rig, session.transaction_id) == {"ongoingIndicator": False, "messagesInQueue": True}
    rig.answer_by_default("TransactionEvent")
    while not session.ended:
        event = session.event("StopAuthorized", "ChargingStateChanged", "EVCommunicationLost", "EVDeparted", within=40)
        assert event["offline"] is True, event
    triggers = [event["triggerReason"] for event in session.events]
    assert ("ChargingStateChanged" if remote else "StopAuthorized") in triggers, triggers
    assert stop != "ParkingBayOccupancy" or triggers[-1] == "EVDeparted", triggers


@pytest.mark.tc("TC_E_32")
def test_ended_without_message_in_queue(rig: Rig) -> None:
    session = configured(rig)
    session.energy_transfer_started()
    session.parking_bay_unoccupied()
    rig.let(0.5)
    assert _status(rig, session.transaction_id) == {"ongoingIndicator": False, "messagesInQueue": False}


@pytest.mark.tc("TC_E_33")
def test_without_id_with_message_in_queue(rig: Rig) -> None:
    session = configured(rig, **QUICK)
    _events_in_queue(rig, session)
    assert _status(rig) == {"messagesInQueue": True}
    _emptied(rig)


@pytest.mark.tc("TC_E_34")
def test_without_id_without_message_in_queue(rig: Rig) -> None:
    rig.start()
    assert _status(rig) == {"messagesInQueue": False}
