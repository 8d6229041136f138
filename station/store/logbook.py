"""The logs as files: what the CSMS has uploaded (N01) and what a person downloads.

Text for people, compressed with gzip, every line without its secrets, and of limited size: a part that is longer keeps
its newest lines and says so.
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.db.models import QuerySet

from station.domain.moment import rfc3339
from station.store import models, repositories
from station.store.redaction import Redactor, without_tokens

ENTRIES = 20_000  # of the journal, the newest ones
LINES = 40_000  # of the processes' log
LINE_LENGTH = 2_000  # characters
TEXT_LIMIT = 16 * 1024 * 1024  # bytes of a whole file, before it is compressed
CHUNK = 500  # rows


class Window:
    """A span of time; what is None has no limit on that side."""

    def __init__(self, oldest: datetime | None = None, latest: datetime | None = None) -> None:
        self.oldest = oldest
        self.latest = latest

    def holds(self, at: datetime) -> bool:
        return (self.oldest is None or at >= self.oldest) and (self.latest is None or at <= self.latest)

    def __str__(self) -> str:
        begin = rfc3339(self.oldest) if self.oldest else "the beginning"
        return f"from {begin} to {rfc3339(self.latest) if self.latest else 'now'}"


def write(file: IO[bytes], lines: Iterable[str], redactor: Redactor) -> int:
    """Write ``lines`` as gzip to ``file``; returns the length of the text in bytes. Raises OSError."""
    length = 0
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0, filename="") as packed:
        for line in lines:
            text = f"{redactor.line(line[:LINE_LENGTH])}\n".encode(errors="replace")
            length += len(text)
            if length > TEXT_LIMIT:
                packed.write("… the rest is left out: the file would be too long.\n".encode())
                break
            packed.write(text)
    return length


def redactor(*more: str) -> Redactor:
    """One that knows the secrets of this station's device model, and ``more``. Raises django.db.Error."""
    return Redactor([*repositories.secrets(), *more])


def security_log(window: Window) -> Iterator[str]:
    """All security events of that time (A04.FR.04), the oldest first."""
    yield from _head("Security log", window)
    yield from _security(window)


def diagnostics_log(window: Window, data: Path, facts: Mapping[str, Any], health: Mapping[str, Any]) -> Iterator[str]:
    """The station as it is now, and what happened in that time: journal, and the log of the processes.

    ``data`` is the data folder, ``facts`` what the station says of itself (empty where nobody asked it), ``health``
    a word for each process.
    """
    yield from _head("Diagnostics log", window)
    yield from _section("Station", facts.get("station", {}))
    for number, evse in sorted(facts.get("evses", {}).items()):
        yield from _section(f"EVSE {number}", evse)
    yield from _section("Machine", {**_machine(data), **health})
    yield from _section("Device model", facts.get("device_model", {}))
    yield from ("", "== Journal ==", "")
    yield from _journal(models.JournalEntry.objects.all(), window)
    yield from ("", "== Security log ==", "")
    yield from _security(window)
    yield from ("", "== Log of the processes (UTC by the machine's clock) ==", "")
    yield from _process_log(data / "logs", window)


def _head(title: str, window: Window) -> Iterator[str]:
    yield f"{title}, made {rfc3339(datetime.now(UTC))} by the machine's clock"
    yield f"Entries {window}"


def _section(title: str, values: Mapping[str, Any]) -> Iterator[str]:
    if values:
        yield from ("", f"== {title} ==", "")
        yield from (f"{name} = {_plain(value)}" for name, value in values.items())


def _plain(value: Any) -> str:
    return "yes" if value is True else "no" if value is False else str(value)


def _machine(data: Path) -> dict[str, str]:
    disk = shutil.disk_usage(data)
    told = {
        "system": platform.platform(),
        "Python": platform.python_version(),
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "disk free (MB)": f"{disk.free // 10**6} of {disk.total // 10**6}",
    }
    try:
        memory = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        told["memory available"] = f"{memory['MemAvailable'].strip()} of {memory['MemTotal'].strip()}"
        told["machine up (s)"] = Path("/proc/uptime").read_text().split()[0]
    except (OSError, ValueError, KeyError, IndexError):
        told["memory available"] = "unknown"
    database = data / "station.sqlite3"
    if database.exists():
        told["database (kB)"] = str(database.stat().st_size // 1000)
    return told


def _security(window: Window) -> Iterator[str]:
    found = False
    for entry in _within(models.SecurityLogEntry.objects.all(), window).order_by("id").iterator(CHUNK):
        found = True
        weight = "critical" if entry.critical else "noted"
        yield f"{rfc3339(entry.at)} {weight:8} {entry.type} {entry.tech_info}".rstrip()
    if not found:
        yield "(no entries)"


def _within(entries: QuerySet[Any], window: Window) -> QuerySet[Any]:
    if window.oldest:
        entries = entries.filter(at__gte=window.oldest)
    if window.latest:
        entries = entries.filter(at__lte=window.latest)
    return entries


def _journal(entries: QuerySet[models.JournalEntry], window: Window) -> Iterator[str]:
    entries = _within(entries, window)
    begin = entries.order_by("-id").values_list("id", flat=True)[ENTRIES - 1 : ENTRIES].first()
    if begin is not None:
        entries = entries.filter(id__gte=begin)
        yield f"(the newest {ENTRIES} entries)"
    found = False
    for entry in entries.order_by("id").iterator(CHUNK):
        found = True
        place = f" EVSE {entry.evse_id}" if entry.evse_id is not None else ""
        transaction = f" transaction {entry.transaction_id}" if entry.transaction_id else ""
        data = json.dumps(without_tokens(entry.data), ensure_ascii=False) if entry.data else ""
        yield f"{rfc3339(entry.at)} {entry.kind}{place}{transaction} {data}".rstrip()
    if not found:
        yield "(no entries)"


def _process_log(folder: Path, window: Window) -> Iterator[str]:
    """The records of ``station.log`` and of those put aside, the oldest first, as text for people.

    A line without a time, as an older version wrote them, belongs to the last one with.
    """
    kept: deque[str] = deque(maxlen=LINES)
    inside = window.oldest is None
    for path in sorted(folder.glob("station*.log"), key=_age, reverse=True):
        try:
            with path.open(errors="replace") as file:
                for line in file:
                    at, told = _readable(line)
                    inside = window.holds(at) if at else inside
                    if inside:
                        kept += told
        except OSError:
            continue  # it was put aside meanwhile
    if len(kept) == LINES:
        yield f"(the newest {LINES} lines)"
    yield from kept


def _readable(line: str) -> tuple[datetime | None, list[str]]:
    """When a line of ``station.log`` was written, and what it says; of a record, the exception line by line."""
    text = line.rstrip("\n")
    try:
        record = json.loads(text)
        at = datetime.fromisoformat(record["at"])
        told = f"{record['at']} {record['process']:9} {record['level']} {record['message']}"
    except (ValueError, KeyError, TypeError):
        return _time(text), [text]
    return at, [*told.splitlines(), *str(record.get("exception", "")).splitlines()]


def _age(path: Path) -> int:
    """The number of those put aside grows with their age; the current file has none."""
    number = path.name.removeprefix("station.").removesuffix("log").rstrip(".")
    return int(number) if number.isdigit() else 0


def _time(line: str) -> datetime | None:
    try:
        return datetime.fromisoformat(line[:23]).astimezone()  # the log was in local time
    except ValueError:
        return None
