"""What the web server does between requests, and which certificate it serves with."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from station.project import web_server
from tests.webui.https.making import Made
from webui.access import trials
from webui.access.models import Setting
from webui.https import own, serving
from webui.https.authority import LEAF_FILE
from webui.vpn import service


@pytest.fixture(autouse=True)
def keys(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.KEYS_DIR = tmp_path
    monkeypatch.setattr(serving, "_reload", None)
    monkeypatch.setattr(serving, "_known", None)
    return tmp_path


def served(contexts: web_server.Contexts) -> str:
    """The name in the certificate that a connection of now is shown."""
    line = SSL.Connection(contexts.getContext(), None)
    line.set_accept_state()
    certificate = line.get_certificate(as_cryptography=True)
    assert certificate is not None
    return own.called(certificate)


def test_another_certificate_holds_from_the_next_connection_on(keys: Path) -> None:
    contexts = web_server.Contexts()
    assert (keys / LEAF_FILE).exists()
    first = contexts.getContext()
    made = Made("station.example.com")
    own.path().write_bytes(made.key_pem() + made.pem)
    assert contexts.getContext() is first
    serving.reload()
    assert served(contexts) == "station.example.com"


@pytest.mark.parametrize("content", [b"", b"rubbish", Made("x").pem, Made("x").pem + Made("y").key_pem()])
def test_one_that_is_damaged_gives_way_to_the_station_s_own(keys: Path, content: bytes) -> None:
    own.path().write_bytes(content)
    assert served(web_server.Contexts()) != "x"


class Beats:
    """A minute of the web server's heart, at once."""

    def __init__(self, *, tls: bool = False) -> None:
        self.housekeeping = web_server.Housekeeping(tls=tls)

    def run(self, number: int = web_server.LOOK + 1) -> None:
        async def beat() -> None:
            for _ in range(number):
                self.housekeeping.look()
                if self.housekeeping._running is not None:
                    await self.housekeeping._running

        asyncio.run(beat())


@pytest.mark.django_db
def test_a_trial_that_is_over_is_taken_back_though_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(trials, "_running", {})
    beats = Beats()
    monkeypatch.setattr(trials, "due", lambda: not looked)
    monkeypatch.setattr(trials, "look", lambda: looked.append(True))
    beats.run(3)
    assert looked == [True]


@pytest.mark.django_db
@pytest.mark.parametrize(("enabled", "times"), [(True, 2), (False, 0), (None, 0)])
def test_the_vpn_is_looked_at_at_the_start_and_every_minute(
    enabled: bool | None, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(trials, "_running", {})
    if enabled is not None:
        Setting.objects.create(key="vpn", value={"enabled": enabled})
    monkeypatch.setattr(service, "look", lambda: looked.append(True))
    monkeypatch.delitem(web_server.sys.modules, "webui.vpn.service")  # as in a server whose page nobody has opened
    monkeypatch.setitem(web_server.sys.modules, "webui.vpn", web_server.sys.modules["webui.vpn"])
    beats = Beats()
    beats.run()
    assert len(looked) == times


@pytest.mark.django_db
def test_the_certificate_is_looked_at_every_minute_and_what_fails_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(trials, "_running", {})
    looked: list[bool] = []

    def look() -> None:
        looked.append(True)
        raise OSError("the disk is full")

    monkeypatch.setattr(serving, "look", look)
    Beats(tls=True).run(3 * web_server.LOOK)
    assert len(looked) == 2
    assert "the disk is full" in caplog.text
