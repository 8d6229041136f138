"""The end of the processes' log, read backwards: the newest lines that fit, however long the files are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

CHUNK = 64 * 1024  # bytes
READ_MOST = 8 * 1024 * 1024  # bytes of one look; what lies further back is in the download
LINE_LENGTH = 2_000  # characters
EXCEPTION_LENGTH = 5_000
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Entry(NamedTuple):
    """A record of a process, or a line that is none (``at`` is None then)."""

    at: datetime | None
    process: str
    level: str
    message: str
    exception: str


def newest(folder: Path, count: int, fits: Callable[[Entry], bool]) -> tuple[list[Entry], bool]:
    """The newest ``count`` entries that fit, newest first, and whether there may be more than were looked at."""
    found: list[Entry] = []
    read = 0
    for path in sorted(folder.glob("station*.log"), key=_age):
        for line, size in _backwards(path):
            read += size
            entry = _entry(line)
            if entry is not None and fits(entry):
                found.append(entry)
            if len(found) > count:
                return found[:count], True
            if read > READ_MOST:
                return found, True
    return found, False


def _entry(line: str) -> Entry | None:
    text = line.strip()
    if not text:
        return None
    try:
        told = json.loads(text)
        return Entry(
            datetime.fromisoformat(told["at"]),
            str(told["process"])[:20],
            str(told["level"])[:10],
            str(told["message"])[:LINE_LENGTH],
            str(told.get("exception") or "")[-EXCEPTION_LENGTH:],
        )
    except (ValueError, KeyError, TypeError):
        return Entry(None, "", "", text[:LINE_LENGTH], "")


def _backwards(path: Path) -> Iterator[tuple[str, int]]:
    """The lines of a file, the last first, with their size in bytes; a file that goes meanwhile just ends."""
    try:
        with path.open("rb") as file:
            at = file.seek(0, 2)
            rest = b""
            while at > 0:
                step = min(CHUNK, at)
                at -= step
                file.seek(at)
                lines = (file.read(step) + rest).split(b"\n")
                rest = lines.pop(0)
                for line in reversed(lines):
                    yield line.decode(errors="replace"), len(line) + 1
                if len(rest) > READ_MOST:
                    return
            yield rest.decode(errors="replace"), len(rest)
    except OSError:
        return


def _age(path: Path) -> int:
    """Those put aside have a number that grows with their age; the current file has none."""
    number = path.name.removeprefix("station.").removesuffix("log").rstrip(".")
    return int(number) if number.isdigit() else 0
