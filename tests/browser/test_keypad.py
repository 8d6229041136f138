"""The key pad, and the choice after a master card, in a browser."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, PlayedUplink, Web
from tests.support.waiting import wait_until
from tests.webui.making import charging, free

pytestmark = pytest.mark.browser
TYPES = ("AuthCtrlr", "SupportedIdTokenTypes")


def write(web: Web, query: str, *values: str) -> None:
    with closing(sqlite3.connect(web.database, timeout=10)) as database, database:
        database.execute(query, values)


@pytest.fixture
def keypad(web: Web) -> Iterator[None]:
    """A station that takes key codes."""
    columns = "component, variable, component_instance, variable_instance, evse_id, connector_id, attribute, value"
    row = f"INSERT INTO station_variable ({columns}) VALUES (?, ?, '', '', 0, 0, 'Actual', 'KeyCode')"  # noqa: S608
    write(web, row, *TYPES)
    yield
    write(web, "DELETE FROM station_variable WHERE component = ? AND variable = ?", *TYPES)


@pytest.mark.usefixtures("keypad")
def test_a_code_is_entered_with_the_keys(opened: Opener, uplink: PlayedUplink, web: Web) -> None:
    uplink.show(free(1), free(2))
    watched = opened("/")
    page = watched.page
    expect(page.get_by_role("article", name="EVSE 2")).to_be_visible()
    page.get_by_role("link", name="Key code").click()
    page.get_by_text("EVSE 2").click()
    for digit in "1379":
        page.get_by_role("button", name=digit, exact=True).click()
    expect(page.get_by_label("Code", exact=True)).to_have_value("1379")
    watched.assert_well_everywhere("keypad")
    page.get_by_role("button", name="Enter").click()
    expect(page.locator("#keypad-outcome")).to_contain_text("Sent to the station")
    expect(page.get_by_label("Code", exact=True)).to_have_value("")
    filed = web.rows("SELECT arguments FROM station_command ORDER BY id DESC LIMIT 1")
    assert json.loads(filed[0][0]) == {"evse_id": 2, "id_token": "1379", "type": "KeyCode"}
    watched.assert_well()


def test_the_choice_after_a_master_card(opened: Opener, uplink: PlayedUplink, web: Web) -> None:
    uplink.show(charging(1), free(2))
    watched = opened("/")
    page = watched.page
    expect(page.locator("#evse-1-figures")).to_contain_text("kW")
    expect(page.get_by_role("button", name="End all sessions")).to_have_count(0)
    uplink.show(charging(1), free(2), master_pass=True)
    expect(page.get_by_role("button", name="End all sessions")).to_be_visible()
    watched.assert_well_everywhere("master-card")
    page.get_by_role("button", name="End EVSE 1").click()
    query = "SELECT arguments FROM station_command WHERE action = 'master_pass'"
    wait_until(lambda: web.rows(query), "the choice is filed")
    assert json.loads(web.rows(query)[0][0]) == {"evse_ids": [1]}
    uplink.show(free(1), free(2))
    expect(page.get_by_role("button", name="End all sessions")).to_have_count(0)
    watched.assert_well()
