"""The files: complete, in order, within the time asked for, and never too long."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from station.store import logbook
from station.store.logbook import Window
from station.store.models import JournalEntry
from station.store.redaction import Redactor

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def diagnostics(data: Path, window: Window | None = None, **facts: Any) -> str:
    return "\n".join(logbook.diagnostics_log(window or Window(), data, facts, {"process uplink": "seen 0.5 s ago"}))


def test_all_that_helps_is_in_the_diagnostics(tmp_path: Path) -> None:
    JournalEntry.objects.create(at=NOON, kind="plugged_in", evse_id=2, transaction_id="t-1", data={"a": 1})
    text = diagnostics(
        tmp_path,
        station={"connected": True},
        evses={"1": {"faults": "none"}},
        device_model={"OCPPCommCtrlr.OfflineThreshold": "60"},
    )
    for part in (
        "Entries from the beginning to now",
        "connected = yes",
        "== EVSE 1 ==",
        "OCPPCommCtrlr.OfflineThreshold = 60",
        "disk free (MB)",
        "process uplink = seen 0.5 s ago",
        '2026-03-01T12:00:00.000Z plugged_in EVSE 2 transaction t-1 {"a": 1}',
    ):
        assert part in text


def test_the_newest_entries_stay_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "ENTRIES", 3)
    for number in range(5):
        JournalEntry.objects.create(at=NOON, kind=f"entry{number}")
    text = diagnostics(tmp_path)
    assert "(the newest 3 entries)" in text
    assert [word for word in text.split() if word.startswith("entry")] == ["entry2", "entry3", "entry4"]


def test_the_log_of_the_processes_within_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()

    def line(at: datetime, text: str) -> str:
        return f"{timezone.localtime(at).astimezone():%Y-%m-%d %H:%M:%S}.000 uplink   {text}\n"

    (folder / "station.2.log").write_text(line(NOON, "first"))
    (folder / "station.1.log").write_text(line(NOON + timedelta(hours=1), "second") + "  continued\n")
    (folder / "station.log").write_bytes(line(NOON + timedelta(hours=2), "third").encode() + b"\xff\xfe\n")
    text = diagnostics(tmp_path)
    assert text.index("first") < text.index("second") < text.index("continued") < text.index("third")
    window = Window(NOON + timedelta(minutes=30), NOON + timedelta(minutes=90))
    text = diagnostics(tmp_path, window)
    assert "second" in text
    assert "continued" in text
    assert "first" not in text
    assert "third" not in text


def test_an_empty_security_log_says_so() -> None:
    assert list(logbook.security_log(Window()))[-1] == "(no entries)"


def test_a_file_is_never_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logbook, "TEXT_LIMIT", 10_000)
    monkeypatch.setattr(logbook, "LINE_LENGTH", 100)
    file = io.BytesIO()
    logbook.write(file, ("x" * 500 for _ in range(1_000_000)), Redactor())
    text = gzip.decompress(file.getvalue()).decode()
    assert len(text.encode()) < 10_100
    assert "left out" in text.splitlines()[-1]
    assert len(text.splitlines()[0]) == 100


def test_what_cannot_be_written_as_text_is_replaced() -> None:
    file = io.BytesIO()
    logbook.write(file, ["a\ud800b"], Redactor())
    assert gzip.decompress(file.getvalue()) == b"a?b\n"
