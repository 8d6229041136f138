"""The VPN's page, its settings and its key; the machine is one that says yes."""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from station.store.models import Command
from tests.webui.access.conftest import Clock
from tests.webui.access.machines import MACHINE, VPN_HOST
from tests.webui.looking import look
from tests.webui.vpn.test_wireguard import GOOD, KEY, PEER, SHARED
from webui.access import netlink, origin, trials, vpn_name
from webui.access.models import Setting
from webui.vpn import control, service, wireguard, words
from webui.vpn.control import Found
from webui.vpn.wireguard import Configuration, Failed, State

pytestmark = pytest.mark.django_db
TYPED = {
    "addresses": "10.8.0.7",
    "peer": PEER,
    "endpoint": "192.0.2.1:51820",
    "allowed": "10.8.0.0/24",
    "keepalive": "25",
}
NOW = 1_780_000_000


class Machine:
    """Takes everything, unless told to fail."""

    kind = "direct"

    def __init__(self) -> None:
        self.done: list[Configuration | None] = []
        self.found = Found(State("192.0.2.1:51820", 0, 0, 148))
        self.fails = False

    def apply(self, wanted: Configuration | None) -> None:
        self.done.append(wanted)
        if self.fails:
            raise Failed("no_wireguard")

    def look(self) -> Found:
        return self.found


