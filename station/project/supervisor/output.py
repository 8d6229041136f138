"""One interleaved log: readable at the terminal, and as lines of JSON, with limits, in ``STATION_DATA/logs``.

A line of ``station.log`` has ``at`` (UTC by the machine's clock), ``process``, ``level``, ``message``, and where a
Python process wrote it ``logger`` and perhaps ``exception``. It is of limited size, and so is what is written to it in
a time: a process that complains without end must not wear out the flash.
"""

from __future__ import annotations

import json
import os
import re
import select
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from station.project.log import RECORD
from station.store.redaction import Redactor

WAITING_LIMIT = 1024 * 1024  # bytes that wait for a terminal that does not read
LINE_LIMIT = 32 * 1024  # bytes; a line longer than this is cut
PLAIN_LIMIT = 4000  # characters, of a line that is no record
CHUNK = select.PIPE_BUF  # a pipe that polls as writable takes so much without waiting
FILE_LIMIT = 2 * 1024 * 1024  # bytes
FILES = 4  # the current one and three older ones
LINES_AT_ONCE = 5000  # that the file takes of all processes together, and
LINES_A_SECOND = 0.5  # how many more it takes with time

# Signs that could move a terminal's cursor or change its title; what is logged may come from outside.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COLOURS = (36, 32, 33, 35, 34, 96, 92, 95)
_RED, _YELLOW = 31, 33
_LEVEL = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) ")


