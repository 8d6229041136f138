"""Part 6, section 2.3: B Provisioning. Booting (B01 to B04), Reset (B11, B12) and reconnecting (part 4, 5.3)."""

from typing import Any

import pytest

from station.domain.moment import rfc3339
from tests.conformance.reports import base_report
from tests.conformance.rig import OTHER_CARD, CallError, Payload, Rig
from tests.conformance.states import Session, booted, connector_is

RESET_EVSE = {"EVSE@1.AllowReset": "true"}
HEARTBEAT = 5  # s: <Configured heartbeatInterval>, also the retry interval of Pending and Rejected


def registers(rig: Rig, *statuses: str, interval: int = HEARTBEAT) -> None:
    """The next BootNotifications are answered so, in this order; those after them with the last one."""
    left = list(statuses)

    def reply(request: Payload) -> Payload:
        status = left.pop(0) if len(left) > 1 else left[0]
        return {"status": status, "interval": interval, "currentTime": rfc3339(rig.utc())}

    rig.answer("BootNotification", reply)


def connectors_are(rig: Rig, **others: str) -> None:
    """Every connector tells its state: that of EVSE n as ``evse_n``, Available where nothing is said."""
    for evse in range(1, rig.evses + 1):
        status = connector_is(rig, others.get(f"evse_{evse}", "Available"), evse)
        assert status["connectorId"] == 1, status


# ------------------------------------------------------------------ B01 to B03


@pytest.mark.tc("TC_B_01")
def test_cold_boot_accepted(rig: Rig) -> None:
    rig.start()
    rig.power_cycle()
    boot = booted(rig)
    assert boot["reason"] == "PowerUp", boot
    assert boot["chargingStation"]["model"], boot
    assert boot["chargingStation"]["vendorName"], boot


@pytest.mark.tc("TC_B_02")
def test_cold_boot_pending(rig: Rig) -> None:
    rig.start()
    registers(rig, "Pending", "Accepted", interval=300)
    rig.power_cycle()
    rig.expect("BootNotification", within=30)
    assert rig.set_variable("OCPPCommCtrlr", "OfflineThreshold", "300") == "Accepted"
    assert rig.get_variable("OCPPCommCtrlr", "OfflineThreshold")["attributeStatus"] == "Accepted"
    base_report(rig, "FullInventory")
    start = {"idToken": {"idToken": OTHER_CARD, "type": "ISO14443"}, "remoteStartId": 1, "evseId": 1}
    assert rig.call("RequestStartTransaction", start)["status"] == "Rejected"
    assert not unasked(rig), unasked(rig)  # B02.FR.02
    triggered = rig.call("TriggerMessage", {"requestedMessage": "BootNotification"})
    assert triggered["status"] == "Accepted", triggered
    assert rig.expect("BootNotification")["reason"] == "Triggered"
    connectors_are(rig)


def unasked(rig: Rig) -> list[str]:
    """What the station has sent since its last BootNotification without being asked for it."""
    actions = [one.action for one in rig.messages()]
    last = len(actions) - actions[::-1].index("BootNotification")
    return [action for action in actions[last:] if action != "NotifyReport"]


@pytest.mark.tc("TC_B_03")
def test_cold_boot_rejected(rig: Rig) -> None:
    rig.start()
    registers(rig, "Rejected", "Accepted")
    rig.power_cycle()
    rig.expect("BootNotification", within=30)
    begun = rig.seconds()
    before = len(rig.messages())
    rig.expect("BootNotification", within=HEARTBEAT + 10)
    assert rig.seconds() - begun >= HEARTBEAT - 0.5  # B03.FR.06, less what the rig took to notice
    assert rig.messages()[before].action == "BootNotification"  # B03.FR.02: nothing in between
    connectors_are(rig)


