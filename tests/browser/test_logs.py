"""The logs' page in a browser: well at every width, and a file that arrives."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Web

pytestmark = pytest.mark.browser

KINDS = ("StartupOfTheDevice", "MaintenanceLoginFailed", "ConfigurationChanged", "InvalidCsmsCertificate")
LONG = "by the CSMS: OCPPCommCtrlr.RetryBackOffRepeatTimes = 5; SampledDataCtrlr.TxUpdatedMeasurands = " + "x" * 120


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


@pytest.fixture
def security(web: Web) -> Iterator[None]:
    for number in range(56):
        kind = KINDS[number % 4]
        critical = int(kind != "ConfigurationChanged")
        info = LONG if kind == "ConfigurationChanged" else "{''user'': ''admin'', ''origin'': ''192.0.2.7''}"
        web.rows(
            "INSERT INTO station_security_log (at, type, tech_info, critical)"  # noqa: S608 - our own words
            f" VALUES ('2025-06-01 12:{number:02d}:00', '{kind}', '{info}', {critical})"
        )
    yield
    web.rows("DELETE FROM station_security_log")


def test_logs_are_well(opened: Opener, noted: None, security: None) -> None:
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


def test_the_security_log_is_well(opened: Opener, security: None) -> None:
    watched = opened("/logs/security/")
    entries = watched.page.locator("#entries")
    expect(entries.get_by_text("The certificate of the operator's system was refused.").first).to_be_visible()
    watched.assert_well_everywhere("security-log")
    watched.page.get_by_text("Filter", exact=True).click()
    watched.page.get_by_label("What").select_option("ConfigurationChanged")
    watched.page.get_by_role("button", name="Show").click()
    expect(entries.locator("li")).to_have_count(14)
    watched.assert_well_everywhere("security-log-filtered")


def test_the_security_log_is_cleared_only_after_a_second_click(opened: Opener, web: Web, security: None) -> None:
    watched = opened("/logs/security/")
    button = watched.page.get_by_role("button", name="Clear it")
    expect(button).to_be_hidden()
    watched.page.get_by_text("Clear the security log").click()
    watched.assert_well_everywhere("security-log-clear")
    button.click()
    expect(watched.page.get_by_text("Sent to the station …")).to_be_visible()
    assert web.rows("SELECT action FROM station_command ORDER BY id DESC LIMIT 1") == [("clear_security_log",)]
    web.rows("DELETE FROM station_command")


def test_what_the_processes_say_is_followed_and_filtered(opened: Opener, web: Web) -> None:
    file = web.folder / "data" / "logs" / "station.log"
    file.parent.mkdir(exist_ok=True)

    def say(message: str, level: str = "INFO", **more: str) -> None:
        told = {"at": "2024-05-01T12:00:00.000+00:00", "process": "uplink", "level": level, "message": message, **more}
        with file.open("a") as log:
            log.write(json.dumps(told) + "\n")

    say("connected to wss://csms.example/ocpp (slot 1, profile 2)")
    say("a step could not be committed", "ERROR", exception="Traceback\n  File …")
    say("the channel layer is away: Connection refused", "WARNING")
    watched = opened("/logs/")
    page = watched.page
    page.get_by_label("Where to").fill("https://support.example/upload")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Sent to the station")).to_be_visible()
    watched.assert_well_everywhere("logs-send")
    page.get_by_role("link", name="Look at it").click()
    say("this is new")
    expect(page.get_by_text("this is new")).to_be_visible(timeout=10_000)
    watched.assert_well_everywhere("logs-processes")
    page.goto("/logs/processes/?level=ERROR")
    expect(page.get_by_text("a step could not be committed")).to_be_visible()
    expect(page.get_by_text("this is new")).to_have_count(0)
    file.unlink()
    web.rows("DELETE FROM station_command")
