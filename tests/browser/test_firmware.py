"""The firmware's page in a browser: an update on every screen, followed live."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from station.firmware import slots
from station.firmware.slots import Failed, Installed, State
from station.live.payloads import FirmwareLive
from tests.browser.conftest import Opener, PlayedUplink, Web
from tests.webui.test_firmware import ENDED

pytestmark = pytest.mark.browser


@pytest.fixture
def updated(web: Web) -> Iterator[None]:
    data = web.folder / "data"
    slots.save(data, State("a", {"a": Installed("t1", "2.0.0")}, None, Failed("t0", "2.5.0", "it did not start")))
    failed = {**ENDED, "status": "InstallationFailed", "version": "2.5.0", "detail": "it did not start"}
    web.rows("INSERT INTO station_remembered VALUES ('firmware_history', ?)", json.dumps([ENDED, failed]))
    yield
    web.rows("DELETE FROM station_remembered WHERE key = 'firmware_history'")
    (slots.folder(data) / slots.STATE).unlink()


def test_an_update_is_followed(opened: Opener, updated: None, uplink: PlayedUplink) -> None:
    update = FirmwareLive("downloads", "Downloading", 7, "files.example", moved=2_000_000, total=8_000_000)
    uplink.show(firmware_version="2.0.0", firmware=update)
    watched = opened("/firmware/")
    page = watched.page
    expect(page.get_by_text("25 %")).to_be_visible()
    expect(page.get_by_text("was tried and taken back")).to_be_visible()
    watched.assert_well_everywhere("firmware")
    uplink.show(firmware_version="2.0.0", firmware=FirmwareLive("installs", "Installing", 7, "x", version="3.0.0"))
    expect(page.get_by_text("An update is being installed.")).to_be_visible()
    uplink.show(firmware_version="3.0.0")
    expect(page.get_by_text("An update is being installed.")).to_have_count(0)
    expect(page.get_by_text("3.0.0")).to_be_visible()
