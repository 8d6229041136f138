"""The network's pages in a browser: slots on every screen, a change filed, and the countdown of a trial."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, PlayedUplink, Web
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
FILED = "SELECT action, arguments, status FROM station_command ORDER BY id DESC LIMIT 1"
PASSWORD = "correct horse battery"
PROFILE = "INSERT INTO station_network_profile (slot, csms_url, security_profile, message_timeout, interface) VALUES "


@pytest.fixture
def configured(web: Web) -> Iterator[None]:
    web.rows(PROFILE + "(1, 'wss://csms.example/ocpp', 2, 30, 'Wired0'), (2, 'ws://old.example/', 1, 30, 'Wired0')")
    web.rows(
        "INSERT INTO station_journal (at, kind, data) VALUES ('2025-06-01 12:00:00', 'trial_taken_back',"
        """ '{"what": "network_profile", "slot": 1, "why": "credentials", "detail": "HTTP 401"}')"""
    )
    web.rows(
        "INSERT INTO station_certificate (certificate_id, use, chain, installed, key)"
        " VALUES ('CSMSRootCertificate-1', 'CSMSRootCertificate', '[]', '2025-06-01 12:00:00', '')"
    )
    yield
    for table in ("network_profile", "certificate", "command", "journal", "variable"):
        web.rows(f"DELETE FROM station_{table}")  # noqa: S608 - names from above


def test_network_is_well_on_every_screen(opened: Opener, configured: None, uplink: PlayedUplink) -> None:
    uplink.show(connected=True, slot=1, security_profile=2, csms_url="wss://csms.example/ocpp")
    watched = opened("/network/")
    page = watched.page
    expect(page.get_by_text("slot 1, security profile 2")).to_be_visible()
    expect(page.get_by_text("does not take this identity and password. (HTTP 401)")).to_be_visible()
    expect(page.get_by_text("in use", exact=True)).to_be_visible()  # by the second look
    watched.assert_well_everywhere("network")


def test_a_form_of_a_slot_is_well_on_every_screen(opened: Opener, configured: None) -> None:
    watched = opened("/network/1/")
    watched.page.get_by_label("Address of the operator's system").fill("http://nonsense")
    watched.page.get_by_label("New password").fill("short")
    watched.page.get_by_role("button", name="Try and keep").click()
    expect(watched.page.locator(".field-error")).to_have_count(2)
    watched.errors.clear()  # the browser notes the 422
    watched.assert_well_everywhere("network-slot")


def test_a_change_is_filed_and_its_password_is_not_to_be_read(opened: Opener, configured: None, web: Web) -> None:
    page = opened("/network/1/", width=360).page
    expect(page.get_by_label("Address of the operator's system")).to_have_value("wss://csms.example/ocpp")
    page.get_by_label("Address of the operator's system").fill("wss://new.example/")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Try and keep").click()
    page.wait_for_url("**/network/?asked=*")
    expect(page.get_by_text("Sent to the station")).to_be_visible()
    action, arguments, _ = web.rows(FILED)[0]
    assert action == "set_network_profile"
    assert PASSWORD not in arguments
    told = json.loads(arguments)
    assert (told["slot"], told["csms_url"], told["security_profile"]) == (1, "wss://new.example/", 2)
    web.rows("UPDATE station_command SET status = 'Accepted', message = 'The station connects now.'")
    expect(page.get_by_text("The station connects now.")).to_be_visible()


def test_the_countdown_of_a_trial(opened: Opener, configured: None, uplink: PlayedUplink, web: Web) -> None:
    uplink.show(connected=False, registration=None, trial_slot=2, trial_left=87, link_note="slot 2: HTTP 401")
    watched = opened("/network/")
    page = watched.page
    expect(page.get_by_text("Trying the new settings of slot 2: 87 s left")).to_be_visible()
    watched.assert_well_everywhere("network-trial")
    uplink.show(connected=True, trial_slot=2, trial_left=86)
    expect(page.get_by_text("86 s left")).to_be_visible()
    page.get_by_role("button", name="Take them back now").click()
    wait_until(lambda: bool(web.rows(FILED)), "the wish is filed")
    assert web.rows(FILED)[0][0] == "take_back"
    uplink.show(connected=True, slot=1)
    expect(page.get_by_text("s left")).to_have_count(0)


def test_the_overview_says_so_too(opened: Opener, uplink: PlayedUplink) -> None:
    uplink.show(trial_slot=1, trial_left=87)
    expect(opened("/").page.get_by_text("Trying new connection settings: 87 s left")).to_be_visible()


def test_a_slot_is_removed_only_after_a_second_yes(opened: Opener, configured: None, web: Web) -> None:
    page = opened("/network/").page
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.locator("#remove-2").click()
    assert not web.rows(FILED)
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#remove-2").click()
    page.wait_for_url("**/network/?asked=*")
    assert web.rows(FILED)[0][:2] == ("remove_network_profile", '{"slot": 2}')
