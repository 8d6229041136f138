"""The logs' page: what happened, in words; the files; and whose card it is."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from station.domain.effects import SaveVariable
from station.store import repositories
from station.store.models import Command, JournalEntry, SecurityLogEntry
from tests.webui.looking import look
from tests.webui.making import NOON

SWITCH = SaveVariable("CustomerInformationCtrlr", "CustomerIdentifierEnabled", "true")
CUSTOMER = {"customer_identifier": "c-1", "id_token": "04A2B3C4D5E6F7", "type": "ISO14443"}


def note(kind: str, minutes: int = 0, **data: Any) -> None:
    JournalEntry.objects.create(at=NOON + timedelta(minutes=minutes), kind=kind, data=data)


def test_how_the_last_upload_fared(browser: Client) -> None:
    assert "No log was sent yet." in look(browser.get("/logs/").content).words
    note("log_requested", host="logs.example")
    note("log_upload_failed", 1, detail="the server answered <404>", status="UploadFailure")
    page = look(browser.get("/logs/").content)
    assert "The log could not be sent. The server answered <404>." in page.words
    assert "to be sent to logs.example" in page.words


@pytest.mark.parametrize(("name", "kept"), [("diagnostics", "plugged_in"), ("security", "StartupOfTheDevice")])
def test_a_log_is_downloaded(installer: Client, settings: Any, tmp_path: Path, name: str, kept: str) -> None:
    settings.DATA_DIR = tmp_path
    repositories.commit([SaveVariable("SecurityCtrlr", "BasicAuthPassword", "0123456789abcdef")])
    note("plugged_in", password="0123456789abcdef")
    SecurityLogEntry.objects.create(at=NOON, type="StartupOfTheDevice")
    answer = installer.get(f"/logs/{name}.gz")
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{name}_')
    text = gzip.decompress(b"".join(answer.streaming_content)).decode()
    assert kept in text
    assert "0123456789abcdef" not in text


def test_another_file_is_not_there(browser: Client) -> None:
    assert browser.get("/logs/station.gz").status_code == 404


def test_customers_are_named_only_where_that_is_switched_on(browser: Client) -> None:
    assert "Whose card is it" not in look(browser.get("/logs/").content).words
    repositories.commit([SWITCH])
    assert "Whose card is it" in look(browser.get("/logs/").content).words


def test_a_customer_is_named(browser: Client) -> None:
    repositories.commit([SWITCH])
    answer = browser.post("/logs/customer/", CUSTOMER)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/logs/")
    command = Command.objects.get()
    assert (command.action, command.arguments) == ("name_customer", CUSTOMER)
    assert "The station has been told." in look(browser.get("/logs/").content).words


@pytest.mark.parametrize("field", ["customer_identifier", "id_token", "type"])
def test_what_is_wrong_is_said_at_the_field(browser: Client, field: str) -> None:
    repositories.commit([SWITCH])
    answer = browser.post("/logs/customer/", {**CUSTOMER, field: ""})
    assert answer.status_code == 400
    assert "This field is required." in look(answer.content).words
    assert not Command.objects.exists()
