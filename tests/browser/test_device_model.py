"""The device model in a browser: searched, read on every screen, set, and refused beside the field."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Web
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
FILED = "SELECT id, arguments FROM station_command WHERE action = 'set_variable' ORDER BY id DESC"
SECRET = "correct horse battery"


@pytest.fixture(autouse=True)
def _clean(web: Web) -> Iterator[None]:
    yield
    web.rows("DELETE FROM station_command WHERE action = 'set_variable'")
    web.rows("DELETE FROM station_variable WHERE variable = 'EVConnectionTimeOut'")


def finish(web: Web, status: str, message: str) -> None:
    """As the station would."""
    wait_until(lambda: web.rows(FILED), "the wish is filed")
    web.rows(
        "UPDATE station_command SET status = ?, message = ?, finished_at = filed_at WHERE action = 'set_variable'",
        status,
        message,
    )


def test_browsing(opened: Opener) -> None:
    watched = opened("/")
    page = watched.page
    page.get_by_role("link", name="Station", exact=True).click()
    page.get_by_role("link", name="Variables").click()
    expect(page.get_by_role("heading", name="Device model")).to_be_visible()
    watched.assert_well_everywhere("device-model")
    for width in (720, 961, 1100):  # the navigation has most rooms here, and must fit between the tested widths, too
        page.set_viewport_size({"width": width, "height": 800})
        watched.assert_well()
    page.get_by_label("Component or variable").press_sequentially("evconn")
    expect(page.locator("tr.variable")).to_have_count(1)
    page.get_by_role("link", name="EVConnectionTimeOut").click()
    expect(page.get_by_text("1 to 3600 s").first).to_be_visible()
    watched.assert_well()


def test_setting(opened: Opener, web: Web) -> None:
    watched = opened("/device-model/TxCtrlr.EVConnectionTimeOut/")
    page = watched.page
    field = page.get_by_label("New value")
    field.fill("0")
    page.get_by_role("button", name="Set").click()
    expect(page.locator("#variable-outcome")).to_contain_text("This value must be at least 1.")
    expect(field).to_have_value("0")
    assert watched.errors.pop().startswith("Failed to load resource: the server responded with a status of 422")
    watched.assert_well_everywhere("variable")
    field.fill("45")
    page.get_by_role("button", name="Set").click()
    expect(page.locator("#variable-outcome")).to_contain_text("Sent to the station")
    wait_until(lambda: web.rows(FILED), "the wish is filed")
    assert json.loads(web.rows(FILED)[0][1])["value"] == "45"
    columns = "component, component_instance, evse_id, connector_id, variable, variable_instance, attribute, value"
    web.rows(
        f"INSERT INTO station_variable ({columns})"  # noqa: S608 - our own words
        " VALUES ('TxCtrlr', '', 0, 0, 'EVConnectionTimeOut', '', 'Actual', '45')"
    )
    past = columns.removesuffix("value")
    web.rows(
        f'INSERT INTO station_variable_change (at, "by", who, old, new, {past.rstrip(", ")})'  # noqa: S608 - our own words
        " VALUES ('2026-01-01 12:00:00', 'person', 'admin', '60', '45',"
        " 'TxCtrlr', '', 0, 0, 'EVConnectionTimeOut', '', 'Actual')"
    )
    finish(web, "Accepted", "TxCtrlr.EVConnectionTimeOut is set")
    expect(page.locator("#variable-outcome")).to_contain_text("is set")
    expect(page.locator("#variable-now")).to_contain_text("changed, factory: 60")
    expect(page.locator("#variable-changes")).to_contain_text("admin")
    watched.assert_well_everywhere("variable-set")


def test_the_station_refuses(opened: Opener, web: Web) -> None:
    watched = opened("/device-model/OCPPCommCtrlr.NetworkConfigurationPriority/")
    page = watched.page
    page.get_by_label("New value").fill("2,1")
    page.get_by_role("button", name="Set").click()
    finish(web, "Rejected", "OCPPCommCtrlr.NetworkConfigurationPriority names slot 2, which is empty")
    expect(page.locator("#variable-outcome")).to_contain_text("slot 2, which is empty")
    expect(page.get_by_label("New value")).to_have_value("2,1")
    watched.assert_well()


def test_members(opened: Opener, web: Web) -> None:
    watched = opened("/device-model/TxCtrlr.TxStartPoint/")
    watched.assert_well_everywhere("variable-members")
    page = watched.page
    page.get_by_label("EVConnected").check()
    page.get_by_role("button", name="Set").click()
    wait_until(lambda: web.rows(FILED), "the wish is filed")
    assert "EVConnected" in json.loads(web.rows(FILED)[0][1])["value"].split(",")
    watched.assert_well()


def test_a_password_leaves_nothing_behind(opened: Opener, web: Web) -> None:
    watched = opened("/device-model/SecurityCtrlr.BasicAuthPassword/")
    page = watched.page
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.get_by_label("New value").fill(SECRET)
    page.get_by_role("button", name="Set").click()
    finish(web, "Accepted", "SecurityCtrlr.BasicAuthPassword is set")
    expect(page.locator("#variable-outcome")).to_contain_text("is set")
    expect(page.get_by_label("New value")).to_have_value("")
    assert json.loads(web.rows(FILED)[0][1])["value"].startswith("sealed:")
    assert not any("value=" in address or "correct" in address for address in addresses)
    assert SECRET not in (web.folder / "server.log").read_text()
    watched.assert_well()
