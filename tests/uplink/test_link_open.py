"""An open WebSocket to the CSMS, against a real server on loopback."""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection
from websockets.frames import Opcode

from station.uplink import link as link_module
from tests.uplink.links import connect, csms, echo, first, idle, run


def test_broken_utf8_and_binary_close_nothing():
    async def hostile(websocket: ServerConnection) -> None:
        await websocket.send(b"\xff\xfe", text=True)
        await websocket.send(b"binary")
        await websocket.send("x" * (2 * 1024 * 1024))
        await echo(websocket)

    async def test() -> None:
        async with csms(hostile) as server:
            link = await connect(server)
            broken, binary, large = await first(link, 3)
            assert (broken, binary, len(large)) == (b"\xff\xfe", b"binary", 2 * 1024 * 1024)
            link.send("still here")
            assert await first(link, 1) == [b"still here"]
            await link.close()

    run(test)


def test_beyond_the_hard_limit_the_connection_closes(monkeypatch):
    monkeypatch.setattr(link_module, "HARD_LIMIT", 100_000)

    async def huge(websocket: ServerConnection) -> None:
        await websocket.send("x" * 100_001)
        await websocket.wait_closed()

    async def test() -> None:
        async with csms(huge) as server:
            link = await connect(server)
            assert [frame async for frame in link.frames()] == []
            assert link.closed_because.startswith("closed by the station with 1009")
            await link.close()

    run(test)


def test_csms_closes():
    async def close(websocket: ServerConnection) -> None:
        await websocket.send("last")
        await websocket.close(1012, "restart\nnow")

    async def test() -> None:
        async with csms(close) as server:
            link = await connect(server)
            assert [frame async for frame in link.frames()] == [b"last"]
            assert link.closed_because == r"closed by the CSMS with 1012: 'restart\nnow'"
            link.send("into the void")
            assert await link.drain(1)
            await link.close()

    run(test)


def test_connection_breaks_off():
    async def drop(websocket: ServerConnection) -> None:
        websocket.transport.abort()

    async def test() -> None:
        async with csms(drop) as server:
            link = await connect(server)
            assert [frame async for frame in link.frames()] == []
            assert link.closed_because == "the connection broke off"

    run(test)


def test_everything_sent_is_written_before_a_close():
    received = []

    async def collect(websocket: ServerConnection) -> None:
        received.extend([message async for message in websocket])
        received.append(websocket.close_code)

    async def test() -> None:
        async with csms(collect) as server:
            link = await connect(server)
            for number in range(50):
                link.send(str(number))
            assert await link.drain(5)
            await link.close(1001, "the station stops")
        assert received == [*map(str, range(50)), 1001]

    run(test)


def test_csms_that_does_not_read_is_left(monkeypatch):
    monkeypatch.setattr(link_module, "UNSENT_LIMIT", 1_000_000)

    async def deaf(websocket: ServerConnection) -> None:
        websocket.transport.pause_reading()
        await websocket.wait_closed()

    async def test() -> None:
        async with csms(deaf) as server:
            link = await connect(server)
            for _ in range(200):
                link.send("x" * 100_000)
                await asyncio.sleep(0)
            assert not await link.drain(0) or link.closed_because
            assert [frame async for frame in link.frames()] == []
            assert link.closed_because == "the CSMS does not read what it is sent"
            for connection in server.connections:
                connection.transport.abort()

    run(test)


def test_pings_by_their_interval():
    async def test() -> None:
        async with csms(idle) as server:
            pinged = asyncio.Event()
            link = await connect(server, ping=0.02)
            connection = next(iter(server.connections))
            original = connection.process_event

            def watch(event) -> None:
                if event.opcode is Opcode.PING:
                    pinged.set()
                original(event)

            connection.process_event = watch
            async with asyncio.timeout(5):
                await pinged.wait()
            await link.close()

    run(test)


def test_interval_of_zero_pings_not():
    async def test() -> None:
        async with csms(idle) as server:
            link = await connect(server, ping=0.0)
            link.send("x")
            await link.drain(1)
            assert link._websocket.pending_pings == {}
            await link.close()

    run(test)


def test_csms_that_answers_no_pings_is_left(monkeypatch):
    monkeypatch.setattr(link_module, "PONG_TIMEOUT", 0.05)

    async def deaf(websocket: ServerConnection) -> None:
        websocket.transport.pause_reading()
        await websocket.wait_closed()

    async def test() -> None:
        async with csms(deaf) as server:
            link = await connect(server, ping=0.02)
            assert [frame async for frame in link.frames()] == []
            assert link.closed_because == "the CSMS does not answer pings"
            for connection in server.connections:
                connection.transport.abort()

    run(test)
