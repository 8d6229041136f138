"""The processes' log on a page: the newest first, filtered, without secrets; and sending a log somewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from station.store import confidential
from station.store.models import Command, Variable
from station.store.secrets import seal
from tests.webui.looking import look
from webui.logs.processes import tail

SECRET = "CANARY-password-81"


@pytest.fixture(autouse=True)
def logs(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def record(message: str, second: int = 0, process: str = "uplink", level: str = "INFO", **more: str) -> str:
    at = f"2024-05-01T12:{second // 60:02d}:{second % 60:02d}.000+00:00"
    return json.dumps({"at": at, "process": process, "level": level, "message": message, **more}) + "\n"


def write(folder: Path, *lines: str, name: str = "station.log") -> None:
    (folder / name).write_text("".join(lines))


def messages(client: Client, **query: str) -> list[str]:
    return [entry.message for entry in client.get("/logs/processes/", query).context["entries"]]


@pytest.mark.django_db
def test_owner_is_kept_out(browser: Client) -> None:
    assert browser.get("/logs/processes/").status_code == 403
    assert browser.post("/logs/send/").status_code == 403
    assert b"Send a log" not in browser.get("/logs/").content


def test_newest_first_over_all_files(installer: Client, logs: Path) -> None:
    write(logs, record("third", 3), record("fourth", 4))
    write(logs, record("second", 2), name="station.1.log")
    write(logs, record("first", 1), name="station.2.log")
    assert messages(installer) == ["fourth", "third", "second", "first"]


def test_none_yet(installer: Client) -> None:
    assert b"Nothing was noted." in installer.get("/logs/processes/").content


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"level": "WARNING"}, ["broken", "odd"]),
        ({"level": "ERROR"}, ["broken"]),
        ({"process": "web"}, ["odd"]),
        ({"search": "ALL IS"}, ["all is well"]),
        ({"search": "traceback"}, ["broken"]),
        ({"search": "nothing of it"}, []),
    ],
)
def test_filter(installer: Client, logs: Path, query: dict[str, str], expected: list[str]) -> None:
    write(
        logs,
        record("all is well"),
        record("odd", 1, process="web", level="WARNING"),
        record("broken", 2, level="ERROR", exception="Traceback\n  line"),
    )
    assert messages(installer, **query) == expected


@pytest.mark.parametrize("query", [{"level": "x"}, {"process": "init"}, {"search": "x" * 200}])
def test_filter_that_makes_no_sense(installer: Client, query: dict[str, str]) -> None:
    answer = installer.get("/logs/processes/", query)
    assert answer.status_code == 400
    assert b"field-error" in answer.content


def test_secrets_and_markup_stay_out(installer: Client, logs: Path) -> None:
    Variable.objects.create(component="SecurityCtrlr", variable="BasicAuthPassword", value=seal(SECRET))
    write(logs, record(f"it was {SECRET}", exception=f"a\n{SECRET}"), record("<script>alert(1)</script>", 1))
    html = installer.get("/logs/processes/").content.decode()
    assert SECRET not in html
    assert "<script>alert" not in html
    assert look(html).refused == []


def test_lines_of_any_kind_are_taken(installer: Client, logs: Path) -> None:
    (logs / "station.log").write_bytes(b'no json\n{"at": 5}\n[]\n\xff\xfe\n' + record("whole").encode() + b"no end")
    assert messages(installer) == ["no end", "whole", "\ufffd\ufffd", "[]", '{"at": 5}', "no json"]
    assert messages(installer, level="ERROR") == []


def test_huge_files_are_read_from_their_end_only(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "CHUNK", 100)
    monkeypatch.setattr(tail, "READ_MOST", 5_000)
    write(logs, *(record(f"message {number}", number) for number in range(500)))
    found, more = tail.newest(logs, 10, lambda entry: True)
    assert [entry.message for entry in found] == [f"message {number}" for number in range(499, 489, -1)]
    assert more
    found, more = tail.newest(logs, 10, lambda entry: entry.message == "message 1")
    assert (found, more) == ([], True)


def test_a_log_is_sent_and_its_address_kept_secret(installer: Client) -> None:
    url = f"https://cp:{SECRET}@support.example/upload"
    answer = installer.post("/logs/send/", {"log_type": "DiagnosticsLog", "url": url}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    command = Command.objects.get()
    assert command.action == "send_log"
    assert SECRET not in json.dumps(command.arguments)
    assert confidential.opened(command) == {"log_type": "DiagnosticsLog", "url": url}
    confidential.hide(Command.objects.all())
    assert Command.objects.get().arguments["url"] == confidential.HIDDEN


@pytest.mark.parametrize("form", [{}, {"log_type": "X", "url": "https://x/"}, {"log_type": "SecurityLog", "url": ""}])
def test_form_that_is_none(installer: Client, form: dict[str, str]) -> None:
    answer = installer.post("/logs/send/", form, headers={"HX-Request": "true"})
    assert answer.status_code == 400
    assert b"note bad" in answer.content
    assert not Command.objects.exists()
