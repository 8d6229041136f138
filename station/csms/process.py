"""The demonstration CSMS as a process of its own."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from station.csms.server import Csms

log = logging.getLogger(__name__)

BEAT = 1.0  # s


def run(sock: socket.socket, data_dir: Path, beat: Callable[[], None], password: str | None = None) -> None:
    """Serve on ``sock`` (bound) until SIGTERM or SIGINT; keeps its record under ``data_dir/csms``.

    ``beat`` is called once a second from the loop that serves. Raises OSError where the record or the socket
    cannot be used.
    """
    asyncio.run(_serve(sock, data_dir, beat, password))


async def _serve(sock: socket.socket, data_dir: Path, beat: Callable[[], None], password: str | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await Csms(data_dir / "csms", password=password).listen(sock=sock)
    async with server:
        host, port = sock.getsockname()[:2]
        log.info("The demonstration CSMS listens at ws://%s:%d", host, port)
        while not stop.is_set():
            beat()
            try:
                await asyncio.wait_for(stop.wait(), BEAT)
            except TimeoutError:
                continue
