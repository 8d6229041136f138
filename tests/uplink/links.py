"""A WebSocket server on loopback and the station's link to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from station.domain.certificates import TlsMaterial
from station.domain.network import NetworkProfile
from station.uplink.link import Link, LinkRefused, open_link

PASSWORD = "a-password-of-20-let"
Handler = Callable[[ServerConnection], Awaitable[None]]


async def echo(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message)


async def idle(websocket: ServerConnection) -> None:
    await websocket.wait_closed()


@asynccontextmanager
async def csms(handler: Handler = echo, **options) -> AsyncIterator[Server]:
    options = {"subprotocols": ["ocpp2.0.1"], "close_timeout": 1, **options}
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        yield server


def port(server: Server) -> int:
    return server.sockets[0].getsockname()[1]


async def connect(
    server: Server,
    certificates: TlsMaterial = TlsMaterial(()),  # noqa: B008 - frozen
    *,
    keys: Path = Path("none"),
    profile: int = 1,
    host: str = "127.0.0.1",
    scheme: str = "",
    identity: str = "CS 1",
    password: str = "",
    ping: float = 0.0,
) -> Link:
    scheme = scheme or ("wss" if profile > 1 else "ws")
    target = NetworkProfile(1, f"{scheme}://{host}:{port(server)}/ocpp", profile)
    return await open_link(target, identity, password, certificates, keys, lambda: ping)


async def refusal(server: Server, *arguments, **options) -> str:
    with pytest.raises(LinkRefused) as caught:
        await connect(server, *arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def first(link: Link, count: int) -> list[bytes]:
    frames = []
    async for frame in link.frames():
        frames.append(frame)
        if len(frames) == count:
            break
    return frames


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(test())