class Output:
    """Takes lines, gives them to the terminal when it can take them, never waits.

    A terminal or pipe that nobody reads must not hold up the supervisor: beyond ``WAITING_LIMIT`` the oldest lines
    are dropped there, and their number told. The file keeps them.
    """

    def __init__(
        self, stream: int, names: tuple[str, ...], folder: Path | None = None, *, colour: bool = False
    ) -> None:
        self.stream = stream
        self._width = max(len(name) for name in names)
        self._colours = {name: _COLOURS[index % len(_COLOURS)] for index, name in enumerate(names)} if colour else {}
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        self._broken = False
        self._file = _LimitedFile(folder / "station.log") if folder else None
        self._allowance = _Allowance(LINES_AT_ONCE, LINES_A_SECOND)
        self._redactors = {name: Redactor() for name in names}

    @property
    def waits(self) -> bool:
        """Whether something is to be written as soon as the stream takes it."""
        return bool(self._waiting) and not self._broken

    def line(self, name: str, text: str) -> None:
        """Log one line of the process ``name``: a record of ``project.log.Structured``, or what else it wrote."""
        record = _record(text)
        if record is None:
            # nobody has cleaned it: a library in C, Redis, an interpreter that dies
            text = self._redactors.setdefault(name, Redactor()).line(text.rstrip()[:PLAIN_LIMIT]).strip()
            if not text:
                return
            level = _LEVEL.match(text)
            record = {"level": level[1] if level else "INFO", "message": text[level.end() :] if level else text}
        now = time.time()
        if self._file:
            self._keep(self._file, name, record, now)
        clock = f"{self._dim(time.strftime('%H:%M:%S', time.localtime(now)))} {self._tint(name)}"
        lead = "" if record["level"] in ("DEBUG", "INFO") else f"{record['level']} "
        first, *more = (lead + str(record["message"])).split("\n")
        for line in (first, *more, *str(record.get("exception", "")).splitlines()):
            self.direct(f"{clock} {self._shade(_CONTROL.sub('�', line))}\n")

    def _keep(self, file: _LimitedFile, name: str, record: dict[str, Any], now: float) -> None:
        if not self._allowance.take():
            return
        at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}Z"
        if left_out := self._allowance.refused():
            told = f"{left_out} lines were left out here: they came too fast to be kept"
            file.write(_json({"at": at, "process": name, "level": "WARNING", "message": told}))
        file.write(_json({"at": at, "process": name, **record}))

    def direct(self, text: str) -> None:
        """Show ``text`` as it is, on the terminal only (a password has no place in a file)."""
        if self._broken:
            return
        data = text.encode(errors="replace")
        self._waiting.append(data)
        self._size += len(data)
        while self._size > WAITING_LIMIT and len(self._waiting) > 1:
            self._size -= len(self._waiting.popleft())
            self._dropped += 1

    def write(self) -> None:
        """Write what the stream takes now; call when it polls as writable."""
        if self._dropped:
            self._waiting.appendleft(f"… {self._dropped} lines were dropped\n".encode())
            self._dropped = 0
        chunk = b""
        while self._waiting and len(chunk) < CHUNK:
            chunk += self._waiting.popleft()
        rest = chunk[CHUNK:]
        try:
            written = os.write(self.stream, chunk[:CHUNK])
        except BlockingIOError:
            written = 0
        except OSError:  # the reader has gone; the file goes on
            self._broken = True
            self._waiting.clear()
            return
        rest = chunk[written:CHUNK] + rest
        if rest:
            self._waiting.appendleft(rest)
        self._size = sum(map(len, self._waiting))

    def finish(self, seconds: float) -> None:
        """Write what still waits, for at most ``seconds``."""
        poll = select.poll()
        poll.register(self.stream, select.POLLOUT)
        end = time.monotonic() + seconds
        while self.waits and (left := end - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                self.write()

    def _dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self._colours else text

    def _tint(self, name: str) -> str:
        padded = f"{name:{self._width}}"
        return f"\x1b[{self._colours.get(name, 39)}m{padded}\x1b[0m" if self._colours else padded

    def _shade(self, text: str) -> str:
        if self._colours and text.startswith(("ERROR", "CRITICAL")):
            return f"\x1b[{_RED}m{text}\x1b[0m"
        if self._colours and text.startswith("WARNING"):
            return f"\x1b[{_YELLOW}m{text}\x1b[0m"
        return text


def _record(text: str) -> dict[str, Any] | None:
    """The record that a process wrote, or None for any other line."""
    if not text.startswith(RECORD):
        return None
    try:
        told = json.loads(text[len(RECORD) :])
    except ValueError:
        return None
    if not isinstance(told, dict) or not {"level", "message"} <= told.keys():
        return None
    return {name: str(value) for name, value in told.items() if name in ("level", "logger", "message", "exception")}


def _json(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode(errors="replace") + b"\n"


class _Allowance:
    """How many lines may still be written: ``most`` at once, and ``rate`` a second."""

    def __init__(self, most: int, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._rate, self._clock = most, rate, clock
        self._left, self._at = float(most), clock()
        self._refused = 0

    def take(self) -> bool:
        """Whether one more may be written."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            self._refused += 1
            return False
        self._left -= 1
        return True

    def refused(self) -> int:
        """How many were not written since the last call."""
        refused, self._refused = self._refused, 0
        return refused


class _LimitedFile:
    """A file that is put aside when it is full; of those put aside the oldest goes. A full disk is no error here."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._size = 0

    def write(self, data: bytes) -> None:
        try:
            if self._file is None:
                self._file = self._path.open("ab", buffering=0)
                self._size = self._file.tell()
            self._file.write(data)
            self._size += len(data)
            if self._size >= FILE_LIMIT:
                self._put_aside()
        except OSError:
            self._file = None

    def _put_aside(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        for number in range(FILES - 1, 0, -1):
            older = self._path.with_suffix(f".{number - 1}.log") if number > 1 else self._path
            if older.exists():
                older.replace(self._path.with_suffix(f".{number}.log"))


class Lines:
    """Cuts what comes out of a pipe into lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._cut = False

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` completes."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        lines = []
        for line in whole:
            if self._cut:  # the end of a line whose beginning was shown already
                self._cut = False
                continue
            lines.append(_text(line[:LINE_LIMIT]))
        if len(self._rest) > LINE_LIMIT:
            if not self._cut:
                lines.append(_text(self._rest[:LINE_LIMIT]) + " …")
            self._cut = True
            self._rest = b""
        return lines

    def end(self) -> list[str]:
        """What is left when the pipe closes."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest and not self._cut else []


def _text(line: bytes) -> str:
    return line.decode(errors="replace")
