"""Part 6, section 2.6, E Transactions: the cable is pulled at the EV's side."""

from typing import Any

import pytest

from tests.conformance.rig import Payload, Rig
from tests.conformance.states import Session, configured

STOP, UNLOCK = "TxCtrlr.StopTxOnEVSideDisconnect", "OCPPCommCtrlr.UnlockOnEVSideDisconnect"


def _pulled(session: Session) -> Payload:
    """EnergyTransferSuspended, and the EV's side disconnected; the event that says so."""
    session.energy_transfer_suspended()
    session.rig.unplug(session.evse, side="ev")
    session.connected = False
    event = session.event("EVCommunicationLost")
    assert event["transactionInfo"]["chargingState"] == "Idle", event
    return event


def _gone(rig: Rig, *, card: bool) -> None:
    """The driver takes the cable along, having presented the card if it is locked; the connector is free again."""
    if rig.socket:
        if card:
            rig.expect_none("StatusNotification", during=1.0)
            rig.card()
            rig.let(1.0)
        rig.unplug(side="station")
    rig.expect("StatusNotification", lambda one: one["evseId"] == 1 and one["connectorStatus"] == "Available")


@pytest.mark.tc("TC_E_17")
@pytest.mark.parametrize("socket", [False, True])
def test_deauthorized(rig: Rig, socket: bool) -> None:
    rig.socket = socket
    session = configured(rig, stop="Authorized", **{STOP: "true", UNLOCK: "false"})
    event = _pulled(session)
    assert event["eventType"] == "Ended", event
    assert event["transactionInfo"]["stoppedReason"] == "EVDisconnected", event
    _gone(rig, card=True)


@pytest.mark.tc("TC_E_20")
@pytest.mark.parametrize("socket", [False, True])
def test_stop_point_ev_connected(rig: Rig, socket: bool) -> None:
    rig.socket = socket
    session = configured(rig, stop="EVConnected", **{STOP: "false"})
    event = _pulled(session)
    assert event["eventType"] == "Ended", event
    assert event["transactionInfo"]["stoppedReason"] == "EVDisconnected", event


@pytest.mark.tc("TC_E_37")
def test_stop_point_power_path_closed(rig: Rig) -> None:
    session = configured(rig, stop="PowerPathClosed", **{STOP: "false"})
    event = _pulled(session)
    assert event["eventType"] == "Ended", event
    assert event["transactionInfo"]["stoppedReason"] in ("EVDisconnected", "StoppedByEV"), event


@pytest.mark.tc("TC_E_24")
def test_deauthorize_and_unlock(rig: Rig) -> None:
    rig.socket = True
    session = configured(rig, **{STOP: "true", UNLOCK: "true"})
    _pulled(session)
    rig.let(1.0)
    _gone(rig, card=False)


@pytest.mark.tc("TC_E_25")
@pytest.mark.parametrize("socket", [False, True])
def test_deauthorize_and_stay_locked(rig: Rig, socket: bool) -> None:
    rig.socket = socket
    session = configured(rig, **{STOP: "true", UNLOCK: "false"})
    _pulled(session)
    _gone(rig, card=True)


@pytest.mark.tc("TC_E_26")
@pytest.mark.parametrize("stop", ["Authorized", "ParkingBayOccupancy"])
@pytest.mark.parametrize("socket", [False, True])
def test_suspend(rig: Rig, stop: str, socket: bool) -> None:
    rig.socket = socket
    session = configured(rig, stop=stop, **{STOP: "false", UNLOCK: "false"})
    session.parking_bay_occupied()
    assert _pulled(session)["eventType"] == "Updated"
    if not socket:
        session.connector_status("Available")
    rig.let(1.0)
    rig.plug()
    event = session.event("CablePluggedIn")
    assert event["eventType"] == "Updated", event
    assert event["transactionInfo"]["chargingState"] == "EVConnected", event
    event = session.event("ChargingStateChanged")
    assert event["eventType"] == "Updated", event
    assert event["transactionInfo"]["chargingState"] == "Charging", event


@pytest.mark.tc("TC_E_27")
@pytest.mark.parametrize("stop", ["Authorized", "ParkingBayOccupancy"])
def test_suspend_until_the_cable_times_out(rig: Rig, stop: str) -> None:
    timeout: dict[str, Any] = {"TxCtrlr.EVConnectionTimeOut": "3"}
    session = configured(rig, stop=stop, **{STOP: "false", UNLOCK: "false"}, **timeout)
    session.parking_bay_occupied()
    assert _pulled(session)["eventType"] == "Updated"
    session.connector_status("Available")
    event = session.event("EVConnectTimeout")
    if stop == "Authorized":
        assert event["eventType"] == "Ended", event
        assert event["transactionInfo"]["stoppedReason"] == "Timeout", event
    else:
        assert event["eventType"] == "Updated", event
