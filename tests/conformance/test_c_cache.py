"""Part 6, section 2.4: C Authorization, with the authorization cache (C10 to C12)."""

from __future__ import annotations

import pytest

from tests.conformance.rig import CARD, OTHER_CARD, Rig
from tests.conformance.states import DURATION, Session, booted
from tests.conformance.tokens import GROUP, answer, id_token_cached, id_token_info, not_metering, start_with_cache

REMOTE = pytest.mark.parametrize("remote", [False, True], ids=["local", "remote"])  # errata 6.2.22


def asks_remotely(remote: bool) -> dict[str, str]:
    return {"AuthCtrlr.AuthorizeRemoteStart": str(remote).lower()}


def present(rig: Rig, session: Session) -> None:
    """Present the session's idToken, or let the CSMS name it."""
    if session.remote:
        start = {"idToken": session.id_token, "remoteStartId": session.remote_start_id, "evseId": session.evse}
        assert rig.call("RequestStartTransaction", start)["status"] == "Accepted"
    else:
        rig.card(session.token)


# ------------------------------------------------------------------ kept and given up (C10, C11)


@pytest.mark.tc("TC_C_32")
def test_persistent_over_reboot(rig: Rig) -> None:
    start_with_cache(rig)
    id_token_cached(rig)
    rig.power_cycle()
    booted(rig)
    session = Session(rig, cached=True)
    session.authorize()
    assert session.events[0]["idToken"] == session.id_token
    session.energy_transfer_started()


@pytest.mark.tc("TC_C_33")
@REMOTE
def test_update_on_authorize_response(rig: Rig, remote: bool) -> None:
    start_with_cache(rig, **asks_remotely(remote))
    session = Session(rig, remote=remote)
    session.ev_connected_pre_session()
    answer(rig)
    session.authorize()
    session.energy_transfer_started()
    session.ev_connected_post_session()
    session.ev_disconnected()
    again = Session(rig, remote=remote, cached=True, remote_start_id=43)
    again.ev_connected_pre_session()
    answer(rig, "Invalid")
    again.authorize()
    assert again.events[-1]["eventType"] == "Updated"


@pytest.mark.tc("TC_C_34")
@REMOTE
def test_update_on_transaction_event_response(rig: Rig, remote: bool) -> None:
    start_with_cache(
        rig,
        **asks_remotely(remote),
        **{"TxCtrlr.StopTxOnInvalidId": "true", "TxCtrlr.MaxEnergyOnInvalidId": "0"},
    )
    id_token_cached(rig)
    session = Session(rig, remote=remote, cached=True)
    session.ev_connected_pre_session()
    answer(rig, "Invalid")
    session.authorize()
    event = session.event("Deauthorized")
    assert event["transactionInfo"]["chargingState"] in ("EVConnected", "SuspendedEVSE"), event
    assert (event["eventType"], event["transactionInfo"]["stoppedReason"]) == ("Ended", "DeAuthorized"), event
    session.ev_disconnected()
    present(rig, Session(rig, remote=remote, remote_start_id=43))
    assert rig.expect("Authorize")["idToken"] == session.id_token
    rig.expect_none("TransactionEvent", not_metering)


@pytest.mark.tc("TC_C_36")
@REMOTE
def test_local_pre_authorize_false(rig: Rig, remote: bool) -> None:
    start_with_cache(rig, **asks_remotely(remote), **{"AuthCtrlr.LocalPreAuthorize": "false"})
    id_token_cached(rig)
    answer(rig, "Invalid")
    session = Session(rig, remote=remote)
    present(rig, session)
    assert rig.expect("Authorize")["idToken"] == session.id_token


@pytest.mark.tc("TC_C_37")
@REMOTE
def test_clear_cache_accepted(rig: Rig, remote: bool) -> None:
    start_with_cache(rig, **asks_remotely(remote))
    id_token_cached(rig)
    assert rig.call("ClearCache")["status"] == "Accepted"
    session = Session(rig, remote=remote)
    session.parking_bay_occupied()
    session.ev_connected_pre_session()
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_C_38")
def test_clear_cache_rejected(rig: Rig) -> None:
    start_with_cache(rig)
    id_token_cached(rig)
    rig.configure("AuthCacheCtrlr.Enabled", "false")
    assert rig.call("ClearCache")["status"] == "Rejected"


