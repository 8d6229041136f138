"""Backup and restore in a browser, up to the order; the station itself is not there to carry it out."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from station.backup import waiting
from tests.browser.conftest import Opener, Web

pytestmark = pytest.mark.browser

PASSPHRASE = "correct horse battery"


def test_a_backup_is_made_judged_and_ordered(opened: Opener, web: Web, tmp_path: Path) -> None:
    set_ = (
        "INSERT OR REPLACE INTO station_variable (component, component_instance, evse_id, connector_id, variable,"
        " variable_instance, attribute, value) VALUES ('OCPPCommCtrlr', '', 0, 0, 'HeartbeatInterval', '', 'Actual', ?)"
    )
    web.rows(set_, "60")
    watched = opened("/backup/")
    page = watched.page
    page.get_by_label("Passphrase for the secrets").fill(PASSPHRASE)
    page.get_by_label("The same once more").fill(PASSPHRASE)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    file = tmp_path / "station.backup"
    download.value.save_as(file)
    page.get_by_text("As it came from the factory").click()
    watched.assert_well_everywhere("backup")

    web.rows("UPDATE station_variable SET value = '77' WHERE variable = 'HeartbeatInterval'")
    wrong = tmp_path / "root.pem"
    wrong.write_text("-----BEGIN CERTIFICATE-----")
    page.locator("#upload-file").set_input_files(wrong)
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_text("This is no backup of a station")).to_be_visible()
    watched.errors.clear()  # the browser notes the status 400
    page.locator("#upload-file").set_input_files(file)
    page.locator("#upload-passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("heading", name="This will change")).to_be_visible()
    expect(page.get_by_text("OCPPCommCtrlr.HeartbeatInterval")).to_be_visible()
    watched.assert_well_everywhere("backup-preview")
    page.get_by_role("button", name="Restore and restart").click()
    expect(page.get_by_text("comes back by itself")).to_be_visible()
    assert waiting.pending(web.folder / "data") is not None
    waiting.withdraw(web.folder / "data")
    page.wait_for_url("**/backup/")
    web.rows("DELETE FROM station_variable WHERE variable = 'HeartbeatInterval'")
    web.rows("DELETE FROM station_command")
