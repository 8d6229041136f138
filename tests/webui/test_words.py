"""Words: every fact has some, and no identifier is given away whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ocpp.v201.enums import ReasonEnumType

from station.domain import board
from station.domain.authorization import AuthorizedBy
from station.domain.board import Fault
from station.domain.network import FailureCause
from tests.webui.making import charging, free
from webui import installer_words, words

ACTIVITIES = [
    *("free", "waiting_for_card", "waiting_for_plug", "authorizing", "preparing", "charging", "suspended_ev"),
    *("suspended_evse", "finishing", "unavailable", "faulted", "no_board"),
]


@pytest.mark.parametrize("word", ACTIVITIES)
def test_every_activity_has_a_sentence(word: str) -> None:
    known = words.activity(word)
    assert str(known.sentence).endswith(".")
    assert "_" not in str(known.label)


def test_unknown_words_are_shown_as_they_are() -> None:
    assert words.activity("levitating").label == "Levitating"
    assert words.reason("Whim") == "Whim"
    assert words.event("new_thing", {}) == "New thing."
    assert words.message("odd_reason") == "Odd reason"
    assert words.faults(free(faults=("Gremlins",))) == ["Fault: Gremlins"]
    assert words.registration(True, "Later") == "Later"


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_says_what_to_do(fault: Fault) -> None:
    [sentence] = words.faults(free(faults=(fault.value,)))
    assert fault.value not in sentence


@pytest.mark.parametrize("warning", list(board.BoardWarning))
def test_every_warning_has_words(warning: board.BoardWarning) -> None:
    [sentence] = words.warnings(charging(warnings=(warning.value,)))
    assert warning.value not in sentence


@pytest.mark.parametrize("reason", list(ReasonEnumType))
def test_every_stop_reason_has_words(reason: ReasonEnumType) -> None:
    assert words.reason(reason.value) != reason.value


@pytest.mark.parametrize("by", list(AuthorizedBy))
def test_every_authorization_has_words(by: AuthorizedBy) -> None:
    assert words.authorized_by(by.value) != by.value


@pytest.mark.parametrize(
    ("token", "kind", "shown"),
    [
        ("04A2B3C4D5E6F7", "ISO14443", "Card •• E6F7"),
        ("DE*ABC*123456", "eMAID", "Contract •• 3456"),
        ("1234", "ISO14443", "Card •• 34"),
        ("7", "Local", "Local ••"),
        ("4711", "KeyCode", "Key code ••"),
        ("WEB-olga", "Local", "Web · olga"),
        ("", "NoAuthorization", "Without a card"),
        (None, None, ""),
        ("04A2B3C4D5E6F7", None, "Card •• E6F7"),
    ],
)
def test_masked(token: str | None, kind: str | None, shown: str) -> None:
    assert words.masked(token, kind) == shown


ROOMS = Path(__file__).resolve().parents[2] / "station"


def test_every_kind_of_the_journal_has_a_sentence() -> None:
    written = {
        kind
        for path in (ROOMS / "ocpp").rglob("*.py")
        for call in re.findall(r"\.journal\(\s*now,\s*([^,)]+)", path.read_text())
        for kind in re.findall(r'"(\w+)"', call)
    }
    assert {"plugged_in", "refused", "unlock_failed"} <= written
    assert written <= set(words._EVENTS)


@pytest.mark.parametrize("kind", sorted(words._EVENTS))
def test_an_event_without_its_facts_is_still_a_sentence(kind: str) -> None:
    assert words.event(kind, {})


def test_events() -> None:
    card = {"id_token": "04A2B3C4D5E6F7", "type": "ISO14443"}
    assert words.event("refused", {**card, "why": "Expired"}) == "Card •• E6F7 was refused. The card has expired."
    assert words.event("transaction_ended", {"reason": "Local"}) == "The session ended. Stopped at the station."
    assert words.event("fault", {"faults": ["PowerLoss", "Gremlins"]}).endswith("circuit breaker. Fault: Gremlins.")


def test_trials() -> None:
    tried = {"what": "network_profile", "slot": 2}
    assert words.event("trial_kept", tried) == "This worked and is kept: the new settings of slot 2."
    assert words.event("trial_taken_back", {**tried, "why": "credentials", "detail": "HTTP 401"}) == (
        "The former settings came back by themselves, for the new settings of slot 2 did not work. "
        "The operator's server does not take this identity and password. (HTTP 401)"
    )
    by_hand = {"what": "credentials", "why": "by_hand", "detail": "olga"}
    assert words.event("trial_taken_back", by_hand) == "olga took the new identity or password back."


@pytest.mark.parametrize("cause", list(FailureCause))
def test_every_failure_of_a_connection_has_words(cause: FailureCause) -> None:
    assert installer_words.why(cause).endswith(".")
    assert installer_words.why(cause) != installer_words.why("odd_word") == "Odd word."


def test_outcomes() -> None:
    assert words.outcome("start", False, "occupied") == "Somebody is charging here already."
    assert words.outcome("start", True, "Authorized.").startswith("Charging is allowed.")
    assert words.outcome("unlock", False, "The lock did not open.") == "The lock did not open."
    assert words.outcome("unlock", False, "") == "The station refused."
    assert words.outcome("start", False, "odd_word") == "Odd word"


def test_doubts_about_the_meter() -> None:
    doubted, failed = words.warnings(free(warnings=("Meter:energy_jumped", "Meter:meter_failed")))
    assert doubted != failed
    assert "Meter:" not in doubted + failed
