"""Configurations, strictly read. That the machine does as they say is tested in tests/system/test_access.py."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from webui.vpn import wireguard, words
from webui.vpn.wireguard import Configuration, Failed, State, Unfit

KEY, PEER, SHARED = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
GOOD = f"""# from the office
[Interface]
PrivateKey = {KEY}
Address = 10.8.0.7/24, fd42::7/64
DNS = 10.8.0.1
MTU = 1380

[Peer]
PublicKey={PEER}
PresharedKey = {SHARED}
Endpoint = vpn.example.com:51820
AllowedIPs = 10.8.0.0/24
AllowedIPs = fd42::/64, 192.168.50.5/32
PersistentKeepalive = 20
"""


def test_a_file_of_wg_quick() -> None:
    found = wireguard.read(GOOD)
    assert (found.private, found.peer, found.preshared) == (KEY, PEER, SHARED)
    assert [str(one.ip) for one in found.addresses] == ["10.8.0.7", "fd42::7"]
    assert [str(one) for one in found.allowed] == ["10.8.0.0/24", "fd42::/64", "192.168.50.5/32"]
    assert (found.endpoint, found.keepalive, found.mtu) == (("vpn.example.com", 51820), 20, 1380)
    assert wireguard.read(found.written()) == found


@pytest.mark.parametrize("text", [GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD])
def test_line_ends_do_not_matter(text: str) -> None:
    assert wireguard.read(text) == wireguard.read(GOOD)


@pytest.mark.parametrize("name", ["PreUp", "PostUp", "PreDown", "PostDown", "postup", "POSTUP"])
@pytest.mark.parametrize("section", ["[Interface]", "[Peer]"])
def test_commands_are_never_taken(name: str, section: str) -> None:
    with pytest.raises(Unfit) as refused:
        wireguard.read(GOOD.replace(section, f"{section}\n{name} = touch /tmp/x"))
    assert refused.value.code == "command"
    assert "would run a command" in words.unfit(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[Peer]", "[Peer]\nPublicKey = x\n[Peer]", "peers"),
        ("[Peer]", "[Pear]", "section"),
        ("DNS", "SaveConfig", "key"),
        ("DNS", "FwMark", "key"),
        ("DNS = 10.8.0.1", "Table = off", "table"),
        ("[Interface]", "", "line"),
        ("MTU = 1380", "MTU", "line"),
        ("MTU = 1380", "MTU =", "empty"),
        ("MTU = 1380", "MTU = 99", "number"),
        ("MTU = 1380", "MTU = 1e3", "number"),
        ("= 20\n", "= 70000\n", "number"),
        (f"PublicKey={PEER}", "", "missing"),
        (f"PrivateKey = {KEY}", "", "missing"),
        ("Address = 10.8.0.7/24, fd42::7/64", "", "missing"),
        (PEER, PEER[:-2] + "==", "wrong_key"),
        (PEER, "A" * 43 + "=", "wrong_key"),  # all zero
        (PEER, "é" * 44, "wrong_key"),
        ("MTU = 1380", f"PrivateKey = {KEY}", "twice"),
        ("10.8.0.7/24", "10.8.0.777/24", "wrong_address"),
        ("10.8.0.7/24", "127.0.0.1/8", "wrong_address"),
        ("10.8.0.0/24", "10.8.0.0/99", "wrong_network"),
        ("10.8.0.0/24", "0.0.0.0/0", "everything"),
        ("10.8.0.0/24", "0.0.0.0/1, 128.0.0.0/1", "everything"),
        ("fd42::/64", "::/0", "everything"),
        ("10.8.0.0/24", "127.0.0.0/8", "wrong_network"),
        ("10.8.0.0/24", "224.0.0.0/4", "wrong_network"),
        ("10.8.0.0/24", ",".join(f"10.9.{n}.0/24" for n in range(40)), "too_many"),
        ("vpn.example.com:51820", "vpn.example.com", "wrong_endpoint"),
        ("vpn.example.com:51820", "vpn.example.com:0", "wrong_endpoint"),
        ("vpn.example.com:51820", "vpn example:51820", "wrong_endpoint"),
        ("vpn.example.com:51820", "-x:51820", "wrong_endpoint"),
        ("vpn.example.com:51820", "fd42::1:51820", "wrong_endpoint"),
        ("vpn.example.com:51820", "$(id):51820", "wrong_endpoint"),
        ("# from", "#" * 20_000, "too_long"),
        ("# from", "\0", "too_long"),
    ],
)
def test_what_is_refused(old: str, new: str, code: str) -> None:
    assert old in GOOD
    with pytest.raises(Unfit) as refused:
        wireguard.read(GOOD.replace(old, new, 1))
    assert refused.value.code == code
    assert words.unfit(refused.value)
    assert KEY not in words.unfit(refused.value)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [("[fd42::1]:5", ("fd42::1", 5)), ("192.0.2.1:51820", ("192.0.2.1", 51820)), ("vpn:1", ("vpn", 1))],
)
def test_endpoints(text: str, endpoint: tuple[str, int]) -> None:
    assert wireguard.endpoint_of(text) == endpoint
    assert wireguard.joined(*endpoint) == text


# ---------------------------------------------------------------------- the helper


@pytest.fixture
def helped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the helper makes of the machine, instead of a machine."""
    done: list[object] = []
    monkeypatch.setattr(wireguard, "RUN", tmp_path / "run")
    monkeypatch.setattr(wireguard, "bring_up", lambda name, wanted: done.append(wanted))
    monkeypatch.setattr(wireguard, "bring_down", lambda name: done.append(name))
    monkeypatch.setattr(wireguard, "state", lambda name: State("192.0.2.1:51820", 5, 6, 7))
    return done


