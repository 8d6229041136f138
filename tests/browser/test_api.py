"""The page of the API and that of the neighbourhood in a browser: well at every width, and by the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, PlayedUplink, Web
from tests.webui.making import charging, waiting
from tests.webui.neighbourhood.brokers import Broker

pytestmark = pytest.mark.browser


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    running = Broker(tmp_path).start()
    yield running
    running.stop()


@pytest.fixture
def _as_delivered(web: Web) -> Iterator[None]:
    yield
    web.rows("DELETE FROM neighbourhood")


def test_the_api_is_explained_and_can_be_tried(opened: Opener, uplink: PlayedUplink) -> None:
    uplink.show(charging(1), waiting(2))
    watched = opened("/api/")
    page = watched.page
    expect(page.get_by_role("heading", name="The API")).to_be_visible()
    watched.assert_well_everywhere("api")

    one = page.locator("#evse")
    one.get_by_text("Try it").focus()
    page.keyboard.press("Enter")
    field = one.get_by_label("evse_id")
    field.focus()
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(one.locator(".try-answer .chip")).to_contain_text("200")
    expect(one.locator(".try-answer code")).to_contain_text('"why_not_charging": "')
    watched.assert_well_everywhere("api-tried")

    limit = page.locator("#put_limit")
    limit.get_by_text("Try it").click()
    limit.get_by_label("Limit").fill('{"current": 3}')
    limit.get_by_role("button", name="Have the station do it").click()
    expect(limit.locator(".try-answer .chip")).to_contain_text("422")
    expect(limit.locator(".try-answer code")).to_contain_text("at least 6 A")
    watched.errors = [error for error in watched.errors if "422" not in error]  # the browser notes each one
    watched.assert_well()


@pytest.mark.usefixtures("_as_delivered")
def test_the_neighbourhood_is_set_up(opened: Opener, broker: Broker) -> None:
    watched = opened("/neighbourhood/", width=360)
    page = watched.page
    page.get_by_label("Connect to an MQTT broker").check()
    page.get_by_label("Broker", exact=True).fill("127.0.0.1")
    page.get_by_label("Port").fill("1")
    page.get_by_role("button", name="Test the connection").click()
    expect(page.locator("#broker-outcome")).to_contain_text("nobody listens")
    watched.assert_well_everywhere("neighbourhood-tested")
    page.get_by_label("Port").fill(str(broker.port))
    page.get_by_role("button", name="Test the connection").click()
    expect(page.locator("#broker-outcome")).to_contain_text("takes the station")
    page.get_by_label("Networks that may read").fill("192.168.1.0/99")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field-error")).to_contain_text("192.168.1.0/99")
    expect(page.get_by_label("Port")).to_have_value(str(broker.port))
    watched.errors = [error for error in watched.errors if "422" not in error]
    page.get_by_label("Networks that may read").fill("192.168.1.0/24")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    watched.assert_well_everywhere("neighbourhood")
