"""A firmware from the browser: in pieces, never too large, never the wrong file, and handed over as a command."""

from __future__ import annotations

import shutil
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from station.live.payloads import FirmwareLive
from station.store import spool
from station.store.models import Command, Variable
from tests.support.manufacturer import Manufacturer
from tests.webui.making import station
from webui.dashboard import latest
from webui.firmware import upload

SIGNER = Manufacturer().signer()
IMAGE = b"\x1f\x8b" + bytes(range(256)) * 20


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, installer="slots")
    return tmp_path


def begun(client: Client, size: int = len(IMAGE)) -> str:
    answer = client.post("/firmware/upload/", {"size": size})
    assert answer.status_code == 200
    assert answer.json()["at"] == 0
    return str(answer.json()["id"])


def piece(client: Client, name: str, at: int | str, content: bytes) -> Any:
    return client.post(f"/firmware/upload/{name}/?at={at}", content, content_type="application/octet-stream")


def uploaded(client: Client, content: bytes = IMAGE) -> str:
    name = begun(client, len(content))
    for at in range(0, len(content), 1000):
        answer = piece(client, name, at, content[at : at + 1000])
        assert answer.status_code == 200
    assert answer.json()["at"] == len(content)
    return name


def order(client: Client, name: str, **changes: Any) -> Any:
    sent = {
        "upload_id": name,
        "certificate": SimpleUploadedFile("c.pem", SIGNER.pem.encode()),
        "signature_text": SIGNER.sign(IMAGE),
        **changes,
    }
    return client.post("/firmware/install/", {key: value for key, value in sent.items() if value is not None})


@pytest.mark.django_db
def test_only_an_installer_may(browser: Client) -> None:
    for path in ("/firmware/upload/", "/firmware/upload/x/", "/firmware/install/"):
        assert browser.post(path).status_code == 403


def test_in_pieces_into_the_spool_and_handed_over(installer: Client, data: Path) -> None:
    name = uploaded(installer)
    assert (data / spool.FOLDER / name / upload.FILE).read_bytes() == IMAGE
    answer = order(installer, name)
    command = Command.objects.get()
    assert answer["Location"] == f"/firmware/?asked={command.pk}"
    assert (command.action, command.arguments["transfer_id"]) == ("install_firmware", name)
    assert command.arguments["certificate"].strip() == SIGNER.pem.strip()
    assert command.arguments["signature"] == SIGNER.sign(IMAGE) or len(command.arguments["signature"]) > 40
    upload.clear(data)  # what was handed over is the worker's
    assert (data / spool.FOLDER / name / upload.FILE).exists()


def test_a_piece_that_does_not_fit_is_told_where_to_go_on(installer: Client) -> None:
    name = begun(installer)
    assert piece(installer, name, 0, IMAGE[:1000]).json()["at"] == 1000
    assert piece(installer, name, 0, IMAGE[:1000]).status_code == 200  # the answer got lost, and it came again
    for at in (500, 2000, "x", "", -1):
        answer = piece(installer, name, at, IMAGE[:1000])
        assert (answer.status_code, answer.json()["at"]) == (409, 1000)
    assert piece(installer, name, 1000, IMAGE[1000:]).json()["at"] == len(IMAGE)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (SIGNER.pem.encode(), "This is a certificate"),
        (b"-----BEGIN PRIVATE KEY-----", "This is a certificate or a key"),
        (b"PK\x03\x04 an archive", "another kind of file"),
        (b"hello", "no firmware image"),
        (b"\x00" * 100, "no firmware image"),
    ],
)
def test_wrong_file_is_refused_in_words(installer: Client, data: Path, content: bytes, said: str) -> None:
    answer = piece(installer, begun(installer, len(content)), 0, content)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert list((data / spool.FOLDER).iterdir()) == []


@pytest.mark.parametrize(
    ("size", "said"), [("0", "empty"), ("x", "empty"), ("-5", "empty"), ("", "empty"), ("9" * 30, "empty")]
)
def test_size_that_is_none(installer: Client, size: str, said: str) -> None:
    answer = installer.post("/firmware/upload/", {"size": size})
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_size_has_a_limit_that_the_device_model_knows(installer: Client) -> None:
    Variable.objects.create(component="FirmwareCtrlr", variable="MaxImageSize", value="1000000")
    assert "more than 1 MB" in installer.post("/firmware/upload/", {"size": 1_000_001}).json()["error"]
    assert installer.post("/firmware/upload/", {"size": 1_000_000}).status_code == 200


def test_full_disk_is_said(installer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    assert "not enough room" in installer.post("/firmware/upload/", {"size": 5000}).json()["error"]


def test_more_than_announced_and_too_much_at_once(installer: Client) -> None:
    name = begun(installer, 10)
    assert "More came" in piece(installer, name, 0, IMAGE[:20]).json()["error"]
    name = begun(installer, 5_000_000)
    assert piece(installer, name, 0, b"\x1f\x8b" + b"x" * 2_000_000).status_code == 413


def test_upload_that_is_not_there(installer: Client) -> None:
    for name in ("x", "0" * 36, "..", "b" * 36):
        assert piece(installer, name, 0, b"x").status_code == 404
        assert order(installer, name).status_code == 400
    assert not Command.objects.exists()


def test_a_new_upload_takes_the_place_of_one_that_was_left(installer: Client, data: Path) -> None:
    first = uploaded(installer)
    begun(installer)
    assert piece(installer, first, 0, b"x").status_code == 404


def test_none_begins_while_an_update_runs(installer: Client) -> None:
    latest.remember(station(firmware=FirmwareLive("installs", "Installing", 7, "x")))
    answer = installer.post("/firmware/upload/", {"size": 5000})
    assert (answer.status_code, "under way" in answer.json()["error"]) == (409, True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"certificate": None}, "Choose the certificate"),
        ({"certificate": SimpleUploadedFile("c", b"nothing")}, "no certificate"),
        ({"certificate": SimpleUploadedFile("c", b"x" * 20_000)}, "too large"),
        ({"certificate": SimpleUploadedFile("c", b"-----BEGIN PRIVATE KEY-----")}, "private key"),
        ({"certificate": SimpleUploadedFile("c", SIGNER.pem.encode() * 2)}, "several certificates"),
        ({"signature_text": None}, "Choose the signature"),
        ({"signature_text": "short"}, "no signature"),
        ({"signature_text": SIGNER.pem}, "certificate or a key, and no signature"),
        ({"signature": SimpleUploadedFile("s", b"x" * 5_000)}, "no signature"),
        ({"upload_id": ""}, "Choose the firmware image first"),
    ],
)
def test_what_is_missing_is_named_and_the_upload_is_kept(installer: Client, changes: dict[str, Any], said: str) -> None:
    name = uploaded(installer)
    answer = order(installer, name, **changes)
    assert answer.status_code == 400
    html = answer.content.decode()
    assert said in html
    if "upload_id" not in changes:
        assert name in html
        assert "All of it is here." in html
    assert not Command.objects.exists()


def test_signature_may_be_a_file_of_bytes(installer: Client) -> None:
    raw = b"\x30\x45" + bytes(range(70))
    order(installer, uploaded(installer), signature=SimpleUploadedFile("s", raw), signature_text=None)
    assert Command.objects.get().arguments["signature"] == b64encode(raw).decode()