@pytest.fixture(autouse=True)
def machine(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    settings.KEYS_DIR = settings.DATA_DIR = tmp_path
    made = Machine()
    monkeypatch.setattr(service, "control", lambda: made)
    monkeypatch.setattr("webui.vpn.views.control", lambda: made)
    monkeypatch.setattr(netlink, "links", lambda: (netlink.Link(2, "eth0", addresses=(LAN,)),))
    return made


LAN = wireguard.ipaddress.ip_interface("192.168.1.7/24")


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    return client


def test_the_key_is_made_here_and_only_its_public_half_is_shown(admin: Client, tmp_path: Path) -> None:
    page = admin.get("/vpn/").content.decode()
    file = tmp_path / service.KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    private = X25519PrivateKey.from_private_bytes(base64.b64decode(file.read_text()))
    assert base64.b64encode(private.public_key().public_bytes_raw()).decode() in html.unescape(page)
    assert file.read_text() not in page
    assert "The VPN is off." in look(page).words


def test_a_damaged_key_is_said_so_and_can_be_replaced(admin: Client, tmp_path: Path) -> None:
    (tmp_path / service.KEY_FILE).write_text("rubbish")
    assert "The file of the key is damaged." in look(admin.get("/vpn/").content).words
    admin.post("/vpn/key/")
    assert len(service.public_key()) == 44


def test_settings_are_kept_written_and_in_force(admin: Client, machine: Machine, tmp_path: Path) -> None:
    answer = admin.post("/vpn/change/", {**TYPED, "preshared": SHARED}, follow=True)
    words_ = look(answer.content).words
    assert "The settings are kept." in words_
    assert "Nobody answers at 192.0.2.1:51820." in words_
    (done,) = machine.done
    assert done is not None
    assert (done.private, done.peer, done.preshared) == (service.private_key(), PEER, SHARED)
    file = tmp_path / "vpn" / f"{vpn_name()}.conf"
    assert wireguard.read(file.read_text()) == done
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"ExecStart=/usr/lib/station/station-vpn {tmp_path / 'vpn'}" in (
        (tmp_path / "vpn" / f"{vpn_name()}.service").read_text()
    )
    for secret in (SHARED, done.private):
        assert secret not in str(Setting.objects.get(pk="vpn").value)
        assert secret not in answer.content.decode()
        assert secret not in str(list(Command.objects.values()))
    # Empty stays, a tick forgets.
    admin.post("/vpn/change/", TYPED)
    assert machine.done[-1] == done
    admin.post("/vpn/change/", {**TYPED, "drop_preshared": "on"})
    assert machine.done[-1] is not None
    assert machine.done[-1].preshared == ""


def test_a_file_is_taken_in_with_its_key(admin: Client, machine: Machine) -> None:
    admin.get("/vpn/")
    answer = admin.post("/vpn/import/", {"import-file": SimpleUploadedFile("wg0.conf", GOOD.encode())}, follow=True)
    assert machine.done == [wireguard.read(GOOD)]
    assert service.private_key() == KEY
    assert KEY not in answer.content.decode()


def test_off_on_and_another_key(admin: Client, machine: Machine, tmp_path: Path) -> None:
    admin.post("/vpn/switch/", {"to": "on"})  # nothing is set up
    assert machine.done == []
    admin.post("/vpn/change/", TYPED)
    first = service.public_key()
    admin.post("/vpn/switch/", {"to": "off"})
    assert machine.done[-1] is None
    assert (tmp_path / "vpn" / f"{vpn_name()}.conf").read_text() == ""
    admin.post("/vpn/key/")
    assert service.public_key() != first
    admin.post("/vpn/switch/", {"to": "on"})
    assert machine.done[-1] is not None
    assert machine.done[-1].private == service.private_key()
    actions = list(Command.objects.order_by("id").values_list("arguments__what", flat=True))
    assert actions == ["set_vpn", "switch_vpn", "new_vpn_key", "switch_vpn"]


def test_what_the_machine_refuses_is_said_and_the_settings_stay(admin: Client, machine: Machine) -> None:
    machine.fails = True
    words_ = look(admin.post("/vpn/change/", TYPED, follow=True).content).words
    assert "kept, but not in force: This machine knows no WireGuard" in words_
    assert service.current().enabled


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"peer": "x"}, "no key of WireGuard"),
        ({"preshared": "x"}, "no key of WireGuard"),
        ({"endpoint": "vpn.example.com"}, "with a port"),
        ({"endpoint": "10.8.0.1:51820"}, "has no way out"),
        ({"allowed": "0.0.0.0/0"}, "the whole internet"),
        ({"allowed": "<script>"}, "no network"),
        ({"allowed": "192.168.0.0/16"}, "overlaps, a network that the station is in"),
        ({"addresses": "192.168.1.9"}, "overlaps, a network that the station is in"),
        ({"addresses": ""}, "required"),
        ({"keepalive": "-1"}, "greater than"),
        ({"keepalive": "often"}, "whole number"),
    ],
)
def test_bad_input_is_named_kept_and_changes_nothing(
    admin: Client, machine: Machine, changed: dict[str, str], said: str
) -> None:
    answer = admin.post("/vpn/change/", {**TYPED, **changed})
    assert answer.status_code == 422
    page = look(answer.content)
    assert said in page.words
    assert f'value="{TYPED["addresses"]}"' in answer.content.decode() or "addresses" in changed
    assert machine.done == []
    assert not Setting.objects.exists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Choose a file"),
        ({"import-text": GOOD.replace("DNS", "PostUp")}, "Line 5: PostUp would run a command"),
        ({"import-text": GOOD.replace("10.8.0.0/24", "192.168.1.0/24")}, "overlaps"),
        ({"import-file": SimpleUploadedFile("x", b"\xff\xfe\x00")}, "no text"),
        ({"import-file": SimpleUploadedFile("x", b"x" * 20_000)}, "too long"),
    ],
)
def test_bad_files_change_nothing(admin: Client, machine: Machine, sent: dict[str, Any], said: str) -> None:
    answer = admin.post("/vpn/import/", sent)
    assert answer.status_code == 422
    assert said in look(answer.content).words
    assert machine.done == []


@pytest.mark.parametrize("path", ["change", "import", "switch", "key"])
def test_only_administrators(installer: Client, machine: Machine, path: str) -> None:
    assert installer.get("/vpn/").status_code == installer.get("/vpn/now/").status_code == 403
    assert installer.post(f"/vpn/{path}/", TYPED).status_code == 403
    assert machine.done == []


