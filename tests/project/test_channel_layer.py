"""The channel layer on a real Redis that goes and comes back, and that another station uses too."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from django.conf import settings

from station.project.channel_layer import StationChannelLayer
from station.project.supervisor.startup import redis_server


class Redis:
    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.start()

    def start(self) -> None:
        arguments = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.socket.parent)]
        self.process = subprocess.Popen([redis_server(), *arguments], stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def layer(self, prefix: str = "a") -> StationChannelLayer:
        options = settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]
        return StationChannelLayer(hosts=[{**options, "address": f"unix://{self.socket}"}], prefix=prefix)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    yield server
    server.kill()


async def send_until_heard(sender: StationChannelLayer, task: asyncio.Task, n: int) -> dict:
    """A message may be lost, so it is sent until it arrives."""
    async with asyncio.timeout(30):
        while not task.done():
            with suppress(redis.RedisError):
                await sender.send("uplink", {"type": "x", "n": n})
            await asyncio.sleep(0.05)
        return task.result()


async def listen(layer: StationChannelLayer) -> dict:
    while True:
        try:
            return await layer.receive("uplink")
        except redis.RedisError:
            await asyncio.sleep(0.05)


async def close(*layers: StationChannelLayer) -> None:
    for layer in layers:
        await layer.flush()


def test_a_listener_hears_again_after_redis_was_away(server: Redis) -> None:
    async def scenario() -> None:
        receiver, sender = server.layer(), server.layer()
        await send_until_heard(sender, asyncio.create_task(listen(receiver)), 1)
        task = asyncio.create_task(wait_for(receiver, 2))
        await asyncio.sleep(0.1)
        server.kill()
        await asyncio.sleep(0.3)
        server.start()
        assert (await send_until_heard(sender, task, 2))["n"] == 2
        await close(receiver, sender)

    async def wait_for(layer: StationChannelLayer, n: int) -> dict:
        while True:
            message = await listen(layer)
            if message["n"] == n:
                return message

    asyncio.run(scenario())


def test_a_listener_that_came_before_redis_hears_it_later(server: Redis) -> None:
    async def scenario() -> None:
        server.kill()
        receiver, sender = server.layer(), server.layer()
        with pytest.raises(redis.ConnectionError):
            await receiver.receive("uplink")
        server.start()
        assert (await send_until_heard(sender, asyncio.create_task(listen(receiver)), 1))["n"] == 1
        await close(receiver, sender)

    asyncio.run(scenario())


def test_another_station_on_the_same_redis_is_not_heard(server: Redis) -> None:
    async def scenario() -> None:
        receiver, own, foreign = server.layer("a"), server.layer("a"), server.layer("b")
        await send_until_heard(own, asyncio.create_task(listen(receiver)), 1)
        await foreign.send("uplink", {"type": "x", "n": 2})
        await own.send("uplink", {"type": "x", "n": 3})
        numbers = set()
        while 3 not in numbers:
            numbers.add((await receiver.receive("uplink"))["n"])
        assert 2 not in numbers
        await close(receiver, own, foreign)

    asyncio.run(scenario())


def test_a_consumers_own_channel_and_groups_work(server: Redis) -> None:
    async def scenario() -> None:
        layer = server.layer()
        while True:
            try:
                channel = await layer.new_channel()
                break
            except redis.RedisError:
                await asyncio.sleep(0.05)
        await layer.group_add("watchers", channel)
        await layer.group_send("watchers", {"type": "live"})
        assert await layer.receive(channel) == {"type": "live"}
        await layer.send(channel, {"type": "own"})
        assert await layer.receive(channel) == {"type": "own"}
        await close(layer)

    asyncio.run(scenario())
