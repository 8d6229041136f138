"""The firmware's page: what runs, how far an update is, and what became of earlier ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import station as running
from station.domain.certificates import CertificateUse
from station.domain.effects import Journal, Remember, SaveCertificate
from station.firmware import slots
from station.firmware.slots import Failed, Installed, State, Trial
from station.live.payloads import FirmwareLive, decode, encode
from station.store import repositories
from tests.uplink.authority import Authority
from tests.webui.looking import Looking, look
from tests.webui.making import NOON, station
from webui.dashboard import latest
from webui.firmware import live, reading

UPDATE = FirmwareLive(
    "downloads", "Downloading", 7, "files.example:8443", moved=3_500_000, total=10_000_000, attempt=2, attempts=4
)
ENDED = {
    "at": "2025-06-01T12:00:00Z",
    "accepted_at": "2025-06-01T11:00:00Z",
    "request_id": 7,
    "version": "2.0.0",
    "status": "Installed",
    "detail": "",
    "running": "2.0.0",
}


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.DATA_DIR = tmp_path
    monkeypatch.delenv(reading.RUNNING_SLOT, raising=False)
    return tmp_path


def page(client: Client, status: int = 200) -> Looking:
    answer = client.get("/firmware/")
    assert answer.status_code == status
    return look(answer.content)


def test_only_an_installer_sees_it(browser: Client) -> None:
    page(browser, 403)


def test_as_it_was_delivered(installer: Client) -> None:
    words = page(installer).words
    assert f"{running.__version__} runs now" in words
    assert f"As delivered {running.__version__} runs proven" in words
    assert "Slot A –" in words
    assert "There was none yet." in words


def test_slots(installer: Client, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"a": Installed("t1", "2.0.0"), "b": Installed("t2", "3.0.0")}
    slots.save(data, State("a", installed, Trial("b"), Failed("t0", "2.5.0", "it did not start.")))
    monkeypatch.setenv(reading.RUNNING_SLOT, "b")
    words = page(installer).words
    assert "Slot A 2.0.0 proven" in words
    assert "Slot B 3.0.0 runs on trial" in words
    assert "As delivered –" in words
    assert "Version 2.5.0 was tried and taken back: it did not start." in words


def test_slots_that_the_operating_system_keeps(installer: Client, settings: Any) -> None:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, installer="rauc")
    words = page(installer).words
    assert "Slot A" not in words
    assert "that of the operating system" in words


@pytest.mark.parametrize("content", ["", "{}", "[]", "\x00", '{"format": 9}'])
def test_a_state_that_cannot_be_read_is_the_factory_s(installer: Client, data: Path, content: str) -> None:
    (data / slots.FOLDER).mkdir()
    (data / slots.FOLDER / slots.STATE).write_text(content)
    assert "As delivered" in page(installer).words


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "An update is being downloaded. 35 % · 3.3 MB of 9.5 MB · try 2 of 4 From files.example:8443."),
        ({"total": 0}, "An update is being downloaded. 3.3 MB · try 2 of 4"),
        ({"phase": "waits_to_download", "waits_until": "2025-06-01T12:00:00Z"}, "Goes on at 1 Jun, 12:00:00."),
        ({"phase": "waits_to_download", "waits_until": "soon"}, "An update waits to be downloaded. From"),
        ({"phase": "installs", "version": "2.0.0"}, "An update is being installed. Version 2.0.0."),
        ({"phase": "proves_itself"}, "The new firmware runs on trial"),
        ({"detail": "HTTP 404"}, "The last try: HTTP 404"),
        ({"phase": "levitates"}, "Levitates."),
        ({"moved": 20_000_000}, "100 %"),
        ({"host": "<script>"}, "From <script>."),
    ],
)
def test_how_far_an_update_is(changes: dict[str, Any], said: str) -> None:
    told = station(firmware_version="1.2.3", firmware=replace(UPDATE, **changes))
    words = look(live.now(told)).words
    assert said in words
    assert words.startswith("1.2.3 runs now")


def test_the_live_view_carries_an_update() -> None:
    assert decode(encode(station(firmware=UPDATE))).firmware == UPDATE
    assert decode(encode(station())).firmware is None


def test_on_the_page_at_once_where_it_is_known(installer: Client) -> None:
    latest.remember(station(firmware_version="1.2.3", firmware=UPDATE))
    assert "An update is being downloaded." in page(installer).words


def test_history(installer: Client) -> None:
    failed = {**ENDED, "status": "InvalidSignature", "version": "", "detail": "it is not that of the file"}
    left = {**ENDED, "status": "AcceptedCanceled"}
    repositories.commit([Remember("firmware_history", [ENDED, failed, left])])
    repositories.commit([Journal(NOON, "firmware_requested", data={"host": "files.example", "who": "csms"})])
    words = page(installer).words
    newest, then, first = (
        words.index("2.0.0: left for a newer request"),
        words.index("refused, for its signature is wrong it is not that of the file"),
        words.index("2.0.0: installed"),
    )
    assert newest < then < first
    assert "The operator's system asked for a firmware update from files.example." in words


@pytest.mark.parametrize("kept", [1, {}, ["x"], [{}], [{**ENDED, "at": None}]])
def test_a_history_that_cannot_be_read_is_left_out(installer: Client, kept: Any) -> None:
    repositories.commit([Remember("firmware_history", kept)])
    assert "There was none yet." in page(installer).words


def test_without_the_manufacturer_nothing_is_installed(installer: Client) -> None:
    assert "No root certificate of the manufacturer is installed" in page(installer).words
    repositories.commit([SaveCertificate(Authority("Maker").installed(CertificateUse.MANUFACTURER_ROOT))])
    assert "No root certificate of the manufacturer" not in page(installer).words
