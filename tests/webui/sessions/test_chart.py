"""The charts: periods of the calendar, bars that lead into them, and the table beside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from station.store.models import Transaction
from tests.webui.looking import look
from tests.webui.making import NOON
from tests.webui.sessions.test_sums import tariff
from webui.charts import bars
from webui.sessions import adding_up
from webui.sessions.periods import BadPeriod, Period

Make = Callable[..., Transaction]


@pytest.mark.parametrize(
    ("text", "first", "last", "before", "after", "wider"),
    [
        ("2025", date(2025, 1, 1), date(2025, 12, 31), "2024", "2026", "all"),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29), "2024-01", "2024-03", "2024"),
        ("2025-12-31", date(2025, 12, 31), date(2025, 12, 31), "2025-12-30", "2026-01-01", "2025-12"),
        ("all", None, None, "", "", ""),
        ("9998", date(9998, 1, 1), date(9998, 12, 31), "9997", "", "all"),
        ("0001-01-01", date(1, 1, 1), date(1, 1, 1), "", "0001-01-02", "0001-01"),
    ],
)
def test_periods(text: str, first: Any, last: Any, before: str, after: str, wider: str) -> None:
    period = Period.read(text)
    assert str(period) == text
    assert (period.first, period.last) == (first, last)
    assert (period.beside(-1), period.beside(1), period.wider) == (before, after, wider)


@given(st.text(max_size=12))
def test_what_is_no_period_is_refused(text: str) -> None:
    with suppress(BadPeriod):
        assert str(Period.read(text)) == text


@pytest.mark.parametrize(
    "text", ["", "25", "2025-13", "2025-02-30", "2025-6", "2025-06-01-01", "２０２５", "0000", "x"]
)
def test_no_period(text: str) -> None:
    with pytest.raises(BadPeriod):
        Period.read(text)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=40))
@example([5e-324])
@example([1e308, 1.0])
def test_bars_stay_in_the_picture(values: list[float]) -> None:
    drawn = bars.draw(values, 10, 60)
    assert len(drawn.bars) == len(values)
    for bar in drawn.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= 100.01
        assert bar.y >= 10 - 0.01 - bars.LEAST
        assert bar.y + bar.height == pytest.approx(60, abs=0.01)


def test_the_largest_bar_is_that_of_the_largest_value() -> None:
    heights = [bar.height for bar in bars.draw([1, 3, 0, 2]).bars]
    assert heights[1] > heights[3] > heights[0] > heights[2] == 0


def columns(browser: Client, query: str) -> list[str]:
    """What the bars say, those that say anything."""
    answer = browser.get(f"/sessions/chart/{query}")
    assert answer.status_code == 200
    html = answer.content.decode()
    look(html)
    titles = [part.split("</title>")[0].replace("\xa0", " ") for part in html.split("<title>")[2:]]
    return [title for title in titles if ": 0.00 kWh" not in title]


@pytest.mark.parametrize("added_up", [False, True])
def test_from_all_years_to_the_hour(browser: Client, make_session: Make, added_up: bool) -> None:
    tariff(valid_from=NOON - timedelta(days=400))
    make_session(energy=10_000_000)  # 1 June 2025, noon
    make_session(energy=5_000_000)  # 31 May
    make_session(energy=1_000_000, started_at=NOON - timedelta(days=366), evse_id=2)
    if added_up:
        adding_up.add_up(breath=0)
    assert columns(browser, "?period=all") == ["2024: 1.00 kWh, 0.30 €", "2025: 15.00 kWh, 4.50 €"]
    assert columns(browser, "?period=2025") == ["May 2025: 5.00 kWh, 1.50 €", "June 2025: 10.00 kWh, 3.00 €"]
    assert columns(browser, "?period=2025-06") == ["June 1, 2025: 10.00 kWh, 3.00 €"]
    assert columns(browser, "?period=2025-06-01") == ["12:00: 10.00 kWh, 3.00 €"]
    assert columns(browser, "?period=all&evse=2") == ["2024: 1.00 kWh, 0.30 €"]


def test_bars_and_arrows_keep_the_filter(browser: Client, make_session: Make) -> None:
    make_session(evse_id=1)
    links = look(browser.get("/sessions/chart/?period=2025-06&evse=1&card=E6F7&x=y").content).links
    assert "?period=2025-06-01&evse=1&card=E6F7" in links
    assert "?period=2025-05&evse=1&card=E6F7" in links
    assert "/sessions/?evse=1&card=E6F7&since=2025-06-01&until=2025-06-30" in links
    listed = browser.get("/sessions/?evse=1&card=E6F7&since=2025-06-01&until=2025-06-30")
    assert b"7.43" in listed.content


def test_it_can_be_read_as_a_table(browser: Client, make_session: Make) -> None:
    make_session(energy=10_000_000)
    words = look(browser.get("/sessions/chart/?period=2025").content).words
    assert "June 2025 1 10.00 kWh" in words
    assert "The most in June 2025: 10.0 kWh." in words


def test_an_empty_time_says_so(browser: Client, make_session: Make) -> None:
    assert "There was no session in this time." in look(browser.get("/sessions/chart/?period=2001").content).words
    make_session()
    assert "No session of this time fits" in look(browser.get("/sessions/chart/?period=2025&evse=9").content).words


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?period=tomorrow", "This is no year, month or day of the calendar."),
        ("?period=2025-02-30", "This is no year, month or day of the calendar."),
        ("?period=2025&evse=two", "Enter a whole number."),
        ("?period=2025&ended=%3Cscript%3E", "Select a valid choice."),
        ("?period=2025&card=%00", "Null characters are not allowed."),
    ],
)
def test_what_makes_no_sense_is_named(browser: Client, query: str, said: str) -> None:
    answer = browser.get(f"/sessions/chart/{query}")
    assert answer.status_code == 400
    assert said in look(answer.content).words


def test_it_says_when_the_sums_are_being_made(browser: Client, make_session: Make, monkeypatch: Any) -> None:
    monkeypatch.setattr("webui.sessions.sums.MOST_COUNTED", 0)
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_args, **_options: None)
    made = make_session()
    assert "adding the sessions up" in look(browser.get("/sessions/chart/?period=2025").content).words
    page = look(browser.get("/sessions/").content)
    assert "adding the sessions up" in page.words
    assert f"/sessions/{made.pk}/" in page.links
    assert browser.get("/sessions/?card=E6F7&evse=1").status_code == 200
