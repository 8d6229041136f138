"""Access rules, HTTPS and VPN in a browser: on every screen, and one walk through all three."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Web

pytestmark = pytest.mark.browser
PEER = base64.b64encode(b"\x02" * 32).decode()


@pytest.fixture(autouse=True)
def _as_delivered(web: Web) -> Iterator[None]:
    yield
    for table in ("access_setting", "access_trial", "station_command"):
        web.rows(f"DELETE FROM {table}")  # noqa: S608 - names from above


def test_the_rooms_are_well_on_every_screen(opened: Opener, web: Web) -> None:
    watched = opened("/access/")
    page = watched.page
    expect(page.get_by_text("You come from 127.0.0.1: the station itself.")).to_be_visible()
    page.get_by_text("A choice of its own for each").click()
    expect(page.get_by_role("checkbox", name="Administrator: VPN")).to_be_visible()
    watched.assert_well_everywhere("access")
    page.goto("/https/")
    watched.assert_well_everywhere("https")
    page.goto("/vpn/")
    watched.assert_well_everywhere("vpn")


def test_an_administrator_sets_rules_and_a_vpn(opened: Opener, web: Web) -> None:
    """With the keyboard alone, on a phone."""
    page = opened("/access/", width=360).page
    page.get_by_role("radio", name="Local network and VPN").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.get_by_role("checkbox", name="Administrator: local network").focus()
    page.keyboard.press("Space")
    page.get_by_label("Further networks of this site").fill("192.168.300.0/24")
    page.get_by_role("button", name="Set the rules").press("Enter")
    expect(page.get_by_text("'192.168.300.0/24' is no network")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Administrator: local network")).not_to_be_checked()
    page.get_by_label("Further networks of this site").fill("192.168.20.0/24")
    page.get_by_role("button", name="Set the rules").press("Enter")
    expect(page.get_by_text("These rules are in force.")).to_be_visible()
    row = page.locator(".now-in-force tr", has_text="Administrator")
    expect(row.locator("td.open")).to_have_count(2)  # the station itself, and the VPN

    page.goto("/vpn/")
    page.get_by_label("The station's address in the VPN").fill("10.8.0.7")
    page.get_by_label("The other side's public key").fill(PEER)
    page.get_by_label("Where it is reached").fill("no-such-name.invalid:51820")
    page.get_by_label("Networks behind it").fill("0.0.0.0/0")
    page.get_by_role("button", name="Keep and switch on").press("Enter")
    expect(page.get_by_text("0.0.0.0/0 is the whole internet.")).to_be_visible()
    page.get_by_label("Networks behind it").fill("10.8.0.0/24")
    page.get_by_role("button", name="Keep and switch on").press("Enter")
    expect(page.get_by_text("The name no-such-name.invalid is not known.").first).to_be_visible()
    page.get_by_role("button", name="Switch it off").press("Enter")
    expect(page.get_by_text("The VPN is off.")).to_be_visible()
    page.goto("/access/")
    page.get_by_role("radio", name="Local network and VPN").check()
    page.get_by_label("Further networks of this site").fill("")
    page.get_by_role("button", name="Set the rules").press("Enter")
    expect(page.locator(".now-in-force tr", has_text="Administrator").locator("td.open")).to_have_count(3)


def test_a_change_on_trial_counts_down_on_every_page(opened: Opener, web: Web) -> None:
    web.rows(
        "INSERT INTO access_trial (kind, who, ends_at, before) "
        "VALUES ('rules', 'otto', datetime('now', '+90 seconds'), '{}')"
    )
    web.stop_server()
    web.start_server()
    watched = opened("/sessions/", width=360)
    page = watched.page
    banner = page.get_by_role("region", name="Changes on trial")
    expect(banner).to_contain_text("come back in 1:")
    first = banner.inner_text()
    page.wait_for_function("first => document.querySelector('#trials').innerText !== first", arg=first)
    watched.assert_well()
    banner.get_by_role("button", name="Keep it").press("Enter")
    expect(page.get_by_role("heading", name="Access rules")).to_be_visible()
    expect(banner).not_to_be_visible()
