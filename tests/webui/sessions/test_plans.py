"""No page reads all sessions: what SQLite says it would do, for every kind of filter."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.webui.sessions.test_sums import history, tariff
from webui.sessions import adding_up
from webui.sessions.export import encoded
from webui.sessions.filters import RUNNING, Selection
from webui.sessions.paging import PER_PAGE, Found, page

LARGE = ("station_transaction", "station_meter_point", "tariff_cost", "history_card_day")
SELECTIONS = [
    Selection(),
    Selection(evse=1),
    Selection(card="E6F7"),
    Selection(card="E"),
    Selection(ended="Remote"),
    Selection(ended=RUNNING),
    Selection(since=date(2025, 5, 1), until=date(2025, 5, 31)),
    Selection(evse=2, ended="Local"),
    Selection(evse=2, card="E6F7", ended="Local"),
    Selection(since=date(2025, 4, 1), evse=1, card="E6F7", ended="Remote"),
]


def scans(queries: CaptureQueriesContext) -> list[str]:
    """What reads a large table from end to end."""
    found = []
    for query in queries.captured_queries:
        if not query["sql"].startswith("SELECT"):
            continue
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"].replace("%", "%%"), ())
            steps = [row[3] for row in cursor.fetchall()]
        found += [f"{step}: {query['sql'][-200:]}" for step in steps if _is_scan(step)]
    return found


def _is_scan(step: str) -> bool:
    scanned = re.match(r"SCAN (\w+)(?: USING .*INDEX (\w+))?", step)
    # In the order of an index, up to a page's end: that is how the newest are found.
    return bool(scanned and scanned[1] in LARGE and not scanned[2])


@pytest.fixture
def many(db: None) -> None:
    tariff()
    history(200, active=2)
    adding_up.add_up(breath=0)


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_list_uses_indices(many: None, selection: Selection) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = Found.of(selection)
        page(found)
        page(found, before="20250501T000000.000000_x")
        page(found, after="20250501T000000.000000_x")
    assert scans(queries) == []
    # The question and its first page; those after it look at nothing anew.
    assert len(queries) <= 24


@pytest.mark.parametrize("selection", SELECTIONS, ids=str)
def test_export_uses_indices(many: None, selection: Selection) -> None:
    found = Found.of(selection)
    with CaptureQueriesContext(connection) as queries:
        list(encoded(found))
    assert scans(queries) == []


@pytest.mark.parametrize("address", ["/sessions/chart/?period=2025", "/sessions/chart/?period=2025-05&card=e", "/"])
def test_pages_use_indices(many: None, browser: Client, address: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(address).status_code == 200
    assert scans(queries) == []
    assert len(queries) <= 20


def test_session_page_uses_indices(many: None, browser: Client) -> None:
    found = page(Found.of(Selection(card="E6F7"))).sessions[3]
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(f"/sessions/{found.pk}/").status_code == 200
    assert scans(queries) == []


def test_pages_are_the_same_by_whatever_index(many: None, monkeypatch: Any) -> None:
    monkeypatch.setattr("webui.sessions.paging.SORTED", 0)  # as if every selection were large
    for selection in SELECTIONS:
        large, wanted = Found.of(selection), selection.apply(adding_up.numbered())
        expected = list(wanted.order_by("-started_at", "-transaction_id").values_list("pk", flat=True))
        assert [one.pk for one in page(large).sessions] == expected[:PER_PAGE]
        assert large.totals is not None
        assert large.totals.sessions == len(expected)
