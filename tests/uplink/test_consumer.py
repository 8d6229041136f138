"""The ear on the channel layer: what is ours is passed on, and nothing that happens there ends the process."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

from channels.layers import InMemoryChannelLayer

from station.domain.board import BoardSnapshot, EvseSnapshot
from station.domain.events import LimitWanted, TransferReport
from station.domain.wire import pack_limit, pack_report, pack_snapshot
from station.live import bus
from station.project.channel_layer import StationChannelLayer
from station.uplink.consumer import UplinkConsumer, UplinkWorker

SNAPSHOT = BoardSnapshot(at=1.0, evses=(EvseSnapshot(1),))
REPORT = TransferReport("1", 1, "Uploading", "", 5, 10)
LIMIT = LimitWanted(1, 6.0, 60.0, "olga")
MESSAGE = {"type": bus.BOARD_SNAPSHOT, "snapshot": pack_snapshot(SNAPSHOT)}


class Ear:
    """Notes what the consumer passes on."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def application(self) -> Callable:
        return UplinkConsumer.as_asgi(
            snapshot=self.heard.append,
            nudge=lambda: self.heard.append("nudge"),
            hello=lambda: self.heard.append("hello"),
            report=self.heard.append,
            limit=self.heard.append,
        )

    async def until(self, count: int) -> list[object]:
        async with asyncio.timeout(10):
            while len(self.heard) < count:  # noqa: ASYNC110 - only what happens is waited for, no time
                await asyncio.sleep(0.005)
        return self.heard


class Flaky(InMemoryChannelLayer):
    """Fails, hangs and talks nonsense before it hears anything."""

    def __init__(self, *ills: object) -> None:
        super().__init__()
        self.ills = list(ills)

    async def receive(self, channel: str):
        if self.ills:
            ill = self.ills.pop(0)
            if isinstance(ill, Exception):
                raise ill
            if ill == "hang":
                await asyncio.Event().wait()
            return ill
        return await super().receive(channel)


def run(layer, drive: Callable[[object, Ear], object], **options) -> None:
    async def test() -> None:
        ear = Ear()
        worker = UplinkWorker(ear.application(), layer, **{"retry": 0.0, **options})
        task = asyncio.create_task(worker.arun())
        try:
            await drive(layer, ear)
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(test())


def test_messages_become_what_the_runtime_understands():
    async def drive(layer, ear: Ear) -> None:
        await layer.send(bus.UPLINK, MESSAGE)
        await layer.send(bus.UPLINK, {"type": bus.COMMAND_FILED, "command_id": 5})
        await layer.send(bus.UPLINK, {"type": bus.HELLO})
        await layer.send(bus.UPLINK, {"type": bus.TRANSFER_REPORT, "report": pack_report(REPORT)})
        await layer.send(bus.UPLINK, {"type": bus.LIMIT_WANTED, "limit": pack_limit(LIMIT)})
        assert await ear.until(5) == [SNAPSHOT, "nudge", "hello", REPORT, LIMIT]

    run(InMemoryChannelLayer(), drive)


def test_bad_messages_are_dropped(caplog):
    bad = [
        {"type": bus.BOARD_SNAPSHOT},
        {"type": bus.BOARD_SNAPSHOT, "snapshot": None},
        {"type": bus.BOARD_SNAPSHOT, "snapshot": {"at": 1}},
        {"type": bus.BOARD_SNAPSHOT, "snapshot": {**pack_snapshot(SNAPSHOT), "evses": 7}},
        {"type": bus.TRANSFER_REPORT},
        {"type": bus.TRANSFER_REPORT, "report": {"transfer_id": "x"}},
        {"type": bus.TRANSFER_REPORT, "report": {**pack_report(REPORT), "attempt": "1"}},
        {"type": bus.LIMIT_WANTED, "limit": {**pack_limit(LIMIT), "evse_id": "1"}},
        {"type": bus.LIMIT_WANTED, "limit": {**pack_limit(LIMIT), "current": "6"}},
        {"type": bus.LIMIT_WANTED, "limit": {**pack_limit(LIMIT), "valid_for": None}},
        {"type": "fire.everyone"},
        {"type": "dispatch"},
    ]

    async def drive(layer, ear: Ear) -> None:
        for message in bad:
            await layer.send(bus.UPLINK, message)
        await layer.send(bus.UPLINK, MESSAGE)
        assert await ear.until(1) == [SNAPSHOT]

    run(InMemoryChannelLayer(), drive)
    assert caplog.text.count("dropped") == len(bad)


def test_a_sick_layer_is_waited_for(caplog):
    layer = Flaky(ConnectionError("away"), OSError("away"), "hang", None, "nonsense", {}, {"type": 5})

    async def drive(layer, ear: Ear) -> None:
        await layer.send(bus.UPLINK, MESSAGE)
        assert await ear.until(1) == [SNAPSHOT]

    run(layer, drive, silence=0.02)
    assert caplog.text.count("is away") == 1


# ---------------------------------------------------------------------- a real Redis that goes and comes back


class Redis:
    """A server of its own on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.socket.unlink(missing_ok=True)
            self._process = None


def test_redis_that_goes_and_comes_back(tmp_path):
    redis = Redis(tmp_path)

    async def send_until_heard(layer, ear: Ear, count: int) -> None:
        """As the hardware worker does: again and again, whatever happens."""
        async with asyncio.timeout(20):
            while len(ear.heard) < count:
                try:
                    await layer.send(bus.UPLINK, MESSAGE)
                except Exception:
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.05)

    async def drive(layer, ear: Ear) -> None:
        await asyncio.sleep(0.2)  # it starts without Redis
        redis.start()
        await send_until_heard(layer, ear, 1)
        redis.kill()
        await asyncio.sleep(0.5)
        redis.start()
        await send_until_heard(layer, ear, len(ear.heard) + 3)

    layer = StationChannelLayer(hosts=[{"address": f"unix://{redis.socket}"}], prefix="test")
    try:
        run(layer, drive, retry=0.1)
    finally:
        redis.kill()
