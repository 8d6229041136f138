"""The pages about HTTPS, and a certificate on trial."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from station.store.models import Command
from tests.webui.access.conftest import Clock
from tests.webui.https import making
from tests.webui.https.making import LEAF, MIDDLE, Made
from tests.webui.looking import look
from webui.access import trials
from webui.https import own, serving
from webui.https.authority import LEAF_FILE

pytestmark = pytest.mark.django_db
NEW = LEAF.key_pem() + LEAF.pem + MIDDLE.pem


@pytest.fixture
def served(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A server that speaks TLS; the list has the name of each file that it was told to serve with."""
    settings.KEYS_DIR = tmp_path
    told: list[str] = []
    monkeypatch.setattr(own.timezone, "now", lambda: making.NOW)
    monkeypatch.setattr(serving, "_reload", lambda: told.append(serving.file().name))
    monkeypatch.setattr(serving, "_known", None)
    serving.file()
    return told


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(trials, "_clock", made)
    return made


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    return client


def upload(client: Client, content: bytes = NEW) -> Any:
    return client.post("/https/upload/", {"certificate": SimpleUploadedFile("x.pem", content)})


def test_without_tls_the_page_says_how_it_is_switched_on(admin: Client) -> None:
    words = look(admin.get("/https/").content).words
    assert "STATION_WEB_TLS" in words
    assert admin.get("/trust/").status_code == 404


def test_the_page_and_the_way_to_trust(admin: Client, served: list[str]) -> None:
    words = look(admin.get("/https/").content).words
    assert "localhost" in words
    root = Client().get("/trust/root.crt")
    assert root.headers["Content-Type"] == "application/x-x509-ca-cert"
    certificate = x509.load_der_x509_certificate(root.content)
    assert own.called(certificate) in words
    told = look(Client().get("/trust/").content).words.replace(" ", "")
    from cryptography.hazmat.primitives import hashes

    assert certificate.fingerprint(hashes.SHA256()).hex().upper() in told
    assert "PRIVATE" not in words + told


@pytest.mark.parametrize("path", ["/https/upload/", "/https/local/"])
def test_only_administrators(installer: Client, served: list[str], path: str) -> None:
    assert installer.get("/https/").status_code == 403
    assert installer.post(path).status_code == 403


def test_it_is_tried_and_kept(admin: Client, served: list[str], clock: Clock, tmp_path: Path) -> None:
    assert upload(admin).status_code == 302
    assert served == [own.OWN_FILE]
    assert (tmp_path / own.OWN_FILE).stat().st_mode & 0o777 == 0o600
    words = look(admin.get("/https/").content).words
    assert "A new certificate is being tried. Set by anna" in words
    assert "station.example.com" in words
    assert admin.post("/access/trials/certificate/keep/").status_code == 302
    clock.later(1000)
    admin.get("/")
    assert serving.file().name == own.OWN_FILE
    assert [one.arguments["what"] for one in Command.objects.order_by("id")] == ["upload_certificate", "keep_trial"]


def test_unless_it_is_kept_the_one_of_before_comes_back(
    admin: Client, served: list[str], clock: Clock, tmp_path: Path
) -> None:
    upload(admin)
    clock.later(trials.WINDOW)
    admin.get("/")
    assert served == [own.OWN_FILE, LEAF_FILE]
    assert not (tmp_path / own.OWN_FILE).exists()


def test_after_a_restart_an_uploaded_one_comes_back_too(
    admin: Client, served: list[str], clock: Clock, tmp_path: Path
) -> None:
    upload(admin)
    admin.post("/access/trials/certificate/keep/")
    other = Made("other.example.com", MIDDLE)
    upload(admin, other.key_pem() + other.pem + MIDDLE.pem)
    upload(admin, other.key_pem() + other.pem)  # once more on top
    trials.forget()
    clock.later(trials.WINDOW)
    admin.get("/")
    clock.later(trials.WINDOW)
    admin.get("/")
    assert (tmp_path / own.OWN_FILE).read_bytes() == NEW
    assert not (tmp_path / own.BEFORE_FILE).exists()


def test_back_to_the_local_ca_is_on_trial_too(admin: Client, served: list[str], clock: Clock, tmp_path: Path) -> None:
    upload(admin)
    admin.post("/access/trials/certificate/keep/")
    assert admin.post("/https/local/").status_code == 302
    assert serving.file().name == LEAF_FILE
    admin.post("/access/trials/certificate/keep/")
    assert [path.name for path in tmp_path.glob("web-own*")] == []


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Choose the files"),
        ({"text": "<script>alert(1)</script>"}, "no private key"),
        ({"text": LEAF.pem.decode()}, "no private key"),
        ({"text": "x" * 70_000}, "at most"),
        ({"certificate": SimpleUploadedFile("x.pem", b"x" * 70_000)}, "too large"),
        ({"key": SimpleUploadedFile("x.pem", LEAF.key_pem())}, "no certificate"),
    ],
)
def test_bad_input_changes_nothing(
    admin: Client, served: list[str], tmp_path: Path, sent: dict[str, Any], said: str
) -> None:
    answer = admin.post("/https/upload/", sent)
    assert answer.status_code == 422
    assert said in look(answer.content).words
    assert served == []
    assert trials.running() == []
    assert not (tmp_path / own.OWN_FILE).exists()


def test_the_certificate_is_renewed_when_the_station_gets_another_address(
    served: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.look()
    assert served == []
    known = serving.names()[0]
    other = serving.authority.Names(known.dns | {"garage.lan"}, known.addresses)
    monkeypatch.setattr(serving, "names", lambda: (other, other))
    serving.look()
    serving.look()
    assert served == [LEAF_FILE]
    leaf = serving.authority.read_pair(tmp_path / LEAF_FILE)
    assert leaf is not None
    assert "garage.lan" in serving.authority.names_in(leaf.certificate).dns
    assert leaf.certificate.not_valid_before_utc < datetime.datetime.now(datetime.UTC)
