"""Part 6, section 2.4: C Authorization, without the authorization cache."""

from __future__ import annotations

import pytest

from tests.conformance.kinds import kinds, supporting, token
from tests.conformance.rig import CARD, OTHER_CARD, Payload, Rig
from tests.conformance.states import DURATION, Session, configured
from tests.conformance.tokens import GROUP, answer, id_token_info, not_metering

PATIENCE = 5.0  # s; <Configured message timeout>
MASTER_CARD = "04C0FFEE123456"
MASTER_GROUP = "MASTER-1"


def with_token(event: Payload) -> bool:
    return "idToken" in event


def ended(event: Payload) -> bool:
    return bool(event["eventType"] == "Ended")


# ------------------------------------------------------------------ refused (C01, C04, C06)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Invalid", marks=pytest.mark.tc("TC_C_02")),
        pytest.param("Blocked", marks=pytest.mark.tc("TC_C_06")),
        pytest.param("Expired", marks=pytest.mark.tc("TC_C_07")),
        pytest.param("Unknown", marks=pytest.mark.tc("TC_C_56")),
    ],
)
@kinds("ISO14443", "ISO15693", "KeyCode")
def test_local_start_refused(rig: Rig, status: str, kind: str) -> None:
    session = configured(rig, kind=kind)
    session.ev_connected_pre_session()
    rig.answer("Authorize", id_token_info(status))
    rig.present(session.token, kind)
    assert rig.expect("Authorize")["idToken"] == session.id_token
    rig.expect_none("TransactionEvent", not_metering, during=PATIENCE)


@pytest.mark.tc("TC_C_04")
@kinds("ISO14443", "ISO15693", "KeyCode")
def test_local_stop_with_a_different_id_token(rig: Rig, kind: str) -> None:
    rig.start(**supporting(kind))
    session = Session(rig)
    session.energy_transfer_started()
    different = OTHER_CARD if kind == "ISO14443" else token(rig, kind)
    if kind == "KeyCode":
        rig.enter_code(different, session.evse)
    else:
        rig.card(different, type=kind, evse=session.evse)  # the reader of that EVSE: no other is meant
    assert rig.expect("Authorize")["idToken"] == {"idToken": different, "type": kind}
    rig.expect_none("TransactionEvent", lambda event: with_token(event) or ended(event), during=PATIENCE)


# ------------------------------------------------------------------ the group (C09)


def start_in_the_group(rig: Rig) -> Session:
    """Before and steps 1 to 5 of TC_C_39 and TC_C_42."""
    rig.start()
    session = Session(rig)
    session.ev_connected_pre_session()
    answer(rig, group=GROUP)
    session.authorize()
    session.energy_transfer_started()
    return session


@pytest.mark.tc("TC_C_39")
@pytest.mark.both_rigs
def test_stopped_by_another_of_the_group(rig: Rig) -> None:
    session = start_in_the_group(rig)
    rig.let(DURATION)
    rig.card(OTHER_CARD)
    assert rig.expect("Authorize")["idToken"] == {"idToken": OTHER_CARD, "type": "ISO14443"}
    event = session.event("StopAuthorized")
    assert event["idToken"] == {"idToken": OTHER_CARD, "type": "ISO14443"}, event
    session.ev_connected_post_session()
    session.ev_disconnected()
    session.parking_bay_unoccupied()


@pytest.mark.tc("TC_C_42")
def test_not_stopped_by_an_invalid_one_of_the_group(rig: Rig) -> None:
    session = start_in_the_group(rig)
    rig.answer("Authorize", id_token_info("Invalid", group=GROUP))
    rig.card(OTHER_CARD)
    assert rig.expect("Authorize")["idToken"]["idToken"] == OTHER_CARD
    rig.expect_none(
        "TransactionEvent",
        lambda event: with_token(event) or ended(event) or event["triggerReason"] == "ChargingStateChanged",
        during=PATIENCE,
    )
    status = rig.call("GetTransactionStatus", {"transactionId": session.transaction_id})
    assert status["ongoingIndicator"] is True, status


# ------------------------------------------------------------------ offline (C15)


