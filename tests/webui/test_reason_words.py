"""No reason without a sentence that says what is so, and one that says what would change it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from django.utils import translation
from ocpp.v201.enums import AuthorizationStatusEnumType

from station.domain.availability import OutBy
from station.domain.board import Fault
from station.domain.reason import LimitedBy, Offline, Why
from station.live.payloads import ReasonLive
from webui import reason_words as words

SINCE = "2026-03-01T12:00:00.000Z"
STATUSES = ["", "Pending", "Rejected", *words.MESSAGES]


def every(why: Why) -> list[ReasonLive]:
    """The reason with everything that may come along."""
    found = [ReasonLive(why), ReasonLive(why, since=SINCE, left=1, limit=5.0, soc=100.0, charged=True, who="olga")]
    statuses = STATUSES if why is Why.NOT_ACCEPTED else words.MESSAGES
    found += [ReasonLive(why, status=status) for status in statuses]
    found += [ReasonLive(why, by=by, since=since, who="olga") for by, since in product([*OutBy, ""], ["", SINCE, "x"])]
    found += [ReasonLive(why, offline=offline) for offline in Offline]
    found += [ReasonLive(why, limited_by=limit) for limit in LimitedBy]
    found += [ReasonLive(why, faults=(fault,)) for fault in Fault]
    found += [ReasonLive(why, charged=charged, soc=soc) for charged in (True, False) for soc in (None, 50.0, 100.0)]
    return found


@pytest.mark.parametrize("why", list(Why))
def test_every_reason_says_what_is_so_and_what_would_change_it(why: Why) -> None:
    for reason in every(why):
        told = words.tell(reason)
        assert told is not None
        # Never told without what belongs to it (station.domain.reason).
        empty = {Why.FAULT: not reason.faults}.get(why, not reason.status and why in (Why.REFUSED, Why.DEAUTHORIZED))
        assert told.label
        assert told.tone in {"idle", "wait", "flow", "pause", "done", "off", "fault"}
        for sentence in (told.sentence, told.advice):
            assert empty or sentence.endswith("."), reason
            assert "%" not in sentence
            assert "_" not in sentence, reason


@pytest.mark.parametrize("status", [one.value for one in AuthorizationStatusEnumType if one.value != "Accepted"])
def test_every_word_of_the_csms_on_a_card_has_its_own_remedy(status: str) -> None:
    told = words.tell(ReasonLive(Why.REFUSED, status=status))
    assert told is not None
    assert status in words.MESSAGES
    assert status in words.REMEDIES
    assert told.sentence == words.MESSAGES[status]


def test_every_refusal_of_the_station_has_a_remedy() -> None:
    assert words.REMEDIES.keys() == words.MESSAGES.keys()


def test_a_reason_from_the_future_has_no_words_yet() -> None:
    assert words.tell(ReasonLive("on_the_moon")) is None
    assert words.tell(ReasonLive()) is None


def test_who_took_it_out_and_since_when() -> None:
    told = words.tell(ReasonLive(Why.UNAVAILABLE, by="person", who="<b>olga</b>", since=SINCE))
    assert told is not None
    assert told.sentence == "Out of service since 1 Mar 2026, 12:00: <b>olga</b> has taken this EVSE out."
    today = f"{datetime.now(UTC):%Y-%m-%dT08:30:00Z}"
    told = words.tell(ReasonLive(Why.UNAVAILABLE, by="csms", since=today))
    assert told is not None
    assert told.sentence == "Out of service since 08:30: the operator has taken this EVSE out."


def test_a_known_sentence_is_in_the_readers_language() -> None:
    with translation.override("de"):
        told = words.tell(ReasonLive(Why.REFUSED, status="Blocked"))
    assert told is not None
    assert told.sentence == "Die Karte ist gesperrt."


def test_seconds_left_are_counted() -> None:
    for left, text in ((1, "1 second is left."), (30, "30 seconds are left.")):
        told = words.tell(ReasonLive(Why.WAITING_FOR_CABLE, left=left))
        assert told is not None
        assert told.advice.endswith(text)
