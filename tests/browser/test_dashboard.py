"""The overview in a browser: live, and still live after everything around it was restarted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, PlayedBench, PlayedUplink, Web
from tests.support.waiting import wait_until
from tests.webui.making import charging, free, waiting
from webui.charts.curve import draw

pytestmark = pytest.mark.browser
LATER = 30_000  # ms; what waits for a back-off on a loaded machine


def test_page_is_well(opened: Opener, uplink: PlayedUplink) -> None:
    uplink.show(charging(1), waiting(2, message="Blocked"), queue_length=3)
    watched = opened("/")
    card = watched.page.get_by_role("article", name="EVSE 1")
    expect(card).to_contain_text("7.31 kW")
    expect(card.get_by_role("img", name="Power since the session began")).to_be_visible()
    watched.page.locator("#evse-1-actions summary").click()
    expect(card.get_by_role("button", name="End the session")).to_be_visible()
    watched.assert_well_everywhere("dashboard")


def test_weight(opened: Opener, uplink: PlayedUplink) -> None:
    watched = opened("/")
    expect(watched.page.locator("#evse-1-state")).to_be_visible()
    sizes = watched.page.evaluate(
        "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
        ".map(entry => entry.encodedBodySize)"
    )
    assert len(sizes) > 5
    assert sum(sizes) < 150_000


def test_changes_arrive_and_leave_the_rest_alone(opened: Opener, uplink: PlayedUplink) -> None:
    uplink.show(charging(1), free(2))
    watched = opened("/")
    page = watched.page
    expect(page.locator("#evse-1-figures")).to_contain_text("7.31")
    page.locator("#evse-1-actions summary").click()
    uplink.show(charging(1, power=3600.0, energy=3100.0), waiting(2))
    expect(page.locator("#evse-1-figures")).to_contain_text("3.60 kW")
    expect(page.locator("#evse-2-state")).to_contain_text("Waiting for a card")
    # What a person has opened stays open while the figures move on.
    expect(page.get_by_role("button", name="End the session")).to_be_visible()
    watched.assert_well()


def test_curve_grows(opened: Opener, uplink: PlayedUplink) -> None:
    grown = charging(1, minutes=2)
    young = replace(grown, curve=grown.curve[:40])
    uplink.show(young)
    line = opened("/").page.locator("#evse-1-curve .line")
    expect(line).to_have_attribute("d", draw(young.curve).line)
    uplink.show(grown)
    expect(line).to_have_attribute("d", draw(grown.curve).line)


def test_start_files_a_command_and_its_outcome_is_shown(opened: Opener, uplink: PlayedUplink, web: Web) -> None:
    web.rows("DELETE FROM station_command")
    uplink.show(waiting(1), free(2))
    watched = opened("/", width=360)
    watched.page.get_by_role("button", name="Start charging").click()
    outcome = watched.page.locator("#evse-1-outcome")
    expect(outcome).to_contain_text("Sent to the station")
    [(pk, action, arguments, who)] = web.rows("SELECT id, action, arguments, who FROM station_command")
    assert (action, json.loads(arguments), who) == ("start", {"evse_id": 1}, "admin")
    web.rows("UPDATE station_command SET status = 'Accepted', message = 'Authorized.' WHERE id = ?", pk)
    expect(outcome).to_contain_text("Charging is allowed.")
    uplink.show(charging(1), free(2))
    expect(watched.page.locator("#evse-1-state")).to_contain_text("Charging")
    expect(outcome).to_contain_text("Charging is allowed.")
    watched.assert_well()


def test_stop_asks_first_and_a_refusal_is_said(opened: Opener, uplink: PlayedUplink, web: Web) -> None:
    web.rows("DELETE FROM station_command")
    uplink.show(charging(1), free(2))
    page = opened("/").page
    page.locator("#evse-1-actions summary").click()
    assert not web.rows("SELECT id FROM station_command")
    page.get_by_role("button", name="End the session").click()
    expect(page.locator("#evse-1-outcome")).to_contain_text("Sent to the station")
    web.rows("UPDATE station_command SET status = 'Rejected', message = 'ending' WHERE action = 'stop'")
    expect(page.locator("#evse-1-outcome")).to_contain_text("The last session is just ending.")


def test_silent_station_is_marked_and_comes_back(opened: Opener, uplink: PlayedUplink) -> None:
    uplink.show(charging(1))
    watched = opened("/")
    page = watched.page
    expect(page.locator("#evse-1-figures")).to_contain_text("7.31")
    uplink.fall_silent()
    expect(page.locator("#live-notice")).to_contain_text("has not reported", timeout=LATER)
    expect(page.locator("#line-lost")).to_be_hidden()
    uplink.fall_silent(False)
    expect(page.locator("#live-notice")).to_be_empty()
    watched.assert_well()


def test_restart_of_redis_is_survived(opened: Opener, uplink: PlayedUplink, web: Web) -> None:
    uplink.show(charging(1))
    page = opened("/").page
    expect(page.locator("#evse-1-figures")).to_contain_text("7.31")
    web.stop_redis()
    expect(page.locator("#live-notice")).to_contain_text("inner connection is away", timeout=LATER)
    # A command is filed nevertheless.
    page.locator("#evse-1-actions summary").click()
    page.get_by_role("button", name="End the session").click()
    expect(page.locator("#evse-1-outcome")).to_contain_text("carried out if the station is back by then")
    web.start_redis()
    uplink.show(charging(1, power=1234.0))
    expect(page.locator("#evse-1-figures")).to_contain_text("1.23 kW", timeout=LATER)
    expect(page.locator("#live-notice")).to_be_empty()


def test_restart_of_the_web_server_is_survived(opened: Opener, uplink: PlayedUplink, web: Web) -> None:
    uplink.show(charging(1), waiting(2))
    page = opened("/").page
    expect(page.locator("#evse-1-figures")).to_contain_text("7.31")
    web.stop_server()
    expect(page.locator("#line-lost")).to_be_visible(timeout=LATER)
    page.get_by_role("button", name="Start charging").click()
    expect(page.locator("#unreachable")).to_be_visible()
    web.start_server()
    uplink.show(charging(1, power=1234.0))
    expect(page.locator("#evse-1-figures")).to_contain_text("1.23 kW", timeout=LATER)
    expect(page.locator("#line-lost")).to_be_hidden()


def test_logout_elsewhere_leads_to_the_login(opened: Opener, uplink: PlayedUplink, web: Web) -> None:
    uplink.show(waiting(1))
    page = opened("/").page
    expect(page.get_by_role("button", name="Start charging")).to_be_visible()
    web.rows("DELETE FROM django_session")
    page.get_by_role("button", name="Start charging").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_demo_drive_from_the_overview(opened: Opener, uplink: PlayedUplink, bench: PlayedBench) -> None:
    bench.asked.clear()
    watched = opened("/", width=360)
    watched.page.get_by_role("button", name="Demo drive").click()
    expect(watched.page.locator("#tryout-said")).to_contain_text("has begun")
    wait_until(lambda: ("/evse/1/drive", {"seconds": 60}) in bench.asked, "the bench was asked")
    watched.assert_well()
