"""The simulated board as a process: Modbus TCP on one side, the bench on the other, physics in real time between."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from hardware.simulator.bench import Bench
from hardware.simulator.board import SimulatedBoard
from hardware.simulator.modbus import ModbusServer
from hardware.simulator.store import Store, StoreError

log = logging.getLogger(__name__)

STEP = 0.05  # s
LONGEST_STEP = 1.0  # s; a machine that slept does not charge for hours in one step
BEAT = 1.0  # s


class CannotStartError(Exception):
    """Why the simulator cannot start, in one line."""


class Simulator:
    """A running simulated board. ``modbus`` and ``bench`` are (host, port); after ``start`` with the real ports."""

    def __init__(
        self, data_dir: Path, modbus: tuple[str, int], bench: tuple[str, int], evses: int, *, sockets: bool = False
    ) -> None:
        self.modbus = modbus
        self.bench = bench
        self._store = Store(data_dir / "simulator" / "state.json")
        self._evses = evses
        self._sockets = sockets
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Load the world and listen; raises CannotStartError."""
        try:
            self.board = SimulatedBoard(self._store.load(self._evses), self._sockets)
            self._store.save(self.board.world)
        except StoreError as error:
            raise CannotStartError(str(error)) from error
        self._hands = Bench(self.board, lambda: self._store.keep(self.board, time.monotonic()))
        self._server = ModbusServer(self.board, self.modbus)
        self._web = web.AppRunner(self._hands.application(), access_log=None, shutdown_timeout=1.0)
        try:
            self.modbus = await self._server.start()
        except OSError as error:
            raise CannotStartError(_cannot_listen("Modbus TCP", self.modbus, error)) from error
        await self._web.setup()
        try:
            await web.TCPSite(self._web, *self.bench).start()
        except OSError as error:
            await self._stop_serving()
            raise CannotStartError(_cannot_listen("the bench", self.bench, error)) from error
        host, port = self._web.addresses[0][:2]
        self.bench = (host, port)

    async def run(self, beat: Callable[[], None] | None = None) -> None:
        """Let time pass until ``stop``; ``beat`` is called about once a second."""
        last = time.monotonic()
        beat_due = last
        while not self._stopping.is_set():
            now = time.monotonic()
            self._step(min(now - last, LONGEST_STEP), now)
            last = now
            if beat and now >= beat_due:
                beat()
                beat_due = now + BEAT
            try:
                async with asyncio.timeout(STEP):
                    await self._stopping.wait()
            except TimeoutError:
                continue
        await self._stop_serving()
        self._store.save(self.board.world)

    def stop(self) -> None:
        """Ask ``run`` to end."""
        self._stopping.set()

    def _step(self, dt: float, now: float) -> None:
        self.board.step(dt)
        self._hands.step(dt)
        self._store.keep(self.board, now)

    async def _stop_serving(self) -> None:
        await self._web.cleanup()
        await self._server.stop()


def run(
    data_dir: Path,
    modbus: tuple[str, int],
    bench: tuple[str, int],
    evses: int,
    *,
    sockets: bool = False,
    beat: Callable[[], None] | None = None,
    ready: Callable[[tuple[str, int], tuple[str, int]], None] | None = None,
) -> None:
    """Be a simulated board until SIGTERM or SIGINT; blocks.

    Its world lasts in ``data_dir``/simulator. ``sockets``: the drivers bring the cables. Port 0 takes a free port;
    ``ready`` is told the real addresses of Modbus and bench. ``beat`` is called about once a second while all is well.
    Ends the process with one line and exit status 1 where it cannot start.
    """
    try:
        asyncio.run(_run(data_dir, modbus, bench, evses, sockets, beat, ready))
    except (CannotStartError, StoreError) as error:
        sys.exit(f"simulated board: {error}")


async def _run(
    data_dir: Path,
    modbus: tuple[str, int],
    bench: tuple[str, int],
    evses: int,
    sockets: bool,
    beat: Callable[[], None] | None,
    ready: Callable[[tuple[str, int], tuple[str, int]], None] | None,
) -> None:
    simulator = Simulator(data_dir, modbus, bench, evses, sockets=sockets)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, simulator.stop)
    await simulator.start()
    log.info("simulated board: Modbus TCP on %s:%d, bench on http://%s:%d", *simulator.modbus, *simulator.bench)
    if ready:
        ready(simulator.modbus, simulator.bench)
    await simulator.run(beat)


def _cannot_listen(what: str, address: tuple[str, int], error: OSError) -> str:
    reason = "the port is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return f"{what} cannot listen on {address[0]}:{address[1]}: {reason}"
