"""Key codes, the start button, the cache offline, and who is never asked (C02 to C06, C12 to C15)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ocpp.blocks.test_c_authorization import START, asked, refusals, station
from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig

CARD, OTHER = "04A2B3C4D5E6F7", "04BB"
TYPES = "Central,ISO14443,ISO15693,KeyCode,MacAddress,NoAuthorization"
CACHE = {"AuthCacheCtrlr.Enabled": "true", "AuthCtrlr.LocalPreAuthorize": "true"}


def says(rig: MemoryRig, status: str = "Accepted", **info: Any) -> None:
    """What the CSMS says of every token, in Authorize and in TransactionEvent."""
    response = {"idTokenInfo": {"status": status, **info}}
    rig.answers["Authorize"] = response
    rig.answers["TransactionEvent"] = lambda event: response if "idToken" in event else {}


def cached(rig: MemoryRig, status: str = "Accepted", uid: str = CARD, **info: Any) -> None:
    """Let the CSMS speak of a card, and see to it that nothing runs afterwards."""
    says(rig, status, **info)
    rig.card(uid)
    if status == "Accepted" and rig.station.context.lobby.authorization:
        rig.card(uid)
    rig.trace.clear()


# ------------------------------------------------------------------ the word of the CSMS


@pytest.mark.parametrize(
    "status",
    [
        "Blocked",
        "ConcurrentTx",
        "Expired",
        "Invalid",
        "NoCredit",
        "NotAllowedTypeEVSE",
        "NotAtThisLocation",
        "NotAtThisTime",
        "Unknown",
    ],
)
def test_every_status_but_accepted_is_a_refusal(status: str) -> None:
    """C01.FR.02, C01.FR.07."""
    rig = station(**{START: "Authorized"})
    says(rig, status)
    rig.plug()
    rig.card()
    rig.let(5)
    assert refusals(rig) == [status]
    assert not rig.events()


# ------------------------------------------------------------------ the cache, online and offline


def test_offline_the_cache_knows_who_may_charge() -> None:
    """C12, C13; AuthCtrlr.LocalAuthorizeOffline."""
    rig = station(**CACHE, **{"AuthCtrlr.OfflineTxForUnknownIdEnabled": "false"})
    cached(rig)
    rig.disconnect()
    rig.plug()
    rig.card(OTHER)
    rig.let(3)
    assert rig.board.evses[1].power == 0
    rig.card()
    rig.let(3)
    assert rig.board.evses[1].power > 0
    transaction = rig.station.context.evses[1].transaction
    assert transaction is not None
    assert transaction.authorized_by == "cache"


@pytest.mark.parametrize(
    ("status", "variable", "starts"),
    [
        ("Accepted", "LocalAuthorizeOffline", False),  # set to false
        ("Blocked", "", False),  # a token that is known not to be accepted is no unknown one
        ("Blocked", "OfflineTxForEveryIdEnabled", True),
    ],
)
def test_offline_a_known_card(status: str, variable: str, starts: bool) -> None:
    rig = station(**CACHE)
    cached(rig, status)
    if variable:
        rig.set_variable(f"AuthCtrlr.{variable}", "true" if starts else "false")
    rig.disconnect()
    rig.plug()
    rig.card()
    rig.let(3)
    assert (rig.board.evses[1].power > 0) is starts


def test_who_was_let_in_unknown_is_not_kept() -> None:
    """C15.FR.01: only the CSMS's word is."""
    rig = station(**CACHE)
    rig.disconnect()
    rig.plug()
    rig.card()
    rig.let(3)
    assert rig.board.evses[1].power > 0
    assert not rig.disk.cached_tokens


def test_a_cached_token_for_another_evse_does_not_start_here() -> None:
    """C01.FR.21."""
    rig = station(**CACHE)
    cached(rig, evseId=[2])
    rig.plug(1)
    rig.card()
    rig.let(3)
    assert not asked(rig)
    assert rig.board.evses[1].power == 0
    assert refusals(rig)[-1] == "NotAllowedTypeEVSE"


def test_only_what_the_station_knows_counts_where_the_csms_is_not_to_be_asked() -> None:
    """AuthCtrlr.DisableRemoteAuthorization; LocalPreAuthorize does not matter then."""
    rig = station(**CACHE)
    cached(rig)
    rig.set_variable("AuthCtrlr.LocalPreAuthorize", "false")
    rig.set_variable("AuthCtrlr.DisableRemoteAuthorization", "true")
    rig.plug()
    rig.card(OTHER)
    assert refusals(rig)[-1] == "not_known_here"
    rig.card()
    rig.let(3)
    assert not asked(rig)
    assert rig.board.evses[1].power > 0