def test_who_comes_through_the_vpn_tries_a_change(
    admin: Client, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/vpn/change/", {**TYPED, "preshared": SHARED})
    (first,) = machine.done
    clock = Clock()
    monkeypatch.setattr(trials, "_clock", clock)
    monkeypatch.setattr(origin, "kernel", MACHINE)
    monkeypatch.setattr("webui.access.rules.vpn_name", lambda: "wg-test")
    afar = Client(REMOTE_ADDR=VPN_HOST)
    afar.force_login(User.objects.get(username="anna"))
    assert "You come through the VPN itself" in look(afar.get("/vpn/").content).words
    afar.post("/vpn/import/", {"import-text": GOOD})
    assert machine.done[-1] == wireguard.read(GOOD)
    clock.later(trials.WINDOW)
    trials.forget()  # the web server was started anew meanwhile, by its own clock
    trials._known()[trials.VPN].until = clock.now
    afar.get("/")
    assert machine.done[-1] == first
    afar.post("/vpn/key/")
    afar.post("/access/trials/vpn/keep/")
    assert machine.done[-1] != first
    assert trials.running() == []


# ---------------------------------------------------------------------- in words, and by itself


@pytest.mark.parametrize(
    ("enabled", "kind", "found", "said"),
    [
        (False, "direct", Found(), "The VPN is off."),
        (True, "none", Found(), "may not change the machine's network"),
        (True, "direct", Found(error=Failed("no_tool", "wg")), "The program wg is not installed"),
        (True, "direct", Found(error=Failed("command", "RTNETLINK: no")), "The machine refused: RTNETLINK: no"),
        (True, "helper", Found(waiting=True), "has not taken the settings over yet"),
        (True, "direct", Found(), "is being set up"),
        (True, "direct", Found(State("a:1", NOW - 30, 9, 9)), "Connected. The last handshake was 30 seconds ago."),
        (
            True,
            "direct",
            Found(State("a:1", NOW - 600, 9, 9)),
            "not heard of any more. The last handshake was 10 min",
        ),
        (True, "direct", Found(State("a:1", 0, 92, 148)), "one of the keys does not fit"),
        (True, "direct", Found(State("a:1", 0, 0, 148)), "Nobody answers at a:1."),
    ],
)
def test_the_state_in_a_sentence(enabled: bool, kind: str, found: Found, said: str) -> None:
    state = words.state(enabled, kind, found, NOW)
    assert said in f"{state.label} {state.advice}"


def test_what_should_be_up_is_brought_up_again(admin: Client, machine: Machine) -> None:
    service.look()
    assert machine.done == []
    admin.post("/vpn/change/", TYPED)
    machine.found = Found(State("a:1", 2**40, 1, 1))
    service.look()
    assert len(machine.done) == 1
    machine.found = Found()
    service.look()
    machine.found = Found(State("a:1", 5, 1, 1))  # its name may have another address by now
    service.look()
    assert len(machine.done) == 3


def test_the_helper_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wireguard, "RUN", tmp_path)
    monkeypatch.setattr(wireguard, "may", lambda: False)
    assert control.control().kind == "none"
    report = tmp_path / f"{vpn_name()}.json"
    control.write(wireguard.read(GOOD))
    report.write_text('{"conf": 0, "up": false, "error": null}')
    assert control.control().kind == "helper"
    assert control.control().look() == Found(waiting=True)
    written = control.file().stat().st_mtime_ns
    report.write_text(f'{{"conf": {written}, "up": true, "error": null, "handshake": 7, "sent": 1, "received": 2}}')
    assert control.control().look() == Found(State("", 7, 2, 1))
    report.write_text('{"up": false, "error": ["no_wireguard", ""], "conf": 1}')
    assert control.control().look().error is not None
    for rubbish in ("{", "[]", '{"error": 3}', '{"up": 1, "handshake": "x", "error": null}'):
        report.write_text(rubbish)
        assert control.control().look()
