"""Notices to a web address, with real servers; and where none may go."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Any

import pytest

from station.notices import hook
from station.notices.failed import Failed
from station.notices.models import Settings
from station.notices.words import Message
from station.store.secrets import seal
from tests.notices.servers import babbler, server_context, web_server
from tests.support.ports import free_port
from tests.uplink.authority import Authority


@pytest.fixture(autouse=True)
def _ours(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.KEYS_DIR = tmp_path / "keys"
    monkeypatch.setattr(hook, "PATIENCE", 3.0)


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "LOOPBACK", True)


def send(url: str) -> None:
    hook.send(Settings(pk=1, hook_url=seal(url)), Message("begin", {"kind": "tamper"}, name="Garage", language="en"))


def why(url: str) -> str:
    with pytest.raises(Failed) as caught:
        send(url)
    return caught.value.word


@pytest.mark.usefixtures("loopback")
def test_it_arrives() -> None:
    with web_server() as server:
        send(f"http://127.0.0.1:{server.port}/api/webhook/abc?x=1")
    ((path, headers, body),) = server.got
    assert path == "/api/webhook/abc?x=1"
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert headers["Content-Type"] == "application/json"
    assert (body["station"], body["event"], body["kind"]) == ("Garage", "trouble", "tamper")


@pytest.mark.usefixtures("loopback")
def test_by_https_to_whom_the_system_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority("Web Root")
    with web_server(server_context(authority, tmp_path / "server", "localhost")) as server:
        assert why(f"https://localhost:{server.port}/") == "untrusted"
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.write_root(tmp_path / "root.pem")))
        send(f"https://localhost:{server.port}/")
        assert why(f"https://127.0.0.1:{server.port}/") == "untrusted", "the certificate is for the name"
        assert len(server.got) == 1


@pytest.mark.usefixtures("loopback")
def test_no_redirect_is_followed() -> None:
    with web_server() as elsewhere, web_server() as server:
        server.status, server.location = 307, f"http://127.0.0.1:{elsewhere.port}/"
        assert why(f"http://127.0.0.1:{server.port}/") == "redirect"
        assert elsewhere.got == []


@pytest.mark.usefixtures("loopback")
def test_what_does_not_work_has_a_word() -> None:
    with web_server() as server:
        for status in (400, 401, 404, 500, 503):
            server.status = status
            assert why(f"http://127.0.0.1:{server.port}/") == "status"
        assert why(f"https://127.0.0.1:{server.port}/") == "tls"
    with babbler(b"220 mail.example ESMTP\r\n") as port:
        assert why(f"http://127.0.0.1:{port}/") in ("protocol", "unreachable")
    assert why(f"http://127.0.0.1:{free_port()}/") == "unreachable"
    assert why("http://no-such-host.invalid/") == "name"
    with pytest.raises(Failed) as caught:
        hook.send(Settings(pk=1, hook_url="sealed:1:AAAA"), Message("test", {}, name="x", language="en"))
    assert caught.value.word == "settings"


@pytest.mark.usefixtures("loopback")
def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert why(f"http://127.0.0.1:{silent.getsockname()[1]}/") == "timeout"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "[::ffff:127.0.0.1]"])  # noqa: S104
def test_the_station_does_not_speak_to_itself(host: str) -> None:
    with web_server() as server:
        assert why(f"http://{host}:{server.port}/") in ("loopback", "name")
        assert server.got == []


@pytest.mark.usefixtures("loopback")
def test_a_name_leads_nowhere_else_between_two_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked at is what is connected to: the name is asked for once."""
    asked = []
    with web_server() as server:
        real = socket.getaddrinfo

        def lead(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            if host == "hook.example":
                asked.append(host)
                host = "127.0.0.1"
            return real(host, port, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", lead)
        send(f"http://hook.example:{server.port}/")
        assert server.got[0][1]["Host"] == f"hook.example:{server.port}"
    assert asked == ["hook.example"]


@pytest.mark.parametrize(
    ("address", "secure", "expected"),
    [
        ("192.168.1.20", False, ""),
        ("10.0.0.1", False, ""),
        ("fd00::1", False, ""),
        ("8.8.8.8", False, "unprotected"),
        ("8.8.8.8", True, ""),
        ("2001:4860:4860::8888", True, ""),
        ("2001:4860:4860::8888", False, "unprotected"),
        ("127.0.0.1", True, "loopback"),
        ("::1", True, "loopback"),
        ("0.0.0.0", True, "loopback"),  # noqa: S104
        ("::", True, "loopback"),
        ("169.254.169.254", True, "no_place"),
        ("fe80::1", True, "no_place"),
        ("224.0.0.1", True, "no_place"),
        ("ff02::1", False, "no_place"),
        ("255.255.255.255", True, "no_place"),
    ],
)
def test_where_a_notice_may_go(address: str, secure: bool, expected: str) -> None:
    assert hook.forbidden(ipaddress.ip_address(address), secure=secure) == expected


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "url"),
        ("example.org", "url"),
        ("ftp://example.org/", "url"),
        ("file:///etc/passwd", "url"),
        ("gopher://127.0.0.1:6379/_", "url"),
        ("http://", "url"),
        ("https://example.org:99999/", "url"),
        ("https://example.org:x/", "url"),
        ("https://[::1/", "url"),
        ("https://exa mple.org/", "url"),
        ("https://example.org/\r\nX-Evil: 1", "url"),
        ("https://exämple.org/", "url"),
        ("https://example.org/" + "x" * 2048, "url"),
        ("https://user:secret@example.org/", "userinfo"),
        ("https://user@example.org/", "userinfo"),
    ],
)
def test_what_is_no_address(url: str, word: str) -> None:
    with pytest.raises(Failed) as caught:
        hook.check(url)
    assert caught.value.word == word