def test_the_cache_survives_a_power_cut_and_clear_cache_is_for_good() -> None:
    """C10.FR.02, C11."""
    rig = station(**CACHE)
    cached(rig)
    rig.power_cut()
    rig.boot()
    rig.card()
    assert not asked(rig)
    assert rig.call("ClearCache") == {"status": "Accepted"}
    rig.power_cut()
    rig.boot()
    assert not rig.disk.cached_tokens
    rig.card(OTHER)
    assert asked(rig) == [OTHER]


@pytest.mark.parametrize("stage", ["Authorize", "TransactionEvent"])
def test_either_response_updates_the_cache(stage: str) -> None:
    """C10.FR.04, C10.FR.05."""
    rig = station(**CACHE)
    rig.answers[stage] = {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "G", "type": "Central"}}}
    rig.plug()
    rig.card()
    rig.let(3)
    (entry,) = rig.disk.cached_tokens.values()
    assert entry.info.group_id_token is not None


# ------------------------------------------------------------------ remote start


def test_a_remote_start_without_authorization_is_refused_where_that_is_not_supported() -> None:
    """As shipped: part 5, C-39."""
    rig = station()
    rig.plug()
    token = {"idToken": "", "type": "NoAuthorization"}
    answer = rig.call("RequestStartTransaction", {"idToken": token, "remoteStartId": 7, "evseId": 1})
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidIdToken")
    rig.let(3)
    assert rig.board.evses[1].power == 0


@pytest.mark.parametrize("kind", ["Central", "NoAuthorization"])
def test_a_token_of_the_csms_itself_is_not_asked_about(kind: str) -> None:
    """C03.FR.01, C05.FR.01."""
    rig = station(**{"AuthCtrlr.AuthorizeRemoteStart": "true", "AuthCtrlr.SupportedIdTokenTypes": TYPES})
    rig.plug()
    token = {"idToken": "" if kind == "NoAuthorization" else "C-1", "type": kind}
    rig.call("RequestStartTransaction", {"idToken": token, "remoteStartId": 7, "evseId": 1})
    rig.let(3)
    assert not asked(rig)
    assert rig.board.evses[1].power > 0


def test_the_group_named_by_a_remote_start_may_stop_it() -> None:
    """C09.FR.03."""
    rig = station()
    rig.plug()
    group = {"idToken": "G", "type": "Central"}
    start = {"idToken": {"idToken": OTHER, "type": "ISO14443"}, "groupIdToken": group, "remoteStartId": 7, "evseId": 1}
    rig.call("RequestStartTransaction", start)
    rig.let(3)
    says(rig, groupIdToken=group)
    rig.card()
    rig.let(3)
    assert rig.told()[-1].startswith("Ended StopAuthorized")


# ------------------------------------------------------------------ key codes (C04)


def enter(rig: MemoryRig, code: str, number: int) -> Any:
    return rig.operator("start", number, evse_id=1, id_token=code, type="KeyCode")


def test_a_key_code_starts_and_stops() -> None:
    """C04, C01.FR.03."""
    rig = station(**{"AuthCtrlr.SupportedIdTokenTypes": TYPES})
    rig.plug()
    assert enter(rig, "1234", 1).status == "Accepted"
    rig.let(3)
    assert asked(rig) == ["1234"]
    assert rig.board.evses[1].power > 0
    assert enter(rig, "1234", 2).message == "Stopped."
    rig.let(3)
    assert len(check(rig)) == 1


def test_key_codes_never_appear_in_the_journal() -> None:
    """C04.FR.04."""
    rig = station(**{"AuthCtrlr.SupportedIdTokenTypes": TYPES})
    rig.plug()
    enter(rig, "815381", 1)
    rig.let(3)
    says(rig, "Invalid")
    enter(rig, "471147", 2)
    assert rig.disk.journal
    assert "815381" not in str(rig.disk.journal)
    assert "471147" not in str(rig.disk.journal)


def test_guessing_key_codes_takes_longer_and_longer() -> None:
    """C04.FR.06."""
    rig = station(**{"AuthCtrlr.SupportedIdTokenTypes": TYPES})
    says(rig, "Invalid")
    rig.plug()
    for number in range(3):
        assert enter(rig, f"000{number}", number).message == "Invalid"
    assert enter(rig, "0003", 3).message == "too_many_tries"
    rig.let(5)
    assert enter(rig, "0004", 4).message == "Invalid"
    rig.let(5)
    assert enter(rig, "0005", 5).message == "too_many_tries"
    rig.let(5)
    says(rig)
    assert enter(rig, "1234", 6).status == "Accepted"
    assert len(asked(rig)) == 5
    rig.card(OTHER)  # cards are not held up
    assert asked(rig)[-1] == OTHER


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"id_token": "", "type": "KeyCode"}, "bad_token"),
        ({"id_token": "1" * 37, "type": "KeyCode"}, "bad_token"),
        ({"id_token": "1234", "type": "eMAID"}, "unsupported_type"),
        ({"id_token": "1234", "type": "Nonsense"}, "unsupported_type"),
    ],
)
def test_what_the_page_may_not_present(arguments: dict[str, str], said: str) -> None:
    rig = station(**{"AuthCtrlr.SupportedIdTokenTypes": TYPES})
    rig.plug()
    done = rig.operator("start", evse_id=1, **arguments)
    assert done is not None
    assert (done.status, done.message) == ("Rejected", said)
    assert not asked(rig)