def report(tmp_path: Path) -> dict[str, object]:
    return dict(json.loads((tmp_path / "run" / "wg-0123abcd.json").read_text()))


def test_the_helper_does_what_the_file_says_and_tells_no_secret(tmp_path: Path, helped: list[object]) -> None:
    file = tmp_path / "wg-0123abcd.conf"
    file.write_text(GOOD)
    (tmp_path / "wg-evil;id.conf").write_text(GOOD)
    assert wireguard.main([str(tmp_path)]) == 0
    assert helped == [wireguard.read(GOOD)]
    said = report(tmp_path)
    assert (said["handshake"], said["received"], said["sent"], said["up"], said["error"]) == (5, 6, 7, True, None)
    assert said["conf"] == file.stat().st_mtime_ns
    assert KEY not in json.dumps(said)
    file.write_text("")
    wireguard.main([str(tmp_path)])
    assert helped[1:] == ["wg-0123abcd"]


def test_the_helper_is_nobody_s_fool(tmp_path: Path, helped: list[object]) -> None:
    file = tmp_path / "wg-0123abcd.conf"
    file.symlink_to("/etc/passwd")
    assert wireguard.main([str(tmp_path)]) == 1
    assert "root:" not in json.dumps(report(tmp_path))
    file.unlink()
    os.mkfifo(file)
    assert wireguard.main([str(tmp_path)]) == 1
    file.unlink()
    file.write_text(GOOD.replace("DNS", "PostUp"))
    assert wireguard.main([str(tmp_path)]) == 1
    assert report(tmp_path)["error"] == ["command", "PostUp"]
    assert helped == []


def test_a_command_that_fails_is_told_and_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failed) as failed:
        wireguard.run("no-such-program")
    assert "no-such-program is not installed" in words.failed(failed.value)
    with pytest.raises(Failed) as failed:
        wireguard.run("ls", "/no/such/place")
    assert "No such file" in failed.value.what
    monkeypatch.setattr(wireguard, "exists", lambda name: False)
    nowhere = Configuration(KEY, (), PEER, ("no-such-name.invalid", 1), ())
    with pytest.raises(Failed) as failed:
        wireguard.bring_up("wg-0123abcd", nowhere)
    assert "no-such-name.invalid is not known" in words.failed(failed.value)