@pytest.mark.tc("TC_C_46")
def test_life_time(rig: Rig) -> None:
    start_with_cache(rig, **{"AuthCacheCtrlr.LifeTime": str(int(DURATION))})
    id_token_cached(rig)
    session = Session(rig)
    session.ev_connected_pre_session()
    rig.let(DURATION)
    session.authorize()


# ------------------------------------------------------------------ used (C12)


@pytest.mark.tc("TC_C_08")
@REMOTE
def test_cached_and_accepted(rig: Rig, remote: bool) -> None:
    start_with_cache(rig, **asks_remotely(remote))
    id_token_cached(rig)
    session = Session(rig, remote=remote, cached=True)
    session.ev_connected_pre_session()
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.parametrize(
    "status",
    [
        pytest.param("Invalid", marks=pytest.mark.tc("TC_C_09")),
        pytest.param("Blocked", marks=pytest.mark.tc("TC_C_10")),
        pytest.param("Expired", marks=pytest.mark.tc("TC_C_11")),
    ],
)
@REMOTE
def test_cached_and_not_accepted_is_asked_again(rig: Rig, status: str, remote: bool) -> None:
    start_with_cache(rig, **asks_remotely(remote), **{"AuthCacheCtrlr.DisablePostAuthorize": "false"})
    id_token_cached(rig, status=status)
    session = Session(rig, remote=remote)
    session.ev_connected_pre_session()
    answer(rig, status)
    present(rig, session)
    assert rig.expect("Authorize")["idToken"] == session.id_token
    rig.expect_none("TransactionEvent", not_metering)


@pytest.mark.tc("TC_C_12")
@REMOTE
def test_cached_as_invalid_but_accepted_by_the_csms(rig: Rig, remote: bool) -> None:
    start_with_cache(rig, **asks_remotely(remote), **{"AuthCacheCtrlr.DisablePostAuthorize": "false"})
    id_token_cached(rig, status="Invalid")
    session = Session(rig, remote=remote)
    session.ev_connected_pre_session()
    answer(rig)
    session.authorize()
    session.energy_transfer_started()


@pytest.mark.tc("TC_C_13")
def test_cached_and_the_cable_comes_later(rig: Rig) -> None:
    start_with_cache(rig)
    id_token_cached(rig)
    session = Session(rig, cached=True)
    session.authorize()
    assert session.events[0]["eventType"] == "Started"
    session.ev_connected_pre_session()
    session.energy_transfer_started()


@pytest.mark.tc("TC_C_57")
def test_disable_post_authorize(rig: Rig) -> None:
    start_with_cache(rig, **{"AuthCacheCtrlr.DisablePostAuthorize": "true"})
    id_token_cached(rig, status="Invalid")
    session = Session(rig)
    session.ev_connected_pre_session()
    rig.card(CARD)
    rig.expect_none("Authorize")
    rig.expect_none("TransactionEvent", not_metering, during=0.0)


# ------------------------------------------------------------------ accepted offline, refused afterwards (C12, E05)


def charge_offline_with_cached_id(rig: Rig, **variables: str) -> Session:
    """Up to the CSMS's verdict: cable in, the CSMS gone, the cached idToken presented, energy flowing, and back."""
    start_with_cache(
        rig,
        **{
            "AuthCtrlr.LocalAuthorizeOffline": "true",
            "AuthCtrlr.OfflineTxForUnknownIdEnabled": "true",
            "OCPPCommCtrlr.OfflineThreshold": "60",
            **variables,
        },
    )
    id_token_cached(rig)
    session = Session(rig)
    session.ev_connected_pre_session()
    rig.go_away()
    rig.let(1.0)
    rig.card(CARD)
    rig.let(DURATION)
    answer(rig, "Invalid")
    rig.come_back()
    event = session.event("Authorized")
    assert (event["idToken"], event["offline"]) == (session.id_token, True), event
    event = session.event("ChargingStateChanged")
    assert (event["transactionInfo"]["chargingState"], event["offline"]) == ("Charging", True), event
    return session


