"""A session's page beyond curve and events: phases, cost, the card's other sessions, signed readings."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from station.store.models import JournalEntry, MeterPoint, Transaction
from tests.webui.looking import look
from tests.webui.making import NOON
from tests.webui.sessions.test_sums import tariff

Make = Callable[..., Transaction]
DOCUMENT = 'OCMF|{"FV":"1.0","ID":"<&>"}|{"SA":"ECDSA-secp256r1-SHA256","SD":"00"}'


def words(browser: Client, made: Transaction) -> str:
    answer = browser.get(f"/sessions/{made.pk}/")
    assert answer.status_code == 200
    return look(answer.content).words


def test_phases_by_their_registers_and_their_highest_current(browser: Client, make_session: Make) -> None:
    made = make_session(state={"extra": {"phase_energy": [[1_000_000, 0, 5], [3_500_000, 2_000_000, 5]]}})
    for seconds, currents in ((0, (6_000, 6_100, None)), (60, (31_940, 16_000, None))):
        MeterPoint.objects.create(
            transaction=made,
            at=made.started_at + timedelta(seconds=seconds),
            power=7000,
            current=32,
            energy=1,
            current_1=currents[0],
            current_2=currents[1],
            current_3=currents[2],
        )
    said = words(browser, made)
    assert "Phase L1 2.500 kWh · up to 31.9 A" in said
    assert "Phase L2 2.000 kWh · up to 16.0 A" in said
    assert "Phase L3 0.000 kWh" in said


@pytest.mark.parametrize("state", [{}, [], {"extra": None}, {"extra": {"phase_energy": "x", "signed": 7}}])
def test_a_state_that_says_nothing_of_phases(browser: Client, make_session: Make, state: Any) -> None:
    said = words(browser, make_session(state=state))
    assert "Phase" not in said
    assert "OCMF" not in said


def test_the_bill(browser: Client, make_session: Make) -> None:
    tariff(valid_from=NOON - timedelta(days=1), session_fee="0.50")
    said = words(browser, make_session())
    for line in ("7.435 kWh at 0.3000 2.23 €", "Fee for the session 0.50 €", "Total 2.73 €"):
        assert line in said


def test_from_one_session_of_a_card_to_the_next(browser: Client, make_session: Make) -> None:
    newer = make_session()
    make_session(id_token="DEADBEEF")
    middle = make_session()
    older = make_session(started_at=middle.started_at)  # at the same instant: the order must be total

    def links(made: Transaction) -> list[str]:
        found = look(browser.get(f"/sessions/{made.pk}/").content).links
        return [link.split("/")[2] for link in found if link.startswith("/sessions/") and len(link) > 20]

    first, second = sorted((middle, older), key=lambda one: one.pk)
    assert links(newer) == [second.pk]
    assert links(second) == [first.pk, newer.pk]
    assert links(first) == [second.pk]


def test_signed_readings_can_be_taken_away(browser: Client, make_session: Make) -> None:
    signed = [base64.b64encode(DOCUMENT.encode()).decode(), "not base64!", base64.b64encode(b"second").decode()]
    made = make_session(state={"extra": {"signed": signed, "signed_key": "AAEC"}})
    assert f"/sessions/{made.pk}/signed.xml" in look(browser.get(f"/sessions/{made.pk}/").content).links
    answer = browser.get(f"/sessions/{made.pk}/signed.xml")
    assert answer["Content-Disposition"] == 'attachment; filename="signed_2025-06-01_1200.xml"'
    values = ElementTree.fromstring(answer.content)  # noqa: S314 - our own
    assert [value.get("context") for value in values] == ["Transaction.Begin", "Transaction.End"]
    assert [value.findtext("signedData") for value in values] == [DOCUMENT, "second"]
    assert values[0].findtext("publicKey") == "AAEC"


@pytest.mark.parametrize("address", ["nobody", "%00", "x" * 200, "nobody/signed.xml", "%2e%2e"])
def test_a_session_that_is_not_there_is_a_page_in_words(browser: Client, address: str) -> None:
    answer = browser.get(f"/sessions/{address}" + ("" if address.endswith("xml") else "/"))
    assert answer.status_code == 404
    assert b"No page, session or EVSE of this station has this address." in answer.content


def test_unsigned_sessions_have_nothing_to_take_away(browser: Client, make_session: Make) -> None:
    assert browser.get(f"/sessions/{make_session().pk}/signed.xml").status_code == 404


def test_it_says_when_the_journal_no_longer_reaches_back(browser: Client, make_session: Make) -> None:
    made = make_session()
    JournalEntry.objects.create(at=NOON + timedelta(days=40), kind="started")
    assert "journal reaches back to 11 July 2025 only" in words(browser, made)
