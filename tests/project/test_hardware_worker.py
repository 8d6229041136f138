"""The bus between poll thread and channel layer: newest first, never waiting, whatever Redis does."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Iterator

import pytest

from station.domain import wire
from station.domain.board import BoardSnapshot, EvseSetpoint, Setpoint
from station.live import bus
from station.project import hardware_worker
from station.project.hardware_worker import Bus
from tests.support.waiting import wait_until

SETPOINT = Setpoint(sequence=7, evses=(EvseSetpoint(1, allow_power=True, current=16.0),))


class Layer:
    """A channel layer that can be away, or hang."""

    def __init__(self) -> None:
        self.sent: queue.Queue[tuple[str, dict]] = queue.Queue()
        self.away = False
        self.hanging = threading.Event()
        self.incoming: queue.Queue[dict] = queue.Queue()

    async def send(self, channel: str, message: dict) -> None:
        if self.away:
            raise ConnectionError("away")
        while self.hanging.is_set():  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(0.01)
        self.sent.put((channel, message))

    async def group_send(self, group: str, message: dict) -> None:
        await self.send(group, message)

    async def receive(self, channel: str) -> dict:
        assert channel == bus.HARDWARE
        while True:
            if self.away:
                raise ConnectionError("away")
            try:
                return self.incoming.get_nowait()
            except queue.Empty:
                await asyncio.sleep(0.01)


@pytest.fixture
def layer(monkeypatch) -> Layer:
    monkeypatch.setattr(hardware_worker, "EVERY", 0.05)
    monkeypatch.setattr(hardware_worker, "RETRY", 0.02)
    return Layer()


@pytest.fixture
def wanted() -> queue.Queue[Setpoint]:
    return queue.Queue()


@pytest.fixture
def line(layer: Layer, wanted: queue.Queue[Setpoint]) -> Iterator[Bus]:
    line = Bus(wanted.put, lambda: layer)
    line.start()
    yield line
    line.stop()


def next_at(layer: Layer, at: float) -> None:
    """Wait until the snapshot of ``at`` is sent."""
    while True:
        channel, message = layer.sent.get(timeout=10)
        assert channel == bus.UPLINK
        assert message["type"] == bus.BOARD_SNAPSHOT
        if wire.unpack_snapshot(message["snapshot"]).at == at:
            return


def test_a_snapshot_goes_out_and_again_where_nothing_changes(line: Bus, layer: Layer) -> None:
    line.offer(BoardSnapshot(at=1.0))
    for _ in range(3):
        next_at(layer, 1.0)


def test_a_snapshot_offered_before_the_loop_runs_is_not_lost(layer: Layer) -> None:
    line = Bus(lambda setpoint: None, lambda: layer)
    line.offer(BoardSnapshot(at=1.0))
    line.start()
    next_at(layer, 1.0)
    line.stop()


def test_while_redis_is_away_offering_never_waits_and_only_the_newest_goes_out(line: Bus, layer: Layer) -> None:
    layer.away = True
    began = time.monotonic()
    for number in range(1000):
        line.offer(BoardSnapshot(at=float(number)))
    assert time.monotonic() - began < 5
    while not layer.sent.empty():
        layer.sent.get()
    layer.away = False
    _, message = layer.sent.get(timeout=10)
    assert message["snapshot"]["at"] == 999.0


def test_a_redis_that_hangs_is_given_up(line: Bus, layer: Layer, monkeypatch) -> None:
    monkeypatch.setattr(hardware_worker, "SEND_LIMIT", 0.05)
    layer.hanging.set()
    line.offer(BoardSnapshot(at=1.0))
    time.sleep(0.1)
    line.offer(BoardSnapshot(at=2.0))
    layer.hanging.clear()
    next_at(layer, 2.0)


def test_setpoints_arrive(line: Bus, layer: Layer, wanted) -> None:
    layer.incoming.put({"type": bus.BOARD_SETPOINT, "setpoint": wire.pack_setpoint(SETPOINT)})
    assert wanted.get(timeout=10) == SETPOINT


def test_setpoints_arrive_after_redis_was_away(line: Bus, layer: Layer, wanted) -> None:
    layer.away = True
    time.sleep(0.05)
    layer.away = False
    layer.incoming.put({"type": bus.BOARD_SETPOINT, "setpoint": wire.pack_setpoint(SETPOINT)})
    assert wanted.get(timeout=10) == SETPOINT


@pytest.mark.parametrize(
    "message",
    [{}, {"type": "other"}, {"type": bus.BOARD_SETPOINT}, {"type": bus.BOARD_SETPOINT, "setpoint": {"sequence": 1}}],
)
def test_what_is_no_setpoint_is_ignored(line: Bus, layer: Layer, wanted, message: dict) -> None:
    layer.incoming.put(message)
    layer.incoming.put({"type": bus.BOARD_SETPOINT, "setpoint": wire.pack_setpoint(SETPOINT)})
    assert wanted.get(timeout=10) == SETPOINT
    assert wanted.empty()


def test_it_stops(layer: Layer) -> None:
    line = Bus(lambda setpoint: None, lambda: layer)
    line.start()
    line.stop()
    assert not line._thread.is_alive()
    line.offer(BoardSnapshot(at=1.0))  # from a poll thread that ends later


class Look:
    """Registers that are there for so many looks after somebody has asked."""

    def __init__(self) -> None:
        self.left = 0
        self.looks = 0

    def watch(self, seconds: float) -> None:
        assert seconds == bus.WATCH
        self.left = 2

    def view(self) -> dict | None:
        self.looks += 1
        self.left -= 1
        return {"registers": {}} if self.left >= 0 else None


def test_registers_go_out_only_while_somebody_looks(layer: Layer) -> None:
    look = Look()
    line = Bus(lambda setpoint: None, lambda: layer, look=look)
    line.start()
    try:
        layer.incoming.put({"type": bus.BOARD_SNAPSHOT})  # none of its business
        layer.incoming.put({"type": bus.BOARD_WATCH})
        for _ in range(2):
            assert layer.sent.get(timeout=10) == (
                bus.ENGINEERS,
                {"type": bus.BOARD_REGISTERS, "board": {"registers": {}}},
            )
        wait_until(lambda: look.looks == 2 + hardware_worker.MISSES, "it stops to look")
        layer.incoming.put({"type": bus.BOARD_WATCH})
        assert layer.sent.get(timeout=10)[0] == bus.ENGINEERS
    finally:
        line.stop()