@pytest.mark.tc("TC_C_15")
def test_refused_later_and_some_energy_left(rig: Rig) -> None:
    charge_offline_with_cached_id(
        rig, **{"TxCtrlr.StopTxOnInvalidId": "false", "TxCtrlr.MaxEnergyOnInvalidId": "10000"}
    )
    rig.expect_none(
        "TransactionEvent",
        lambda event: (
            event["triggerReason"] == "Deauthorized" or event["transactionInfo"].get("chargingState") == "SuspendedEVSE"
        ),
        during=DURATION,
    )


@pytest.mark.parametrize(
    "energy",
    [
        pytest.param("0", marks=pytest.mark.tc("TC_C_16")),
        pytest.param("500", marks=pytest.mark.tc("TC_C_18")),
    ],
)
def test_refused_later_and_stopped(rig: Rig, energy: str) -> None:
    session = charge_offline_with_cached_id(
        rig, **{"TxCtrlr.StopTxOnInvalidId": "true", "TxCtrlr.MaxEnergyOnInvalidId": energy}
    )
    event = session.event("Deauthorized")
    assert event.get("offline", False) is False, event
    assert event["transactionInfo"]["chargingState"] != "Charging", event


@pytest.mark.tc("TC_C_17")
def test_refused_later_and_suspended(rig: Rig) -> None:
    session = charge_offline_with_cached_id(
        rig, **{"TxCtrlr.StopTxOnInvalidId": "false", "TxCtrlr.MaxEnergyOnInvalidId": "0"}
    )
    event = session.event("ChargingStateChanged")
    assert event["transactionInfo"]["chargingState"] == "SuspendedEVSE", event
    assert event["eventType"] == "Updated", event


# ------------------------------------------------------------------ the group (C09, E08)


@pytest.mark.tc("TC_C_41")
def test_group_from_the_cache(rig: Rig) -> None:
    start_with_cache(rig)
    for token in (CARD, OTHER_CARD):
        id_token_cached(rig, token, group=GROUP)
    answer(rig, group=GROUP)
    session = Session(rig, cached=True)
    session.ev_connected_pre_session()
    session.authorize()
    session.energy_transfer_started()
    session.token = OTHER_CARD
    session.stop_authorized()
    rig.expect_none("Authorize", during=0.0)
    session.ev_connected_post_session()
    session.ev_disconnected()
    session.parking_bay_unoccupied()


@pytest.mark.tc("TC_C_44")
def test_invalid_one_of_the_group_from_the_cache(rig: Rig) -> None:
    start_with_cache(rig, **{"AuthCacheCtrlr.DisablePostAuthorize": "false"})
    id_token_cached(rig, CARD, group=GROUP)
    id_token_cached(rig, OTHER_CARD, "Invalid", group=GROUP)
    answer(rig, group=GROUP)
    session = Session(rig, cached=True)
    session.ev_connected_pre_session()
    session.authorize()
    session.energy_transfer_started()
    rig.answer("Authorize", id_token_info("Invalid", group=GROUP))
    rig.card(OTHER_CARD)
    assert rig.expect("Authorize")["idToken"]["idToken"] == OTHER_CARD
    rig.expect_none("TransactionEvent", lambda event: "idToken" in event or event["eventType"] == "Ended")


@pytest.mark.tc("TC_E_45")
def test_stopped_offline_by_the_group(rig: Rig) -> None:
    start_with_cache(rig, **{"OCPPCommCtrlr.OfflineThreshold": "60"})
    id_token_cached(rig, OTHER_CARD, group=GROUP)
    answer(rig, group=GROUP)
    session = Session(rig)
    session.authorize()
    session.energy_transfer_started()
    rig.let(1.0)
    rig.go_away()
    rig.let(1.0)
    rig.card(OTHER_CARD)
    rig.let(DURATION)
    rig.unplug(session.evse)
    rig.let(1.0)
    rig.come_back()
    event = session.event("StopAuthorized")
    assert (event["eventType"], event["offline"]) == ("Ended", True), event
    later = [one for one in rig.transaction_events(session.transaction_id) if one["seqNo"] >= event["seqNo"]]
    assert all(one["offline"] for one in later), later
