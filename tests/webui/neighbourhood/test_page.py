"""The neighbourhood's page: what is kept, what is refused, and the test of the connection at a real broker."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from station.project.supervisor import startup
from tests.support.ports import free_port
from tests.uplink.authority import Authority
from tests.webui.looking import look
from tests.webui.neighbourhood.brokers import Broker
from webui.accounts.models import Change
from webui.neighbourhood import probe as probing
from webui.neighbourhood import switch
from webui.neighbourhood.models import Neighbourhood
from webui.neighbourhood.tls import context

PAGE = "/neighbourhood/"
FIELDS = {
    "version": "0",
    "mdns": "on",
    "mqtt": "on",
    "host": "broker.lan",
    "port": "1883",
    "topic": "garage/box",
    "scope": "read",
    "discovery": "on",
    "discovery_topic": "homeassistant",
}


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def administrator(person: User, browser: Client) -> Client:
    person.is_staff = person.is_superuser = True
    person.save()
    return browser


def test_it_is_for_administrators(browser: Client, installer: Client) -> None:
    assert installer.get(PAGE).status_code == 403
    assert installer.post(PAGE, FIELDS).status_code == 403
    assert installer.post(f"{PAGE}check/", FIELDS).status_code == 403
    assert not Neighbourhood.objects.exists()


def test_what_is_saved_lasts_and_reaches_the_supervisor(administrator: Client, tmp_path: Path) -> None:
    look(administrator.get(PAGE).content)
    answer = administrator.post(PAGE, {**FIELDS, "user": "box", "new_password": "s3cret word", "scope": "control"})
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}?saved")
    row = Neighbourhood.objects.get()
    assert (row.mqtt, row.host, row.topic, row.scope, row.version) == (True, "broker.lan", "garage/box", "control", 1)
    assert "s3cret" not in row.password
    assert row.open_password() == "s3cret word"
    assert switch.read(tmp_path) == switch.Wish(True, True, 1)
    assert Change.objects.get().kind == "neighbourhood_changed"
    page = administrator.get(f"{PAGE}?saved").content.decode()
    assert "s3cret" not in page
    assert "One is set" in page


def test_the_password_stays_unless_another_is_typed(administrator: Client) -> None:
    administrator.post(PAGE, {**FIELDS, "user": "box", "new_password": "one"})
    administrator.post(PAGE, {**FIELDS, "user": "box", "version": "1"})
    assert Neighbourhood.objects.get().open_password() == "one"
    administrator.post(PAGE, {**FIELDS, "user": "box", "version": "2", "new_password": "two"})
    assert Neighbourhood.objects.get().open_password() == "two"
    administrator.post(PAGE, {**FIELDS, "version": "3", "user": ""})
    assert Neighbourhood.objects.get().open_password() == "", "without a user name there is none"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", ""),
        ("host", "mqtt://broker.lan"),
        ("host", "broker.lan:1883"),
        ("host", "a b"),
        ("host", "x" * 300),
        ("port", "0"),
        ("port", "65536"),
        ("port", "x"),
        ("topic", ""),
        ("topic", "/box"),
        ("topic", "box/"),
        ("topic", "box/#"),
        ("topic", "a b"),
        ("topic", "$SYS"),
        ("discovery_topic", "+"),
        ("scope", "everything"),
        ("user", "a\x07b"),
        ("new_password", "a\nb"),
        ("ca", "-----BEGIN NONSENSE-----"),
        ("ca", "-----BEGIN PRIVATE KEY-----"),
        ("ca", "x" * 30_000),
        ("metrics_networks", "192.168.1.0/33"),
        ("metrics_networks", "0.0.0.0/0"),
        ("metrics_networks", "<script>"),
    ],
)
def test_what_makes_no_sense_is_named_and_nothing_is_kept(administrator: Client, name: str, value: str) -> None:
    answer = administrator.post(PAGE, {**FIELDS, "user": "me", "new_password": "typed", **{name: value}})
    assert answer.status_code == 422
    assert name in answer.context["form"].errors
    assert "<script>" not in answer.content.decode()
    assert not Neighbourhood.objects.exists()
    if name != "user":
        assert 'value="me"' in answer.content.decode(), "nothing typed is lost"


def test_two_who_edit_at_once(administrator: Client) -> None:
    administrator.post(PAGE, FIELDS)
    answer = administrator.post(PAGE, {**FIELDS, "host": "other.lan"})
    assert answer.status_code == 422
    assert "Somebody else has changed this page" in look(answer.content).words
    assert Neighbourhood.objects.get().host == "broker.lan"
    assert 'name="version" value="1"' in answer.content.decode()
    assert administrator.post(PAGE, {**FIELDS, "host": "other.lan", "version": "1"}).status_code == 302
    assert Neighbourhood.objects.get().host == "other.lan"


def test_a_disk_that_refuses_changes_nothing(administrator: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "gone"
    answer = administrator.post(PAGE, FIELDS)
    assert answer.status_code == 500
    assert "could not be kept" in look(answer.content).words
    assert not Neighbourhood.objects.exists()


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"mdns": 1}', b"\xff", b'{"mdns": true, "mqtt": true, "version": "x"}']
)
def test_a_damaged_file_is_as_delivered(tmp_path: Path, text: bytes) -> None:
    (tmp_path / switch.NAME).write_bytes(text)
    assert switch.read(tmp_path) == switch.Wish()


def test_the_supervisor_looks_at_the_file(tmp_path: Path) -> None:
    alone, reachable = switch.watch(tmp_path, False), switch.watch(tmp_path, True)
    assert (alone(), reachable()) == (False, True), "as delivered it is announced where it can be reached"
    switch.write(tmp_path, switch.Wish(mdns=True, mqtt=True, version=1))
    assert (alone(), reachable()) == (True, True)
    switch.write(tmp_path, switch.Wish(mdns=False, mqtt=False, version=2))
    assert (alone(), reachable()) == (False, False)


def test_a_start_of_the_appliance_writes_the_file_anew(db: None, tmp_path: Path) -> None:
    startup._write_switch(tmp_path)
    assert not list(tmp_path.iterdir()), "as delivered there is none"
    Neighbourhood(pk=1, mqtt=True, host="x", version=7).save()
    startup._write_switch(tmp_path)
    assert switch.read(tmp_path) == switch.Wish(True, True, 7)


# ------------------------------------------------------------------ the test of the connection


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "box", "right"], check=True, capture_output=True)
    running = Broker(tmp_path, "allow_anonymous false", f"password_file {passwords}").start()
    yield running
    running.stop()


def tried(administrator: Client, port: int, **more: str) -> str:
    answer = administrator.post(f"{PAGE}check/", {**FIELDS, "host": "127.0.0.1", "port": str(port), **more})
    assert answer.status_code == 200
    assert not Neighbourhood.objects.exists()
    return look(answer.content).words


def test_it_says_what_is_wrong(administrator: Client, broker: Broker) -> None:
    right = {"user": "box", "new_password": "right"}
    assert "takes the station" in tried(administrator, broker.port, **right)
    assert "does not take this user name" in tried(administrator, broker.port, user="box", new_password="wrong")
    assert "wants a user name" in tried(administrator, broker.port)
    assert "nobody listens" in tried(administrator, free_port(), **right)
    assert "speaks TLS" in tried(administrator, broker.port, tls="on", **right)
    assert "no host" in tried(administrator, broker.port, host="no-such-host.invalid", **right)
    assert "without “mqtt://”" in tried(administrator, broker.port, host="mqtt://x", **right)
    assert "Broker: Where is the broker?" in tried(administrator, broker.port, host="")


def test_certificates_of_a_broker(administrator: Client, tmp_path: Path) -> None:
    authority = Authority("Broker Root", now=datetime.now(UTC))
    authority.issue(tmp_path, "broker", names=["127.0.0.1"])
    certificate = authority.root
    lines = [f"certfile {tmp_path}/chain.pem", f"keyfile {tmp_path}/key.pem"]
    running = Broker(tmp_path, *lines).start()
    try:
        assert "takes the station" in tried(administrator, running.port, tls="on", ca=certificate)
        assert "authority that is not known" in tried(administrator, running.port, tls="on")
        assert "hung up" in tried(administrator, running.port)
        found = asyncio.run(probing.probe("127.0.0.2", running.port, context(certificate), "", "", "x"))
        assert not found.good
    finally:
        running.stop()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00\x09", b"\x20"])
def test_what_is_no_broker(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.recv(1000)
                line.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        found = asyncio.run(probing.probe("127.0.0.1", server.getsockname()[1], None, "", "", "x"))
        thread.join(5)
    assert not found.good
    assert found.said.endswith((".", "?"))


def test_one_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = asyncio.run(probing.probe("127.0.0.1", server.getsockname()[1], None, "", "", "x"))
    assert "does not answer" in found.said


def test_the_packet_is_as_the_standard_has_it() -> None:
    packet = probing.connect("c", "u", "p" * 200)
    assert packet[0] == 0x10
    assert packet[1:3] == bytes([0x80 | (len(packet) - 3) % 128, (len(packet) - 3) // 128])
    assert packet[3:13] == b"\x00\x04MQTT\x04\xc2\x00\x0a"
    assert probing.connect("c", "", "p")[2:12] == b"\x00\x04MQTT\x04\x02\x00\x0a"
    with pytest.raises(ValueError, match="too long"):
        probing.connect("c" * 70_000, "", "")


def test_a_context_without_a_certificate_trusts_the_operating_system() -> None:
    assert context("").verify_mode is ssl.CERT_REQUIRED
    assert context("").check_hostname
