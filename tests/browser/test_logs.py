"""The logs' page in a browser: well at every width, and a file that arrives."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Web

pytestmark = pytest.mark.browser


@pytest.fixture
def noted(web: Web) -> Iterator[None]:
    web.rows(
        "INSERT INTO station_journal (at, kind, data) VALUES ('2025-06-01 12:00:00', 'log_upload_failed',"
        """ '{"detail": "the server answered 404", "status": "UploadFailure"}')"""
    )
    web.rows(
        "INSERT INTO station_variable (component, component_instance, evse_id, connector_id, variable,"
        " variable_instance, attribute, value)"
        " VALUES ('CustomerInformationCtrlr', '', 0, 0, 'CustomerIdentifierEnabled', '', 'Actual', 'true')"
    )
    yield
    web.rows("DELETE FROM station_journal WHERE kind = 'log_upload_failed'")
    web.rows("DELETE FROM station_variable WHERE component = 'CustomerInformationCtrlr'")


def test_logs_are_well(opened: Opener, noted: None) -> None:
    watched = opened("/logs/")
    expect(watched.page.get_by_text("The log could not be sent. The server answered 404.").first).to_be_visible()
    expect(watched.page.get_by_label("Customer number")).to_be_visible()
    watched.assert_well_everywhere("logs")


def test_a_log_arrives(opened: Opener, noted: None, tmp_path: Path) -> None:
    watched = opened("/logs/")
    with watched.page.expect_download() as arriving:
        watched.page.get_by_role("link", name="Diagnostics").click()
    path = tmp_path / arriving.value.suggested_filename
    arriving.value.save_as(path)
    assert "log_upload_failed" in gzip.decompress(path.read_bytes()).decode()
