"""Long answers wait for the line: seen from both sides, Daphne's and Twisted's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from station.project import pacing
from station.project.pacing import Gate, Paced

START = {"type": "http.response.start", "status": 200}
MORE = {"type": "http.response.body", "body": b"x", "more_body": True}
LAST = {"type": "http.response.body", "body": b""}


class Channel:
    aborted = False

    def forceAbortClient(self) -> None:
        self.aborted = True


class Line:
    """As Daphne's protocol."""

    def __init__(self) -> None:
        self.channel: Channel | None = Channel()
        self.producer: Gate | None = None
        self.request_start = 0.0
        self.sent: list[Any] = []

    def registerProducer(self, producer: Gate, streaming: bool) -> None:
        assert streaming
        assert self.producer is None
        self.producer = producer

    def unregisterProducer(self) -> None:
        assert self.producer is not None
        self.producer = None


class Daphne:
    def __init__(self, line: Line) -> None:
        self.connections = {line: {"connected": 1.0}}

    async def handle_reply(self, protocol: Line, message: dict[str, Any]) -> None:
        if message is LAST:
            assert protocol.producer is None, "Twisted wants it unregistered at the end"
        protocol.sent.append(message)


class Server(Paced, Daphne):
    pass


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "LOOK", 0.01)


def run(work: Any) -> None:
    async def play() -> None:
        line = Line()
        async with asyncio.timeout(10):
            await work(line, Server(line))

    asyncio.run(play())


def test_the_application_waits_for_the_line() -> None:
    async def work(line: Line, server: Server) -> None:
        await server.handle_reply(line, START)
        await server.handle_reply(line, MORE)
        assert line.producer is not None
        line.producer.pauseProducing()
        waiting = asyncio.ensure_future(server.handle_reply(line, MORE))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        line.request_start = 0.0
        line.producer.resumeProducing()
        await waiting
        assert line.request_start > 0  # the limit begins anew
        await server.handle_reply(line, LAST)
        assert line.sent == [START, MORE, MORE, LAST]

    run(work)


def test_a_line_that_stands_still_is_cut_and_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "STALLED", 0.05)

    async def work(line: Line, server: Server) -> None:
        await server.handle_reply(line, MORE)
        assert line.producer is not None
        line.producer.pauseProducing()
        await server.handle_reply(line, MORE)
        assert line.channel is not None
        assert line.channel.aborted

    run(work)


def test_nobody_waits_for_a_reader_who_has_gone() -> None:
    async def work(line: Line, server: Server) -> None:
        await server.handle_reply(line, MORE)
        assert line.producer is not None
        line.producer.pauseProducing()
        waiting = asyncio.ensure_future(server.handle_reply(line, MORE))
        await asyncio.sleep(0.02)
        server.connections[line]["disconnected"] = 1.0
        await waiting
        line.channel = line.producer = None  # as Twisted leaves it
        await server.handle_reply(line, LAST)

    run(work)


def test_short_answers_need_no_gate() -> None:
    async def work(line: Line, server: Server) -> None:
        await server.handle_reply(line, START)
        await server.handle_reply(line, LAST)
        assert line.producer is None

    run(work)
