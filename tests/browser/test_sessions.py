"""The history in a browser: the list, its filter, a session's page."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from tests.browser.conftest import Opener, Web
from tests.webui.making import CARD

pytestmark = pytest.mark.browser
NEWEST = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


@pytest.fixture(scope="module")
def sessions(web: Web) -> list[str]:
    """Forty sessions, newest first; the newest has a curve and events, the second still runs."""
    made = []
    for number in range(40):
        pk, started = str(uuid.UUID(int=40 - number, version=4)), NEWEST - timedelta(hours=9 * number)
        active = number == 1
        web.rows(
            "INSERT INTO station_transaction (transaction_id, evse_id, connector_id, started_at, ended_at, active,"
            " id_token, id_token_type, authorized_by, meter_start, meter_stop, energy, stopped_reason, charging_state,"
            " meter_suspect, state) VALUES (?, ?, 1, ?, ?, ?, ?, 'ISO14443', 'csms', 1000000, ?, ?, ?, '', 0, '{}')",
            *(pk, 1 + number % 2, _stamp(started)),
            *(None if active else _stamp(started + timedelta(minutes=95)), active, CARD),
            *(None if active else 8434500, 7434500, "" if active else "StoppedByEV"),
        )
        made.append(pk)
    for seconds in range(0, 5700, 60):
        web.rows(
            "INSERT INTO station_meter_point (transaction_id, at, power, current, energy, soc)"
            " VALUES (?, ?, 7360, 32, 1, 40)",
            *(made[0], _stamp(NEWEST + timedelta(seconds=seconds))),
        )
    web.rows(
        "INSERT INTO station_journal (at, kind, evse_id, transaction_id, data) VALUES (?, 'plugged_in', 1, ?, '{}')",
        *(_stamp(NEWEST), made[0]),
    )
    return made


def test_list_is_well(opened: Opener, sessions: list[str]) -> None:
    watched = opened("/sessions/")
    expect(watched.page.locator("tr.session")).to_have_count(25)
    watched.page.locator("summary", has_text="Filter").click()
    watched.assert_well_everywhere("sessions")


def test_session_is_well(opened: Opener, sessions: list[str]) -> None:
    watched = opened(f"/sessions/{sessions[0]}/")
    expect(watched.page.get_by_role("img", name="Power over time")).to_be_visible()
    expect(watched.page.get_by_text("The car was plugged in.")).to_be_visible()
    watched.page.get_by_text("The curve as a table").first.click()
    expect(watched.page.get_by_role("cell", name="7.36 kW").first).to_be_visible()
    watched.assert_well_everywhere("session")


def test_running_session_is_well_and_renews_itself(opened: Opener, sessions: list[str], web: Web) -> None:
    watched = opened(f"/sessions/{sessions[1]}/", width=360)
    expect(watched.page.locator(".chip", has_text="Running")).to_be_visible()
    web.rows("UPDATE station_transaction SET energy = 8000000 WHERE transaction_id = ?", sessions[1])
    expect(watched.page.get_by_text("8.000")).to_be_visible(timeout=30_000)
    watched.assert_well()


def test_from_page_to_page_and_into_a_session(opened: Opener, sessions: list[str]) -> None:
    page = opened("/sessions/", width=360).page
    page.get_by_role("link", name="Older").click()
    expect(page.locator("tr.session")).to_have_count(15)
    expect(page.get_by_role("link", name="Older")).to_have_count(0)
    page.locator("tr.session").last.click()  # anywhere in the row
    page.wait_for_url(f"**/sessions/{sessions[-1]}/")
    page.go_back()
    page.get_by_role("link", name="Newer").click()
    expect(page.locator("tr.session")).to_have_count(25)


def test_filter(opened: Opener, sessions: list[str]) -> None:
    watched = opened("/sessions/")
    page = watched.page
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("How it ended").select_option(label="still running")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tr.session")).to_have_count(1)
    page.get_by_label("EVSE").fill("0")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("tr.session")).to_have_count(25)


def test_from_the_year_into_a_day_by_its_bars(opened: Opener, sessions: list[str]) -> None:
    watched = opened("/sessions/chart/?period=2025")
    page = watched.page
    expect(page.get_by_role("heading", name="2025")).to_be_visible()
    watched.assert_well_everywhere("chart")
    page.set_viewport_size({"width": 360, "height": 800})
    page.get_by_role("link", name="June 2025:").focus()
    page.keyboard.press("Enter")  # with the keyboard alone
    expect(page.get_by_role("heading", name="June 2025")).to_be_visible()
    page.get_by_role("link", name="June 1, 2025").click(force=True)  # anywhere in its column
    expect(page.get_by_role("heading", name="June 1, 2025")).to_be_visible()
    page.get_by_text("The chart as a table").click()
    expect(page.get_by_role("row", name="12:00")).to_contain_text("7.43 kWh")
    page.get_by_role("link", name="Earlier").click()
    expect(page.get_by_role("heading", name="May 31, 2025")).to_be_visible()
    page.get_by_role("link", name="These sessions").click()
    expect(page.locator("tr.session")).to_have_count(3)
    watched.assert_well()


def test_a_selection_to_take_away(opened: Opener, sessions: list[str], web: Web) -> None:
    watched = opened("/sessions/?evse=1&since=2025-05-20", width=360)
    page = watched.page
    with page.expect_download() as csv:
        page.get_by_role("link", name="CSV").click()
    assert Path(csv.value.path()).read_text().count("\n") == 18
    page.get_by_role("button", name="PDF statement").click()
    expect(page.get_by_text("Waiting")).to_be_visible()
    watched.assert_well_everywhere("work-waiting")
    page.goto("/")  # it can be left
    web.run("-m", "django", "work")  # the transfer worker's part
    page.goto("/work/")
    expect(page.get_by_text("Ready")).to_be_visible()
    watched.assert_well_everywhere("work")
    with page.expect_download() as statement:
        page.get_by_role("link", name="Download").click()
    text = "".join(one.extract_text() for one in PdfReader(statement.value.path()).pages)
    assert "17 sessions" in text
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("It was removed.")).to_be_visible()
