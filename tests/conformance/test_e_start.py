"""Part 6, section 2.6, E Transactions: start points, and who comes first, the card or the cable."""

import pytest

from tests.conformance.kinds import kinds
from tests.conformance.rig import Rig
from tests.conformance.states import Session, configured


@pytest.mark.tc("TC_E_01")
def test_power_path_closed(rig: Rig) -> None:
    session = configured(rig, start="PowerPathClosed")
    session.authorize()
    session.ev_connected_pre_session()
    assert session.started
    session.energy_transfer_started()


@pytest.mark.tc("TC_E_02")
@pytest.mark.parametrize("remote", [False, True])
def test_energy_transfer(rig: Rig, remote: bool) -> None:
    session = configured(rig, start="EnergyTransfer", remote=remote)
    session.authorize()
    session.ev_connected_pre_session()
    event = session.event("RemoteStart") if remote else session.event("ChargingStateChanged", "Authorized")
    assert event["eventType"] == "Started", event
    assert event["idToken"] == session.id_token, event
    assert event["evse"] == {"id": 1, "connectorId": 1}, event
    assert event["transactionInfo"]["chargingState"] == "Charging", event


@pytest.mark.tc("TC_E_03")
@kinds("ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization")
def test_local_start_cable_plugin_first(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind)
    session.ev_connected_pre_session()
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_E_04")
@kinds("ISO14443", "ISO15693", "KeyCode", "Local", "NoAuthorization")
def test_local_start_authorization_first(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind)
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_E_05")
@kinds("ISO14443", "KeyCode", "NoAuthorization")
def test_cable_plugin_timeout(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind, **{"TxCtrlr.EVConnectionTimeOut": "3"})
    session.authorize()
    event = session.event("EVConnectTimeout")
    assert event["eventType"] == "Ended", event
    assert event["transactionInfo"]["stoppedReason"] == "Timeout", event
    rig.configure("TxCtrlr.EVConnectionTimeOut", "60")
    second = Session(rig, token=session.token, token_type=kind)
    second.authorize()
    second.energy_transfer_started()


@pytest.mark.tc("TC_E_05")
def test_cable_plugin_timeout_with_the_bay_as_stop_point(rig: Rig) -> None:
    session = configured(
        rig,
        start="ParkingBayOccupancy",
        stop="ParkingBayOccupancy",
        **{"TxCtrlr.EVConnectionTimeOut": "3"},
    )
    session.parking_bay_occupied()
    session.authorize()
    assert session.event("EVConnectTimeout")["eventType"] == "Updated"
    rig.configure("TxCtrlr.EVConnectionTimeOut", "60")
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_E_09")
def test_ev_connected(rig: Rig) -> None:
    session = configured(rig, start="EVConnected")
    session.parking_bay_occupied()
    session.ev_connected_pre_session()
    event = session.events[-1]
    assert event["triggerReason"] in ("CablePluggedIn", "ChargingStateChanged"), event
    assert event["transactionInfo"]["chargingState"] == "EVConnected", event
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_E_10")
@kinds("ISO14443", "ISO15693", "KeyCode", "Local", "NoAuthorization")
def test_authorized_locally(rig: Rig, kind: str) -> None:
    session = configured(rig, kind=kind, start="Authorized")
    session.authorize()
    assert session.events[-1]["eventType"] == "Started", session.events
    session.ev_connected_pre_session()
    session.energy_transfer_started()


@pytest.mark.tc("TC_E_12")
def test_parking_bay_occupied(rig: Rig) -> None:
    session = configured(rig, start="ParkingBayOccupancy")
    session.parking_bay_occupied()
    assert session.started
    session.authorize()
    session.ev_connected_pre_session()
    session.energy_transfer_started()


@pytest.mark.tc("TC_E_13")
def test_authorized_remotely(rig: Rig) -> None:
    session = configured(rig, start="Authorized", remote=True)
    session.authorize()
    assert session.events[-1]["eventType"] == "Started", session.events
    session.ev_connected_pre_session()
    session.energy_transfer_started()


@pytest.mark.tc("TC_E_38")
def test_ev_not_ready(rig: Rig) -> None:
    session = configured(rig)
    session.authorize()
    session.ev_connected_pre_session(requests_energy=False)
    event = session.event("ChargingStateChanged")
    assert event["transactionInfo"]["chargingState"] == "SuspendedEV", event
