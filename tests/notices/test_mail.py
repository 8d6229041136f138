"""Notices by e-mail, to real mail servers on loopback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from station.notices import mail
from station.notices.failed import Failed
from station.notices.models import Settings
from station.notices.words import Message
from station.store.secrets import seal
from tests.notices.servers import PASSWORD, USER, Mailbox, babbler, mail_server, server_context
from tests.support.ports import free_port
from tests.uplink.authority import Authority

Tls = Settings.Tls
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")  # by the server's TLS it is safe


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Mail Root")


@pytest.fixture
def trusted(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system trusts the authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.write_root(tmp_path / "root.pem")))


@pytest.fixture
def to(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    settings.KEYS_DIR = tmp_path / "keys"
    monkeypatch.setattr(mail, "PATIENCE", 3.0)

    def make(port: int, tls: str = Tls.NONE, **changes: Any) -> Settings:
        fields = {
            "mail_on": True,
            "smtp_host": "localhost",
            "smtp_port": port,
            "smtp_tls": tls,
            "mail_from": "station@example.org",
            "mail_to": "olga@example.org\npeter@example.org",
        }
        if tls != Tls.NONE:
            fields |= {"smtp_user": USER, "smtp_password": seal(PASSWORD)}
        return Settings(pk=1, **{**fields, **changes})

    return make


def notice(name: str = "Garage") -> Message:
    return Message("begin", {"kind": "fault", "evse": 1, "codes": ["GroundFailure"]}, name=name, language="en")


def why(settings: Settings) -> tuple[str, str]:
    with pytest.raises(Failed) as caught:
        mail.send(settings, notice())
    return caught.value.word, caught.value.detail


def test_a_plain_server_on_the_local_network(to: Callable[..., Settings]) -> None:
    box = Mailbox()
    with mail_server(box) as port:
        mail.send(to(port), notice("Garage ü\r\nBcc: evil@example.org".replace("\r\n", " ")))
    (letter,) = box.letters
    assert letter["Subject"] == "Garage ü Bcc: evil@example.org: Fault at charging point 1"
    assert (letter["From"], letter["To"]) == ("station@example.org", "olga@example.org, peter@example.org")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime is not None
    assert letter["Message-ID"].endswith("@example.org>")
    assert letter["Bcc"] is None
    assert "Current is leaking to earth." in letter.get_content()


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.usefixtures("trusted")
def test_encrypted_with_a_login(
    authority: Authority, tmp_path: Path, to: Callable[..., Settings], at_once: bool
) -> None:
    box = Mailbox()
    tls = server_context(authority, tmp_path / "server", "localhost")
    with mail_server(box, tls=tls, at_once=at_once) as port:
        mail.send(to(port, Tls.TLS if at_once else Tls.STARTTLS), notice())
        assert len(box.letters) == 1
        wrong = to(port, Tls.TLS if at_once else Tls.STARTTLS, smtp_password=seal("something else"))
        assert why(wrong)[0] == "credentials"


@pytest.mark.parametrize("at_once", [False, True])
def test_a_server_that_nobody_trusts_gets_no_password(
    authority: Authority, tmp_path: Path, to: Callable[..., Settings], at_once: bool
) -> None:
    tls = server_context(authority, tmp_path / "server", "localhost")
    with mail_server(Mailbox(), tls=tls, at_once=at_once) as port:
        assert why(to(port, Tls.TLS if at_once else Tls.STARTTLS))[0] == "untrusted"


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name(authority: Authority, tmp_path: Path, to: Callable[..., Settings]) -> None:
    tls = server_context(authority, tmp_path / "server", "other.example")
    with mail_server(Mailbox(), tls=tls, at_once=True) as port:
        assert why(to(port, Tls.TLS))[0] == "untrusted"


def test_without_encryption_no_password_is_sent(to: Callable[..., Settings]) -> None:
    box = Mailbox()
    with mail_server(box) as port:  # which offers no login: with one it would fail
        mail.send(to(port, smtp_user=USER, smtp_password=seal(PASSWORD)), notice())
    assert len(box.letters) == 1


@pytest.mark.usefixtures("trusted")
def test_what_does_not_work_has_a_word(authority: Authority, tmp_path: Path, to: Callable[..., Settings]) -> None:
    with mail_server(Mailbox()) as port:
        assert why(to(port, Tls.STARTTLS))[0] == "not_supported"
        assert why(to(port, Tls.TLS))[0] == "tls"
    tls = server_context(authority, tmp_path / "server", "localhost")
    with mail_server(Mailbox(), tls=tls) as port:
        assert why(to(port))[0] in ("sender", "refused", "recipient"), "it wants encryption and a login"
    with mail_server(Mailbox("peter@example.org")) as port:
        assert why(to(port)) == ("recipient", "peter@example.org: 550 nobody of that name")
    with mail_server(Mailbox("peter@example.org", "olga@example.org")) as port:
        assert why(to(port))[0] == "recipient"
    with babbler(b"SSH-2.0-nothing\r\n") as port:
        assert why(to(port))[0] in ("broken_off", "refused", "protocol")
    with babbler(b"") as port:
        assert why(to(port))[0] == "broken_off"
    assert why(to(free_port()))[0] == "unreachable"
    assert why(to(25, smtp_host="no-such-host.invalid")) == ("name", "no-such-host.invalid")
    assert why(to(25, smtp_host="a" * 80))[0] in ("name", "settings")
    with mail_server(Mailbox(), tls=tls, at_once=True) as port:
        assert why(to(port, Tls.TLS, smtp_password="sealed:1:AAAA"))[0] == "settings"


def test_a_server_that_says_nothing(to: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(mail, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert why(to(silent.getsockname()[1]))[0] == "timeout"
