"""Part 6, section 2.7: F Remote control: TriggerMessage."""

import pytest

from tests.conformance.rig import Payload, Rig
from tests.conformance.states import Session, configured, connector_is


def trigger(rig: Rig, message: str, evse: int | None = None, connector: int | None = None) -> str:
    """TriggerMessage; the response's status."""
    payload: Payload = {"requestedMessage": message}
    if evse:
        payload["evse"] = {"id": evse, **({"connectorId": connector} if connector else {})}
    status: str = rig.call("TriggerMessage", payload)["status"]
    return status


@pytest.mark.tc("TC_F_11")
def test_meter_values_of_one_evse(rig: Rig) -> None:
    rig.start()
    assert trigger(rig, "MeterValues", 1) == "Accepted"
    values = rig.expect("MeterValues")
    assert values["evseId"] == 1, values
    assert values["meterValue"][0]["sampledValue"][0]["context"] == "Trigger", values
    rig.expect_none("MeterValues", during=1.0)


@pytest.mark.tc("TC_F_12")
def test_meter_values_of_all_evses(rig: Rig) -> None:
    rig.start()
    assert trigger(rig, "MeterValues") == "Accepted"
    for evse in range(1, rig.evses + 1):
        values = rig.expect("MeterValues", lambda one, evse=evse: one["evseId"] == evse)  # type: ignore[misc]
        assert values["meterValue"][0]["sampledValue"][0]["context"] == "Trigger", values


@pytest.mark.tc("TC_F_13")
def test_transaction_event_of_one_evse(rig: Rig) -> None:
    session = configured(rig)
    session.energy_transfer_started()
    assert trigger(rig, "TransactionEvent", 1) == "Accepted"
    _triggered(session)


@pytest.mark.tc("TC_F_14")
def test_transaction_events_of_all_evses(rig: Rig) -> None:
    rig.start()
    sessions = [Session(rig, evse=evse, token=f"04A2B3C4D5E6{evse:02d}") for evse in range(1, rig.evses + 1)]
    for session in sessions:
        session.ev_connected_pre_session()
        session.authorize()
        session.energy_transfer_started()
    assert trigger(rig, "TransactionEvent") == "Accepted"
    for session in sessions:
        _triggered(session)


def _triggered(session: Session) -> None:
    event = session.event("Trigger")
    assert event.get("evse", {"id": session.evse})["id"] == session.evse, event
    assert event["transactionInfo"]["chargingState"] == "Charging", event
    assert event["meterValue"][0]["sampledValue"][0]["context"] == "Trigger", event


@pytest.mark.tc("TC_F_15")
def test_log_status_idle(rig: Rig) -> None:
    rig.start()
    assert trigger(rig, "LogStatusNotification") == "Accepted"
    assert rig.expect("LogStatusNotification")["status"] == "Idle"


@pytest.mark.tc("TC_F_16")
def test_log_status_uploading(rig: Rig) -> None:
    rig.start()
    server = rig.log_server()
    server.hold()
    request = {"logType": "DiagnosticsLog", "requestId": 16, "log": {"remoteLocation": server.url}}
    assert rig.call("GetLog", request)["status"] == "Accepted"
    assert rig.expect("LogStatusNotification")["status"] == "Uploading"
    assert trigger(rig, "LogStatusNotification") == "Accepted"
    assert rig.expect("LogStatusNotification")["status"] == "Uploading"
    server.release()


@pytest.mark.tc("TC_F_17")
def test_firmware_status_with_an_evse_that_does_not_matter(rig: Rig) -> None:
    rig.start()
    assert trigger(rig, "FirmwareStatusNotification", 1) == "Accepted"
    assert rig.expect("FirmwareStatusNotification")["status"] == "Idle"


@pytest.mark.tc("TC_F_18")
def test_firmware_status_idle(rig: Rig) -> None:
    rig.start()
    assert trigger(rig, "FirmwareStatusNotification") == "Accepted"
    assert rig.expect("FirmwareStatusNotification")["status"] == "Idle"


@pytest.mark.tc("TC_F_20")
def test_heartbeat(rig: Rig) -> None:
    rig.start()
    assert trigger(rig, "Heartbeat") == "Accepted"
    rig.expect("Heartbeat")


@pytest.mark.tc("TC_F_23")
def test_status_available(rig: Rig) -> None:
    rig.start()
    assert trigger(rig, "StatusNotification", 1, 1) == "Accepted"
    assert connector_is(rig, "Available")["connectorId"] == 1


@pytest.mark.tc("TC_F_24")
def test_status_occupied(rig: Rig) -> None:
    session = configured(rig)
    session.ev_connected_pre_session()
    assert trigger(rig, "StatusNotification", 1, 1) == "Accepted"
    session.connector_status("Occupied")


@pytest.mark.tc("TC_F_26")
def test_boot_notification_rejected(rig: Rig) -> None:
    rig.start()
    assert trigger(rig, "BootNotification") == "Rejected"
    rig.expect_none("BootNotification", during=1.0)


@pytest.mark.tc("TC_F_27")
def test_not_implemented(rig: Rig) -> None:
    rig.start()
    assert trigger(rig, "SignCombinedCertificate") == "NotImplemented"
