"""Commissioning in a browser: its pages on every screen, and what is live on them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, PlayedUplink, Web
from tests.webui.making import free
from tests.webui.test_commissioning import ENGINEERING

pytestmark = pytest.mark.browser
EVSES = [free(number, voltage=(230.4, 0.0, 0.0), temperature=24.0) for number in (1, 2)]


@pytest.fixture
def begun(web: Web, uplink: PlayedUplink) -> Iterator[None]:
    uplink.show(*EVSES, engineering=ENGINEERING)
    yield
    for table in ("commissioning", "station_command", "station_network_profile"):
        web.rows(f"DELETE FROM {table}")  # noqa: S608 - names from above


def test_a_walk_through_the_wizard(opened: Opener, begun: None, uplink: PlayedUplink, web: Web) -> None:
    watched = opened("/")
    page = watched.page
    expect(page.get_by_text("This station is not set up yet.")).to_be_visible()
    watched.assert_well_everywhere("commissioning-offer")
    page.get_by_role("link", name="Start commissioning").click()
    watched.assert_well_everywhere("commissioning-start")
    page.get_by_role("button", name="Start commissioning").click()

    page.get_by_label("Name of the place").fill("North car park")
    watched.assert_well_everywhere("commissioning-place")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The station is asked …")).to_be_visible()
    web.rows("UPDATE station_command SET status = 'Accepted'")
    page.get_by_role("link", name=re.compile("^Continue")).click()

    page.get_by_label("Fuse of each phase, in A").fill("20")
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("32 A are too much; cable and board carry 20 A.")).to_be_visible()
    watched.errors.clear()  # the browser notes the 422
    watched.assert_well_everywhere("commissioning-electrical")

    page.goto("/commissioning/board/")
    expect(page.get_by_text("230.4 V").first).to_be_visible()
    watched.assert_well_everywhere("commissioning-board")
    uplink.show(*[free(number, faults=("GroundFailure",)) for number in (1, 2)], engineering=ENGINEERING)
    expect(page.get_by_text("Current is leaking to earth.").first).to_be_visible()

    page.goto("/commissioning/csms/")
    watched.assert_well_everywhere("commissioning-csms")
    page.get_by_text("Leave this step out").click()
    page.get_by_label("Why it is left out").fill("Not ready before June")
    page.get_by_role("button", name="Leave it out").click()
    page.goto("/commissioning/charge/")
    page.get_by_role("button", name="Begin").first.click()
    expect(page.get_by_text("waiting", exact=True)).to_be_visible()
    watched.assert_well_everywhere("commissioning-charge")

    page.goto("/commissioning/sign/")
    expect(page.get_by_text("It cannot be signed yet.")).to_be_visible()
    watched.assert_well_everywhere("commissioning-sign")
    page.goto("/commissioning/")
    expect(page.get_by_text("Not ready before June")).to_be_visible()
    watched.assert_well_everywhere("commissioning")


def test_the_wizard_works_with_the_keyboard_alone(opened: Opener, begun: None) -> None:
    page = opened("/commissioning/", width=360).page
    page.get_by_role("button", name="Start commissioning").press("Enter")
    page.get_by_label("Name of the place").press_sequentially("North")
    page.get_by_label("Name of the place").press("Enter")
    expect(page.get_by_text("The station is asked …")).to_be_visible()
