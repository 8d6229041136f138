"""What several tests of the hardware room need: a board on a pure bench, and a live simulator in a thread."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hardware.simulator.board import SimulatedBoard, World
from hardware.simulator.electronics import Electronics
from hardware.simulator.ev import Ev
from hardware.simulator.outlet import Outlet
from hardware.simulator.process import Simulator
from station.domain.board import EvseSetpoint

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback only, whatever the environment says


def new_board(evses: int = 1) -> SimulatedBoard:
    return SimulatedBoard(World({evse_id: Outlet() for evse_id in range(1, evses + 1)}))


def run(board: SimulatedBoard, seconds: float, dt: float = 0.05, feed: bool = True) -> None:
    """Let time pass; ``feed``: somebody writes the heartbeat in each step."""
    for _ in range(round(seconds / dt)):
        if feed:
            for electronics in board.electronics.values():
                electronics.watchdog.feed()
        board.step(dt)


def allow(board: SimulatedBoard, current: float = 16.0, phases: int = 1, evse_id: int = 1) -> Electronics:
    """The station allows power: heartbeat and setpoint."""
    electronics = board.electronics[evse_id]
    electronics.watchdog.feed()
    electronics.take(
        electronics.sequence + 1, EvseSetpoint(evse_id, allow_power=True, current=current, phases=phases, lock=True)
    )
    return electronics


def charging(current: float = 16.0, **ev: Any) -> SimulatedBoard:
    """A board whose EVSE 1 charges at full current."""
    board = new_board()
    allow(board, current, phases=ev.get("phases", 1))
    board.plug(1, Ev(**ev))
    run(board, 8.0)
    assert board.electronics[1].closed
    return board


class Live:
    """A simulator that runs in real time, and a hand at its bench."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    @property
    def modbus(self) -> str:
        return "modbus-tcp://{}:{}".format(*self.simulator.modbus)

    @property
    def bench(self) -> str:
        return "{}:{}".format(*self.simulator.bench)

    def ask(self, path: str, body: object = None, *, raw: bytes | None = None, method: str | None = None) -> Any:
        """Status and JSON of an answer; GET without a body."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.bench}{path}", data=data, method=method)
        try:
            with OPENER.open(request, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@contextmanager
def live_simulator(folder: Path, evses: int = 2) -> Iterator[Live]:
    """A simulator on free ports of the loopback address."""
    ready, ended = threading.Event(), threading.Event()
    kept: list[tuple[Simulator, asyncio.AbstractEventLoop]] = []

    async def serve() -> None:
        simulator = Simulator(folder, ("127.0.0.1", 0), ("127.0.0.1", 0), evses)
        await simulator.start()
        kept.append((simulator, asyncio.get_running_loop()))
        ready.set()
        await simulator.run()

    def main() -> None:
        try:
            asyncio.run(serve())
        finally:
            ended.set()
            ready.set()

    threading.Thread(target=main, daemon=True).start()
    assert ready.wait(10)
    assert kept, "the simulator did not start"
    simulator, loop = kept[0]
    try:
        yield Live(simulator)
    finally:
        loop.call_soon_threadsafe(simulator.stop)
        assert ended.wait(10)
