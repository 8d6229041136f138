"""Part 6, section 2.6, E Transactions: stop points, and what deauthorizes."""

import pytest

from tests.conformance.kinds import kinds
from tests.conformance.rig import Payload, Rig
from tests.conformance.states import DURATION, configured


@pytest.mark.tc("TC_E_06")
@pytest.mark.parametrize("stop", ["EVConnected,Authorized", "EVConnected", "ParkingBayOccupancy"])
def test_local_stop_accepted(rig: Rig, stop: str) -> None:
    session = configured(rig, stop=stop)
    session.parking_bay_occupied()
    session.energy_transfer_started()
    session.stop_authorized()
    session.ev_connected_post_session()
    session.ev_disconnected()
    session.parking_bay_unoccupied()
    assert session.ended


@pytest.mark.tc("TC_E_06")
@kinds("ISO15693", "KeyCode", "Local", "NoAuthorization")
def test_local_stop_accepted_with_what_it_was_started(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind)
    session.energy_transfer_started()
    session.stop_authorized()
    session.ev_connected_post_session()
    session.ev_disconnected()


@pytest.mark.tc("TC_E_07")
@kinds("ISO14443", "ISO15693", "KeyCode", "NoAuthorization")
def test_power_path_closed_local_stop(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind, stop="PowerPathClosed")
    session.energy_transfer_started()
    session.stop_authorized()
    assert session.ended


@pytest.mark.tc("TC_E_08")
def test_energy_transfer_stop_authorized(rig: Rig) -> None:
    session = configured(rig, stop="EnergyTransfer")
    session.energy_transfer_started()
    session.stop_authorized()
    assert session.ended


@pytest.mark.tc("TC_E_14")
@pytest.mark.parametrize("remote", [False, True])
def test_ev_disconnected_at_the_station(rig: Rig, remote: bool) -> None:
    rig.socket = True
    session = configured(rig, stop="EVConnected", remote=remote)
    session.energy_transfer_started()
    session.ev_connected_post_session()
    rig.unplug(side="station")
    session.connector_status("Available")
    event = session.event("EVCommunicationLost")
    assert event["eventType"] == "Ended", event
    assert event["transactionInfo"]["chargingState"] == "Idle", event
    reason = event["transactionInfo"].get("stoppedReason", "Local")
    assert reason in (("Remote", "EVDisconnected") if remote else ("Local", "EVDisconnected")), event


@pytest.mark.tc("TC_E_15")
@kinds("ISO14443", "ISO15693", "KeyCode", "NoAuthorization")
def test_authorized_local_stop(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind, stop="Authorized")
    session.energy_transfer_started()
    event = session.stop_authorized()
    assert event["triggerReason"] == "StopAuthorized", event
    assert session.events[-1]["eventType"] == "Ended", session.events
    assert session.events[-1]["transactionInfo"]["stoppedReason"] == "Local", session.events


@pytest.mark.tc("TC_E_16")
@pytest.mark.parametrize("stop", ["Authorized", "PowerPathClosed"])
def test_deauthorized_by_an_invalid_id_token(rig: Rig, stop: str) -> None:
    session = configured(
        rig, stop=stop, **{"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true", "TxCtrlr.StopTxOnInvalidId": "true"}
    )

    def refuse(event: Payload) -> Payload | None:
        return {"idTokenInfo": {"status": "Invalid"}} if "idToken" in event else None

    rig.answer("TransactionEvent", refuse)
    rig.go_away()
    rig.bay()
    rig.card()
    rig.plug()
    rig.let(DURATION)
    rig.come_back()
    while not session.ended:
        event = session.event("Authorized", "CablePluggedIn", "ChargingStateChanged", "Deauthorized")
        assert event.get("offline") or event["triggerReason"] == "Deauthorized", event
    assert session.events[0]["offline"] is True
    assert event["triggerReason"] == "Deauthorized", event
    assert event["transactionInfo"]["stoppedReason"] == "DeAuthorized", event


@pytest.mark.tc("TC_E_19")
@pytest.mark.parametrize("remote", [False, True])
def test_parking_bay_unoccupied(rig: Rig, remote: bool) -> None:
    session = configured(rig, stop="ParkingBayOccupancy", remote=remote)
    session.parking_bay_occupied()
    session.energy_transfer_started()
    session.ev_connected_post_session()
    session.ev_disconnected()
    session.parking_bay_unoccupied()
    assert session.ended


@pytest.mark.tc("TC_E_21")
def test_authorized_remote_stop(rig: Rig) -> None:
    session = configured(rig, stop="Authorized")
    session.energy_transfer_started()
    session.remote = True
    event = session.stop_authorized()
    assert event["triggerReason"] == "RemoteStop", event
    assert session.events[-1]["transactionInfo"]["stoppedReason"] == "Remote", session.events


@pytest.mark.tc("TC_E_22")
def test_energy_transfer_suspended_by_the_ev(rig: Rig) -> None:
    session = configured(rig, stop="EnergyTransfer")
    session.energy_transfer_started()
    rig.ev(requests_energy=False)
    event = session.event("ChargingStateChanged")
    state = event["transactionInfo"]["chargingState"]
    assert state in ("EVConnected", "SuspendedEV"), event
    if state == "EVConnected":
        assert event["eventType"] == "Ended", event
    if event["eventType"] == "Ended":
        assert event["transactionInfo"]["stoppedReason"] == "StoppedByEV", event


@pytest.mark.tc("TC_E_35")
def test_power_path_closed_remote_stop(rig: Rig) -> None:
    session = configured(rig, stop="PowerPathClosed")
    session.energy_transfer_started()
    session.remote = True
    event = session.stop_authorized()
    assert event["triggerReason"] == "RemoteStop", event
    assert session.events[-1]["eventType"] == "Ended", session.events
    assert session.events[-1]["transactionInfo"]["stoppedReason"] == "Remote", session.events


@pytest.mark.tc("TC_E_39")
@pytest.mark.parametrize("start", ["Authorized", "ParkingBayOccupancy"])
def test_deauthorized_by_timeout(rig: Rig, start: str) -> None:
    """For a start at the parking bay the list contradicts itself: see CONTRADICTIONS in ``document``."""
    session = configured(rig, start=start, stop="Authorized", **{"TxCtrlr.EVConnectionTimeOut": "3"})
    session.parking_bay_occupied()
    session.authorize()
    event = session.event("EVConnectTimeout")
    assert event["transactionInfo"]["stoppedReason"] == "Timeout", event
    assert event["eventType"] == "Ended", event  # E03.FR.05; TC_E_05
    rig.plug()
    session.connector_status("Occupied")
    rig.expect_none("TransactionEvent", lambda event: event["transactionInfo"]["chargingState"] == "Charging")
