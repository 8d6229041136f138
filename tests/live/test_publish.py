"""Publishing: the latest value, not too often, and never waiting for who carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from station.live.payloads import EvseLive, StationLive, decode
from station.live.publish import Latest, Publisher

STATE = StationLive(
    serial=0,
    life="a",
    at="2024-05-01T10:00:00.000Z",
    connected=True,
    registration="Accepted",
    security_profile=1,
    csms_url="ws://csms",
    identity="CS",
    board_online=True,
    evses=(EvseLive(1, "Available", "free"),),
)


class Wire:
    """Takes what is sent; hangs or fails when told to."""

    def __init__(self) -> None:
        self.sent: list = []
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.tries = asyncio.Semaphore(0)

    async def send(self, value: object) -> None:
        self.tries.release()
        await self.open.wait()
        if self.error:
            raise self.error
        self.sent.append(value)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.sent) < count:  # noqa: ASYNC110 - only what happens is waited for, no time
                await asyncio.sleep(0)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        before = asyncio.all_tasks()
        await test()
        for task in asyncio.all_tasks() - before:
            task.cancel()

    asyncio.run(whole())


def test_latest_value_wins_while_sending_hangs():
    async def test() -> None:
        wire, value = Wire(), [1]
        latest = Latest(lambda: value[0], wire.send, what="x")
        task = asyncio.create_task(latest.run())
        wire.open.clear()
        latest.changed()
        await wire.tries.acquire()
        for value[0] in (2, 3, 4):
            latest.changed()
            await asyncio.sleep(0)
        wire.open.set()
        await wire.until(2)
        assert wire.sent == [1, 4]
        task.cancel()

    run(test)


def test_failures_are_said_once_and_the_newest_is_sent_later(caplog):
    caplog.set_level("INFO")

    async def test() -> None:
        wire, value = Wire(), [1]
        latest = Latest(lambda: value[0], wire.send, what="the setpoint", retry=0.0)
        task = asyncio.create_task(latest.run())
        wire.error = ConnectionError("Redis is away")
        latest.changed()
        for _ in range(5):
            await wire.tries.acquire()
        value[0] = 2
        wire.error = None
        await wire.until(1)
        assert wire.sent == [2]
        task.cancel()

    run(test)
    assert caplog.text.count("Redis is away") == 1
    assert caplog.text.count("sent again") == 1


def test_sending_that_hangs_for_good_is_given_up():
    async def test() -> None:
        wire = Wire()
        latest = Latest(lambda: 1, wire.send, what="x", retry=0.0, patience=0.01)
        task = asyncio.create_task(latest.run())
        wire.open.clear()
        latest.changed()
        async with asyncio.timeout(5):
            await wire.tries.acquire()
            await wire.tries.acquire()
        wire.open.set()
        await wire.until(1)
        task.cancel()

    run(test)


def test_repeats_without_being_told():
    async def test() -> None:
        wire = Wire()
        task = asyncio.create_task(Latest(lambda: "state", wire.send, what="x", repeat=0.001).run())
        await wire.until(3)
        task.cancel()

    run(test)


def test_nothing_to_send():
    async def test() -> None:
        wire = Wire()
        latest = Latest(lambda: None, wire.send, what="x")
        task = asyncio.create_task(latest.run())
        latest.changed()
        await asyncio.sleep(0.01)
        assert wire.sent == []
        task.cancel()

    run(test)


def test_changes_are_published_with_a_growing_serial():
    async def test() -> None:
        wire, state = Wire(), [STATE]
        publisher = Publisher(lambda: state[0], wire.send, apart=0.0)
        task = asyncio.create_task(publisher.run())
        publisher.touch()
        await wire.until(1)
        state[0] = replace(STATE, connected=False, serial=99)
        publisher.touch()
        await wire.until(2)
        assert [decode(payload) for payload in wire.sent] == [
            replace(STATE, serial=1),
            replace(STATE, connected=False, serial=2),
        ]
        task.cancel()

    run(test)


def test_same_state_is_published_only_when_asked_for_or_after_a_while():
    async def test() -> None:
        wire, state = Wire(), [STATE]
        publisher = Publisher(lambda: state[0], wire.send, apart=0.0, repeat=3600.0)
        task = asyncio.create_task(publisher.run())
        publisher.touch()
        await wire.until(1)
        for second in range(5):
            state[0] = replace(STATE, at=f"2024-05-01T10:00:0{second}.000Z")
            publisher.touch()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert len(wire.sent) == 1
        publisher.touch(asked=True)
        await wire.until(2)
        task.cancel()
        quick = Publisher(lambda: STATE, wire.send, apart=0.0, repeat=0.001)
        task = asyncio.create_task(quick.run())
        await wire.until(5)
        task.cancel()

    run(test)


def test_no_more_often_than_told_and_the_last_is_sent():
    async def test() -> None:
        wire, number = Wire(), [0]
        publisher = Publisher(lambda: replace(STATE, queue_length=number[0]), wire.send, apart=0.2)
        task = asyncio.create_task(publisher.run())
        loop = asyncio.get_running_loop()
        start = loop.time()
        while loop.time() - start < 0.1:
            number[0] += 1
            publisher.touch()
            await asyncio.sleep(0.001)
        assert len(wire.sent) == 1
        await wire.until(2)
        assert loop.time() - start >= 0.2
        assert wire.sent[-1]["queue_length"] == number[0]
        task.cancel()

    run(test)


@pytest.mark.parametrize("error", [ValueError("no view"), KeyError("evse")])
def test_view_that_cannot_be_made_stops_nothing(error, caplog):
    async def test() -> None:
        wire, errors = Wire(), [error]

        def make() -> StationLive:
            if errors:
                raise errors.pop()
            return STATE

        publisher = Publisher(make, wire.send, apart=0.0)
        task = asyncio.create_task(publisher.run())
        publisher.touch()
        await asyncio.sleep(0.01)
        publisher.touch()
        await wire.until(1)
        task.cancel()

    run(test)
    assert "cannot be made" in caplog.text
