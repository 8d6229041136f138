"""The history: filter, paging, a session's page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from station.store.models import JournalEntry, MeterPoint, Transaction
from tests.webui.looking import look
from tests.webui.making import NOON
from webui import words
from webui.sessions.filters import PER_PAGE

Make = Callable[..., Transaction]


def shown(browser: Client, query: str = "") -> list[str]:
    """The ids of the sessions that the list shows, in its order."""
    answer = browser.get(f"/sessions/{query}")
    assert answer.status_code == 200
    page = look(answer.content)
    return [link.split("/")[2] for link in page.links if link.startswith("/sessions/") and link != "/sessions/"]


def test_empty_history_says_so(browser: Client) -> None:
    assert "There has been no session yet" in look(browser.get("/sessions/").content).words


def test_newest_first_with_figures_and_words(browser: Client, make_session: Make) -> None:
    newer = make_session(stopped_reason="StoppedByEV")
    older = make_session(id_token="", id_token_type="NoAuthorization", evse_id=None)
    assert shown(browser) == [newer.pk, older.pk]
    words = look(browser.get("/sessions/").content).words
    assert "1 h 35 min" in words
    assert "7.43 kWh" in words
    assert "The car was full or ended charging" in words
    assert "Without a card" in words
    assert newer.id_token not in words


def test_filters(browser: Client, make_session: Make) -> None:
    a = make_session(evse_id=1)
    b = make_session(evse_id=2, stopped_reason="Remote")
    c = make_session(evse_id=2, active=True, ended_at=None, stopped_reason="", id_token="DEADBEEF")
    assert shown(browser, "?evse=2") == [b.pk, c.pk]
    assert shown(browser, "?ended=Remote") == [b.pk]
    assert shown(browser, "?ended=running") == [c.pk]
    assert shown(browser, "?card=%20beef") == [c.pk]
    assert shown(browser, "?since=2025-06-01&until=2025-06-01") == [a.pk]
    assert shown(browser, "?until=2025-05-31") == [b.pk, c.pk]
    assert shown(browser, "?evse=2&since=&until=&card=&ended=") == [b.pk, c.pk]
    assert "No session fits this filter" in look(browser.get("/sessions/?evse=9").content).words


def test_days_are_those_of_the_station(browser: Client, make_session: Make, settings: object) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"  # type: ignore[attr-defined]
    late = make_session()  # noon in UTC is midnight there: the next day
    assert shown(browser, "?since=2025-06-02") == [late.pk]
    assert shown(browser, "?until=2025-06-01") == []
    assert "Monday, 2 June 2025" in look(browser.get("/sessions/").content).words


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?since=yesterday", "Enter a valid date."),
        ("?since=2025-06-02&until=2025-06-01", "The last day lies before the first."),
        ("?evse=0", "greater than or equal to 1"),
        ("?evse=two", "Enter a whole number."),
        ("?ended=%3Cscript%3E", "Select a valid choice."),
        (f"?card={'x' * 40}", "at most 36 characters"),
        ("?card=%00", "Null characters are not allowed."),
        ("?before=nonsense", "This page of the list does not exist."),
        ("?after=20250601T120000.000000_", "This page of the list does not exist."),
        ("?before=20250601T120000.000000_%00", "This page of the list does not exist."),
    ],
)
def test_what_makes_no_sense_is_named(browser: Client, make_session: Make, query: str, said: str) -> None:
    make_session()
    answer = browser.get(f"/sessions/{query}")
    assert answer.status_code == 400
    assert said in look(answer.content).words


@pytest.mark.parametrize("query", ["?until=9999-12-31", "?since=0001-01-01", "?page=7&x=y"])
def test_ends_of_the_calendar_and_unknown_parameters(browser: Client, make_session: Make, query: str) -> None:
    made = make_session()
    assert shown(browser, query) == [made.pk]


def test_paging_reaches_every_session_once_and_back(browser: Client, make_session: Make) -> None:
    # Many at the same instant: the order must be total.
    made = [make_session(started_at=NOON - timedelta(days=i // 7), evse_id=1 + i % 2) for i in range(2 * PER_PAGE + 3)]
    pages, query = [], "?evse=&card=E6F7"
    while query:
        pages.append(shown(browser, query))
        links = look(browser.get(f"/sessions/{query}").content).links
        query = next((link for link in links if "before=" in link), "")
        assert not query or "card=E6F7" in query
    assert [len(page) for page in pages] == [PER_PAGE, PER_PAGE, 3]
    assert sorted(pk for page in pages for pk in page) == sorted(session.pk for session in made)

    links = look(browser.get(f"/sessions/?before={_last_cursor(browser)}").content).links
    back = next(link for link in links if "after=" in link)
    assert shown(browser, back) == pages[0]
    assert not [link for link in look(browser.get(f"/sessions/{back}").content).links if "after=" in link]


def _last_cursor(browser: Client) -> str:
    links = look(browser.get("/sessions/").content).links
    return next(link for link in links if "before=" in link).split("before=")[1]


def test_list_reads_little(browser: Client, make_session: Make, django_assert_max_num_queries: object) -> None:
    for _ in range(PER_PAGE + 1):
        make_session()
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        browser.get("/sessions/", headers={"Accept-Language": "en"})  # as every browser says


def test_session_page(browser: Client, make_session: Make) -> None:
    made = make_session()
    for seconds in range(0, 5700, 10):
        MeterPoint.objects.create(
            transaction=made, at=made.started_at + timedelta(seconds=seconds), power=7360, current=32, energy=1, soc=40
        )
    for seconds, kind, data in [
        (0, "plugged_in", {}),
        (2, "authorized", {"id_token": made.id_token, "type": "ISO14443"}),
        (9, "something_new", {}),
        (10, "fault", "no mapping"),
    ]:
        JournalEntry.objects.create(
            at=made.started_at + timedelta(seconds=seconds), kind=kind, transaction_id=made.pk, evse_id=1, data=data
        )
    answer = browser.get(f"/sessions/{made.pk}/")
    page = look(answer.content)
    for said in [
        "7.435 kWh",
        "1204.600 kWh",
        "1212.035 kWh",
        "7.36 kW",
        "1 h 35 min",
        "The car was unplugged",
        "The operator's system accepted the card.",
        "The car was plugged in.",
        "Card •• E6F7 was accepted.",
        "Something new.",
    ]:
        assert said in page.words, said
    assert made.id_token not in page.words
    assert "hx-trigger" not in answer.content.decode().split("<main")[1]


def test_session_page_tells_what_led_to_it_and_nothing_of_others(browser: Client, make_session: Make) -> None:
    made = make_session()
    earlier = make_session(
        started_at=made.started_at - timedelta(hours=1), ended_at=made.started_at - timedelta(minutes=1)
    )

    def note(seconds: float, kind: str, evse_id: int | None = 1, transaction_id: str | None = None) -> None:
        at = made.started_at + timedelta(seconds=seconds)
        JournalEntry.objects.create(at=at, kind=kind, evse_id=evse_id, transaction_id=transaction_id)

    note(-70, "fault")  # still of the session before
    note(-30, "plugged_in")
    note(-20, "unlocked", evse_id=2)
    note(-10, "authorized")
    note(0, "transaction_started", transaction_id=made.pk)
    note(0, "resumed", transaction_id=earlier.pk)
    note(-15, "link_up", evse_id=None)
    note(60, "link_down", evse_id=None)
    note(61, "door_closed", evse_id=None)
    note(95 * 60 + 5, "unplugged")
    note(95 * 60 + 300, "fault_cleared")
    said = look(browser.get(f"/sessions/{made.pk}/").content).words.split("What happened")[1]
    expected = ["plugged in.", "accepted.", "began.", "was lost; charging goes on.", "unplugged."]
    assert [said.find(piece) for piece in expected] == sorted(said.find(piece) for piece in expected)
    assert all(piece in said for piece in expected)
    assert not [piece for piece in ("fault", "unlocked", "restart", "housing", "gone", "came up") if piece in said]


def test_running_session_renews_itself(browser: Client, make_session: Make) -> None:
    made = make_session(active=True, ended_at=None, meter_stop=None, stopped_reason="")
    answer = browser.get(f"/sessions/{made.pk}/")
    assert 'hx-trigger="every 5s"' in answer.content.decode()
    assert "No power was measured" in look(answer.content).words
    piece = browser.get(f"/sessions/{made.pk}/", headers={"HX-Request": "true", "HX-Target": "session-live"})
    assert b"<html" not in piece.content
    assert "Running" in look(piece.content).words


def test_hostile_strings_are_only_text(browser: Client, make_session: Make) -> None:
    bad = "<script>alert(1)</script>"
    made = make_session(id_token=bad, id_token_type=bad[:20], authorized_by=bad[:20], stopped_reason=bad[:20])
    JournalEntry.objects.create(at=NOON, kind=bad, transaction_id=made.pk, data={"id_token": bad, "type": bad})
    for kind in words._EVENTS:
        data = dict.fromkeys(("id_token", "type", "reason", "why", "status", "tech_info"), bad) | {"faults": [bad]}
        JournalEntry.objects.create(at=NOON, kind=kind, transaction_id=made.pk, data=data)
    for address in ("/sessions/", f"/sessions/{made.pk}/"):
        answer = browser.get(address)
        assert b"<script>" not in answer.content
        look(answer.content)
