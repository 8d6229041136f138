"""The security log for installers: in words, filtered, page by page, and cleared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from station.domain.security import KINDS
from station.store.models import Command, SecurityLogEntry
from tests.webui.looking import look
from tests.webui.making import NOON
from webui.logs.security import sentence

PAGE = "/logs/security/"


def note(kind: str, days: int = 0, **more: Any) -> None:
    more.setdefault("critical", KINDS[kind].critical if kind in KINDS else True)
    SecurityLogEntry.objects.create(at=NOON + timedelta(days=days), type=kind, **more)


def words(client: Client, address: str = PAGE, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    page = look(answer.content)
    assert not page.refused
    return page.words


def test_only_for_installers(browser: Client) -> None:
    note("TamperDetectionActivated")
    assert browser.get(PAGE).status_code == 403
    assert browser.get("/logs/security.gz").status_code == 403
    assert browser.post(f"{PAGE}clear/").status_code == 403
    assert "The housing was opened." not in words(browser, "/logs/")
    assert not Command.objects.exists()


def test_every_kind_has_a_sentence() -> None:
    assert [name for name in KINDS if sentence(name) == name] == []
    assert sentence("Another") == "Another"


def test_in_words_newest_first(installer: Client) -> None:
    assert "Nothing was noted." in words(installer)
    note("StartupOfTheDevice", tech_info="boot reason PowerUp")
    note("MaintenanceLoginFailed", tech_info="{'user': '<b>', 'origin': '192.0.2.7'}")
    said = words(installer)
    assert said.index("A login to this web interface failed.") < said.index("The station was switched on.")
    assert "{'user': '<b>', 'origin': '192.0.2.7'}" in said
    assert "A login to this web interface failed." in words(installer, "/logs/")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=FirmwareUpdated", ["New firmware"]),
        ("weight=noted", ["A setting"]),
        ("weight=critical", ["New firmware", "The housing"]),
        ("since=2025-06-02", ["The housing", "A setting"]),
        ("until=2025-06-01", ["New firmware"]),
        ("since=2025-06-02&until=2025-06-02", ["A setting"]),
        ("kind=MemoryExhaustion", []),
    ],
)
def test_a_filter(installer: Client, query: str, found: list[str]) -> None:
    note("FirmwareUpdated")
    note("ConfigurationChanged", 1)
    note("TamperDetectionActivated", 2)
    said = words(installer, f"{PAGE}?{query}").partition("Newest first")[2]
    for start in ("New firmware", "A setting", "The housing"):
        assert (start in said) is (start in found)
    if not found:
        assert "No entry fits this filter." in said


@pytest.mark.parametrize(
    "query", ["since=yesterday", "kind=Nothing", "since=2025-06-02&until=2025-06-01", "until=9999-12-31", "weight=x"]
)
def test_a_filter_that_makes_no_sense(installer: Client, query: str) -> None:
    note("FirmwareUpdated")
    assert "makes no sense" in words(installer, f"{PAGE}?{query}", 400)


def test_page_by_page(installer: Client) -> None:
    for number in range(120):
        note("ConfigurationChanged", tech_info=f"number {number}.")
    address, seen = PAGE, []
    for _ in range(3):
        answer = look(installer.get(address).content)
        seen += [number for number in range(120) if f"number {number}." in answer.words]
        older = [link for link in answer.links if "before=" in link]
        address = PAGE + older[0] if older else ""
    assert sorted(seen) == list(range(120))
    assert address == ""
    for nonsense in ("x", "-1", "9" * 30):
        assert installer.get(f"{PAGE}?before={nonsense}").status_code == 404


def test_clearing_is_asked_of_the_station(installer: Client) -> None:
    note("FirmwareUpdated")
    assert installer.post(f"{PAGE}clear/").status_code == 302
    command = Command.objects.get()
    assert (command.action, command.arguments, command.who) == ("clear_security_log", {}, "olga")
    assert SecurityLogEntry.objects.count() == 1  # the web interface itself writes nothing
