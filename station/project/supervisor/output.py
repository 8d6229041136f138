"""One readable, interleaved log: to the terminal, and with a limit to ``STATION_DATA/logs/station.log``."""

from __future__ import annotations

import os
import re
import select
import time
from collections import deque
from pathlib import Path
from typing import BinaryIO

WAITING_LIMIT = 1024 * 1024  # bytes that wait for a terminal that does not read
LINE_LIMIT = 4000  # bytes; a line longer than this is cut
CHUNK = select.PIPE_BUF  # a pipe that polls as writable takes so much without waiting
FILE_LIMIT = 2 * 1024 * 1024  # bytes
FILES = 4  # the current one and three older ones

# Signs that could move a terminal's cursor or change its title; what is logged may come from outside.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COLOURS = (36, 32, 33, 35, 34, 96, 92, 95)
_RED, _YELLOW = 31, 33


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

    @property
    def waits(self) -> bool:
        """Whether something is to be written as soon as the stream takes it."""
        return bool(self._waiting) and not self._broken

    def line(self, name: str, text: str) -> None:
        """Log one line of the process ``name``."""
        text = _CONTROL.sub("�", text.rstrip())
        if not text:
            return
        now = time.time()
        clock = time.strftime("%H:%M:%S", time.localtime(now))
        if self._file:
            day = time.strftime("%Y-%m-%d", time.localtime(now))
            self._file.write(f"{day} {clock}.{int(now % 1 * 1000):03d} {name:{self._width}} {text}\n".encode())
        self.direct(f"{self._dim(clock)} {self._tint(name)} {self._shade(text)}\n")

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
