"""The network's pages in a browser: slots on every screen, a change filed, and the countdown of a trial."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

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


STEPS = [
    {"name": "configuration", "outcome": "passed", "seconds": 0.001, "says": "The station has all that it needs."},
    {"name": "name", "outcome": "passed", "seconds": 0.021, "says": "csms.example is 192.0.2.7."},
    {"name": "tcp", "outcome": "passed", "seconds": 0.043, "says": "192.0.2.7 answers at port 443."},
    {
        "name": "tls",
        "outcome": "failed",
        "seconds": 0.187,
        "says": "The CSMS's certificate is not accepted: certificate has expired.",
        "advice": "Ask the operator of the CSMS to renew its certificate; check the station's clock, too.",
        "certificates": [
            {
                "subject": "CN=csms.example",
                "issuer": "CN=Some Issuing CA,O=Operator",
                "begins": "2024-01-01T00:00:00Z",
                "ends": "2025-01-01T00:00:00Z",
                "days_left": -151,
                "key": "EC 256",
                "names": ["csms.example"],
            }
        ],
    },
]


def looked(count: int, *, over: bool = False) -> dict[str, Any]:
    """A diagnosis that has come so far."""
    nothing = {"advice": "", "cause": None, "certificates": []}
    return {
        "diagnosis_id": "d",
        "csms_url": "wss://csms.example/ocpp",
        "security_profile": 2,
        "slot": 1,
        "begun": "2025-06-01T12:00:00Z",
        "steps": [{**nothing, **step} for step in STEPS[:count]],
        "over": over,
        "verdict": STEPS[3]["says"] if over else "",
    }


def test_the_doctor_walks_before_ones_eyes(opened: Opener, configured: None, uplink: PlayedUplink, web: Web) -> None:
    watched = opened("/network/")
    page = watched.page
    page.locator("#check-1").click()
    wait_until(lambda: bool(web.rows(FILED)), "the doctor is sent for")
    assert web.rows(FILED)[0][:2] == ("diagnose_connection", '{"slot": 1}')
    uplink.show(diagnosis=looked(2))
    expect(page.get_by_text("csms.example is 192.0.2.7.")).to_be_visible()
    expect(page.get_by_text("looking …")).to_be_visible()
    uplink.show(diagnosis=looked(4, over=True))
    expect(page.get_by_text("Ask the operator of the CSMS to renew").first).to_be_visible()
    watched.assert_well_everywhere("network-doctor")
    uplink.show(identity="CP-AFTER")  # it is in the live view for a while only, and stays on the page
    expect(page.get_by_text("CP-AFTER")).to_be_visible()
    expect(page.get_by_text("certificate has expired").first).to_be_visible()


def test_what_is_typed_is_checked_before_it_is_saved(
    opened: Opener, configured: None, uplink: PlayedUplink, web: Web
) -> None:
    watched = opened("/network/2/")
    page = watched.page
    page.get_by_label("Address of the operator's system").fill("wss://new.example/")
    page.get_by_role("button", name="Check first").click()
    expect(page.get_by_text("Security profile 1 needs ws://.")).to_be_visible()
    watched.errors.clear()  # the browser notes the 422
    page.get_by_label("Security profile").select_option("2")
    page.get_by_role("button", name="Check first").click()
    wait_until(lambda: bool(web.rows(FILED)), "the doctor is sent for")
    assert json.loads(web.rows(FILED)[0][1]) == {"csms_url": "wss://new.example/", "security_profile": 2}
    uplink.show(diagnosis=looked(3))
    expect(page.get_by_text("answers at port 443")).to_be_visible()
    watched.assert_well_everywhere("network-slot-doctor")
    expect(page.get_by_label("Address of the operator's system")).to_have_value("wss://new.example/")