@pytest.mark.tc("TC_C_26")
def test_unknown_id_offline(rig: Rig) -> None:
    rig.start(
        **{
            "AuthCtrlr.LocalPreAuthorize": "true",
            "AuthCtrlr.OfflineTxForUnknownIdEnabled": "true",
            "AuthCtrlr.LocalAuthorizeOffline": "true",
            "TxCtrlr.MaxEnergyOnInvalidId": "0",
            "TxCtrlr.StopTxOnInvalidId": "false",
        }
    )
    session = Session(rig)
    rig.go_away()
    rig.let(1.0)
    rig.card(CARD)
    rig.let(1.0)
    rig.plug(session.evse)
    rig.let(DURATION)
    answer(rig, "Invalid")
    rig.come_back()
    session.connected = session.authorized = True
    session.event("Authorized")
    session.event("CablePluggedIn")
    session.event("ChargingStateChanged")
    assert all(event["offline"] for event in session.events), session.events
    assert session.events[0]["idToken"] == session.id_token
    event = session.event("ChargingStateChanged")
    assert event["transactionInfo"]["chargingState"] == "SuspendedEVSE", event
    assert event["eventType"] == "Updated", event
    rig.card(CARD)  # StopAuthorized
    event = session.event("StopAuthorized")
    assert event["eventType"] == "Ended", event
    rig.forget()
    session.ev_disconnected()


# ------------------------------------------------------------------ the master pass (C16)


def all_charging(rig: Rig, **variables: str) -> list[Session]:
    """EnergyTransferStarted for all EVSEs, with the master pass configured."""
    rig.start(**{"AuthCtrlr.MasterPassGroupId": MASTER_GROUP, **variables})
    sessions = [Session(rig, evse=1, token=CARD), Session(rig, evse=2, token=OTHER_CARD)]
    for session in sessions:
        session.ev_connected_pre_session()
        session.energy_transfer_started()
    return sessions


def present_master_pass(rig: Rig) -> None:
    answer(rig, group=MASTER_GROUP)
    rig.card(MASTER_CARD)
    assert rig.expect("Authorize")["idToken"] == {"idToken": MASTER_CARD, "type": "ISO14443"}


def stopped_by_master_pass(session: Session) -> None:
    """Steps 3 to 7, with what the tool validations of errata 6.2.32 ask of them."""
    event = session.event("StopAuthorized")
    assert event.get("idToken", {"idToken": MASTER_CARD})["idToken"] == MASTER_CARD, event
    session.ev_connected_post_session()
    session.ev_disconnected()
    session.parking_bay_unoccupied()
    last = session.events[-1]
    assert (last["eventType"], last["transactionInfo"]["stoppedReason"]) == ("Ended", "MasterPass"), last


@pytest.mark.tc("TC_C_45")
def test_master_pass_starts_nothing(rig: Rig) -> None:
    rig.start(**{"AuthCtrlr.MasterPassGroupId": MASTER_GROUP, "TxCtrlr.TxStartPoint": "Authorized"})
    present_master_pass(rig)
    rig.expect_none("TransactionEvent", not_metering, during=2.0)
    session = Session(rig, start_points=frozenset({"Authorized"}))
    session.ev_connected_pre_session()
    rig.expect_none("TransactionEvent", not_metering, during=PATIENCE)


@pytest.mark.tc("TC_C_47")
def test_master_pass_all_chosen(rig: Rig) -> None:
    sessions = all_charging(rig, **{"AuthCtrlr.MasterPassSelection": "true"})
    present_master_pass(rig)
    rig.expect_none("TransactionEvent", with_token, during=2.0)
    rig.choose_to_end()
    for session in sessions:
        stopped_by_master_pass(session)


@pytest.mark.tc("TC_C_48")
def test_master_pass_one_chosen(rig: Rig) -> None:
    first, second = all_charging(rig, **{"AuthCtrlr.MasterPassSelection": "true"})
    present_master_pass(rig)
    rig.let(1.0)
    rig.choose_to_end(1)
    stopped_by_master_pass(first)
    rig.expect_none(
        "TransactionEvent",
        lambda event: (
            event["transactionInfo"]["transactionId"] == second.transaction_id
            and event["triggerReason"] not in ("MeterValuePeriodic", "MeterValueClock")
        ),
    )


@pytest.mark.tc("TC_C_49")
def test_master_pass_without_a_choice_ends_all(rig: Rig) -> None:
    sessions = all_charging(rig)
    present_master_pass(rig)
    for session in sessions:
        stopped_by_master_pass(session)


# ------------------------------------------------------------------ nobody is asked


@pytest.mark.tc("TC_E_52")
def test_disable_remote_authorization(rig: Rig) -> None:
    rig.start(**{"AuthCtrlr.DisableRemoteAuthorization": "true", "AuthCacheCtrlr.Enabled": "true"})
    rig.card(CARD)
    rig.expect_none("Authorize", during=2.0)
    session = Session(rig)
    session.ev_connected_pre_session()
    rig.expect_none(
        "TransactionEvent", lambda event: event["transactionInfo"].get("chargingState") == "Charging", during=PATIENCE
    )
    rig.expect_none("Authorize", during=0.0)