def test_kinds_that_are_not_supported_are_not_taken() -> None:
    """AuthCtrlr.SupportedIdTokenTypes (errata 2.63)."""
    rig = station(**{"AuthCtrlr.SupportedIdTokenTypes": "ISO14443"})
    rig.card("E004010203040506", type="ISO15693")
    assert refusals(rig) == ["unsupported_type"]
    assert not asked(rig)


def test_as_shipped_the_other_kind_of_card_is_not_taken() -> None:
    """The CP6000 has a reader for ISO14443 only (C-31, C-37)."""
    rig = station()
    rig.card("E004010203040506", type="ISO15693")
    assert refusals(rig) == ["unsupported_type"]
    token = {"idToken": "E004010203040506", "type": "ISO15693"}
    answer = rig.call("RequestStartTransaction", {"idToken": token, "remoteStartId": 1, "evseId": 1})
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidIdToken")


def test_nobody_starts_from_the_web_page_where_that_is_off() -> None:
    """C-33: the idToken that the station makes up for a person at its page is of type Local."""
    rig = station(**{"AuthCtrlr.SupportedIdTokenTypes": "ISO14443"})
    rig.plug()
    done = rig.operator("start", evse_id=1)
    assert done is not None
    assert (done.status, done.message) == ("Rejected", "unsupported_type")
    assert not asked(rig)


def test_the_mac_address_of_a_car_is_asked_about_like_a_card() -> None:
    rig = station(**{"AuthCtrlr.SupportedIdTokenTypes": TYPES})
    rig.plug()
    rig.card("0024D7A1B2C3", evse=1, type="MacAddress")
    rig.let(3)
    assert rig.sent("Authorize")[0]["idToken"] == {"idToken": "0024D7A1B2C3", "type": "MacAddress"}
    assert rig.board.evses[1].power > 0


# ------------------------------------------------------------------ the start button (C02)


def test_the_start_button() -> None:
    """C02.FR.01, C02.FR.03."""
    rig = station(**CACHE, **{"AuthCtrlr.SupportedIdTokenTypes": TYPES})
    says(rig)
    rig.plug()
    done = rig.operator("start", evse_id=1)
    assert done is not None
    assert done.status == "Accepted"
    rig.let(3)
    assert not asked(rig)
    assert rig.board.evses[1].power > 0
    told = [event["idToken"] for event in rig.events() if "idToken" in event]
    assert told == [{"idToken": "", "type": "NoAuthorization"}]
    assert not rig.disk.cached_tokens
    rig.power_cut()
    rig.boot()
    rig.let(5)
    assert rig.board.evses[1].power > 0


def test_a_card_where_no_authorization_is_needed_is_only_passed_on() -> None:
    """AuthCtrlr.Enabled false (part 2, 2.3.1)."""
    rig = station(**{"AuthCtrlr.Enabled": "false"})
    rig.card()
    rig.plug()
    rig.let(3)
    assert not asked(rig)
    assert rig.events()[0]["idToken"]["idToken"] == CARD
    rig.card(OTHER, evse=1)
    assert not asked(rig)
    assert refusals(rig) == ["occupied"]


# ------------------------------------------------------------------ what the driver is told


def test_language_and_message_go_with_the_authorization_and_with_the_refusal() -> None:
    """C01.FR.08, C01.FR.09."""
    message = {"format": "UTF8", "content": "Bonjour", "language": "fr"}
    spoken: dict[str, Any] = {"language1": "fr", "language2": "en", "personalMessage": message}
    rig = station()
    says(rig, "Blocked", **spoken)
    rig.plug()
    rig.card()
    refusal = rig.station.authorization.refusal
    assert refusal is not None
    assert (refusal.languages, refusal.personal_message) == (("fr", "en"), "Bonjour")
    says(rig, **spoken)
    rig.card()
    authorization = rig.station.context.evses[1].authorization
    assert authorization is not None
    assert (authorization.languages, authorization.personal_message) == (("fr", "en"), "Bonjour")
