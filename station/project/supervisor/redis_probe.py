"""Whether the embedded Redis still answers: it is not ours, and so cannot beat for itself."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

PING, PONG = b"PING\r\n", b"+PONG\r\n"


class RedisProbe:
    """Pings Redis over its Unix socket and calls ``beat`` for every answer. Never waits for anything."""

    def __init__(self, path: Path, beat: Callable[[], None]) -> None:
        self._path = path
        self._beat = beat
        self._line: socket.socket | None = None

    def look(self) -> None:
        """Take the answer to the last ping, if it is there by now, and send the next; called about once a second."""
        try:
            if self._line is None:
                self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._line.setblocking(False)
                self._line.connect(str(self._path))
            elif not self._answered(self._line):
                return
            self._line.send(PING)
        except OSError:  # not there yet, or gone: that no answer comes is the news
            self.close()

    def _answered(self, line: socket.socket) -> bool:
        try:
            answer = line.recv(4096)
        except BlockingIOError:
            return False
        if not answer:
            raise ConnectionResetError
        if answer.endswith(PONG):
            self._beat()
        return True

    def close(self) -> None:
        """Drop the connection; the next look makes a new one."""
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.close()
            self._line = None