@pytest.mark.tc("TC_B_30")
def test_calls_while_rejected_are_a_security_error(rig: Rig) -> None:
    rig.start()
    registers(rig, "Rejected", interval=300)
    rig.power_cycle()
    rig.expect("BootNotification", within=30)
    with pytest.raises(CallError) as refused:
        rig.call("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    assert refused.value.code == "SecurityError"


# ------------------------------------------------------------------ B04


@pytest.mark.tc("TC_B_51")
def test_status_change_offline_for_longer_than_the_threshold(rig: Rig) -> None:
    threshold = 3
    rig.start(
        **{
            "OCPPCommCtrlr.OfflineThreshold": str(threshold),
            "OCPPCommCtrlr.RetryBackOffWaitMinimum": str(threshold + 2),
            "OCPPCommCtrlr.RetryBackOffRandomRange": "0",
        }
    )
    rig.go_away()
    rig.plug(1)
    rig.let(threshold + 1)
    rig.come_back()
    connectors_are(rig, evse_1="Occupied")


@pytest.mark.tc("TC_B_52")
def test_status_change_offline_for_less_than_the_threshold(rig: Rig) -> None:
    rig.start(
        **{
            "OCPPCommCtrlr.OfflineThreshold": "60",
            "OCPPCommCtrlr.RetryBackOffWaitMinimum": "3",
            "OCPPCommCtrlr.RetryBackOffRandomRange": "0",
        }
    )
    rig.go_away()
    rig.plug(1)
    rig.let(1)
    rig.come_back()
    connector_is(rig, "Occupied", 1)
    rig.expect_none("StatusNotification", lambda one: one["evseId"] == 2)  # B04.FR.02: nothing changed there


# ------------------------------------------------------------------ B11, B12: the station


@pytest.mark.tc("TC_B_20")
def test_reset_on_idle_without_transaction(rig: Rig) -> None:
    rig.start()
    assert rig.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"
    rig.expect("BootNotification", within=30)
    connectors_are(rig)


@pytest.mark.tc("TC_B_21")
def test_reset_on_idle_with_transaction(rig: Rig) -> None:
    rig.start()
    session = Session(rig)
    session.energy_transfer_started()
    assert rig.call("Reset", {"type": "OnIdle"})["status"] == "Scheduled"
    session.stop_authorized()
    session.ev_connected_post_session()
    assert session.ended
    assert rig.expect("BootNotification", within=30)["reason"] == "ScheduledReset"
    connectors_are(rig, evse_1="Occupied")
    assert rig.expect("SecurityEventNotification")["type"] in ("StartupOfTheDevice", "ResetOrReboot")


@pytest.mark.tc("TC_B_22")
@pytest.mark.both_rigs
def test_reset_immediate_with_transaction(rig: Rig) -> None:
    rig.start()
    session = Session(rig)
    session.energy_transfer_started()
    assert rig.call("Reset", {"type": "Immediate"})["status"] == "Accepted"
    ended_by_reset(session)
    assert rig.expect("BootNotification", within=30)["reason"] == "RemoteReset"
    connectors_are(rig, evse_1="Occupied")


def ended_by_reset(session: Session) -> None:
    """TC_B_22 and TC_B_27, step 3."""
    event = session.event("ResetCommand")
    assert event["eventType"] == "Ended", event
    assert event["transactionInfo"]["chargingState"] == "EVConnected", event
    assert event["transactionInfo"]["stoppedReason"] == "ImmediateReset", event
    assert "idToken" not in event, event


@pytest.mark.tc("TC_B_23")
def test_unavailable_outlives_a_reset(rig: Rig) -> None:
    rig.start()
    connector = {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 1}}
    assert rig.call("ChangeAvailability", connector)["status"] == "Accepted"
    connector_is(rig, "Unavailable", 1)
    assert rig.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"
    assert rig.expect("BootNotification", within=30)["reason"] == "RemoteReset"
    connectors_are(rig, evse_1="Unavailable")


@pytest.mark.tc("TC_B_41")
def test_reset_on_idle_with_transactions_on_two_evses(rig: Rig) -> None:
    rig.start()
    first, second = Session(rig, evse=1), Session(rig, evse=2, token=OTHER_CARD)
    for session in (first, second):
        session.ev_connected_pre_session()
        session.authorize()
        session.energy_transfer_started()
    assert rig.call("Reset", {"type": "OnIdle"})["status"] == "Scheduled"
    first.stop_authorized()
    first.ev_connected_post_session()
    first.ev_disconnected()
    rig.expect_none("BootNotification")  # the other one still runs
    second.stop_authorized()
    second.ev_connected_post_session()
    assert rig.expect("BootNotification", within=30)["reason"] == "ScheduledReset"
    connectors_are(rig, evse_2="Occupied")


# ------------------------------------------------------------------ B11, B12: one EVSE


@pytest.mark.tc("TC_B_25")
def test_reset_of_an_evse(rig: Rig) -> None:
    rig.start(**RESET_EVSE)
    assert allow_reset(rig) == "true"  # B11.FR.10
    assert rig.call("Reset", {"type": "OnIdle", "evseId": 1})["status"] == "Accepted"
    connector_is(rig, "Unavailable", 1)  # B11.FR.08
    connector_is(rig, "Available", 1)
    rig.expect_none("BootNotification")


def allow_reset(rig: Rig) -> Any:
    item = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AllowReset"}}
    return rig.call("GetVariables", {"getVariableData": [item]})["getVariableResult"][0]["attributeValue"]


@pytest.mark.tc("TC_B_26")
def test_reset_of_an_evse_on_idle_with_transaction(rig: Rig) -> None:
    rig.start(**RESET_EVSE)
    session = Session(rig)
    session.energy_transfer_started()
    assert rig.call("Reset", {"type": "OnIdle", "evseId": 1})["status"] == "Scheduled"
    session.stop_authorized()
    session.ev_connected_post_session()
    session.ev_disconnected()
    rig.expect_none("BootNotification")


@pytest.mark.tc("TC_B_27")
def test_reset_of_an_evse_immediate_with_transaction(rig: Rig) -> None:
    rig.start(**RESET_EVSE)
    session = Session(rig)
    session.energy_transfer_started()
    assert rig.call("Reset", {"type": "Immediate", "evseId": 1})["status"] == "Accepted"
    ended_by_reset(session)
    connector_is(rig, "Unavailable", 1)
    connector_is(rig, "Occupied", 1)  # the cable is still there
    rig.expect_none("BootNotification")


@pytest.mark.tc("TC_B_28")
def test_reset_of_an_evse_not_supported(rig: Rig) -> None:
    rig.start()
    assert rig.call("Reset", {"type": "OnIdle", "evseId": 1})["status"] == "Rejected"


@pytest.mark.tc("TC_B_29")
def test_reset_of_an_evse_with_transaction_not_supported(rig: Rig) -> None:
    rig.start()
    session = Session(rig)
    session.energy_transfer_started()
    assert rig.call("Reset", {"type": "OnIdle", "evseId": 1})["status"] == "Rejected"
    rig.expect_none("TransactionEvent", lambda event: event["eventType"] == "Ended")
