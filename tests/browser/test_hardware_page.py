"""The hardware page in a browser: live, on every screen, and a setpoint by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, PlayedUplink, Web
from tests.support.waiting import wait_until
from tests.webui.making import free
from tests.webui.test_hardware_page import MODE, told

pytestmark = pytest.mark.browser
FILED = "SELECT action, arguments FROM station_command ORDER BY id DESC LIMIT 1"


@pytest.fixture
def board(web: Web, uplink: PlayedUplink) -> Iterator[PlayedUplink]:
    uplink.show(free(1), free(2), engineering={"1": {}, "2": {}})
    uplink.show_board(told())
    yield uplink
    web.rows("DELETE FROM station_command")


def test_the_board_before_ones_eyes(opened: Opener, board: PlayedUplink, web: Web) -> None:
    watched = opened("/hardware/")
    page = watched.page
    expect(page.get_by_text("nothing is plugged in").first).to_be_visible()
    page.locator("details.registers summary").first.click()
    expect(page.get_by_text("C2: the car is ready, current is offered")).to_be_visible()
    changed = told()
    changed["snapshot"]["evses"][0] |= {"cp_state": "B1", "watchdog": "Tripped"}
    changed["snapshot"]["bus"]["watchdog_trips"] = 1
    board.show_board(changed)
    expect(page.get_by_text("tripped: the station was silent for too long")).to_be_visible()
    expect(page.locator("details.registers").first).to_have_attribute("open", "")
    watched.assert_well_everywhere("hardware")

    page.locator("#hardware-maintenance-1 button").click()
    wait_until(lambda: bool(web.rows(FILED)), "maintenance is asked for")
    assert web.rows(FILED)[0] == ("begin_maintenance", '{"evse_id": 1}')
    board.show(free(1), free(2), engineering={"1": {"maintenance": MODE}, "2": {}})
    page.locator("#current-1").fill("12.5")
    board.show(free(1), free(2), engineering={"1": {"maintenance": {**MODE, "left": 250}}, "2": {}})
    expect(page.get_by_text("Ends by itself in 4:10.")).to_be_visible()
    expect(page.locator("#current-1")).to_have_value("12.5")  # time goes on, and nothing typed is lost
    watched.assert_well_everywhere("hardware-maintenance")
    page.get_by_role("button", name="Set", exact=True).click()
    wait_until(lambda: web.rows(FILED)[0][0] == "manual_setpoint", "the setpoint is filed")
    assert json.loads(web.rows(FILED)[0][1]) == {"evse_id": 1, "current": 12.5, "phases": 1}
