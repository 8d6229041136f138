"""One WebSocket to the CSMS, from the upgrade to its close (part 4, chapter 3; A00)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

import station
from station.domain.certificates import TlsMaterial
from station.domain.network import FailureCause, NetworkProfile, flaw_of_scheme
from station.uplink.configuration import connection_url
from station.uplink.failures import LinkRefused, refusal
from station.uplink.tls import DEFAULT_POLICY, ClientContext, TlsPolicy, check_peer, client_context

__all__ = ["GOING_AWAY", "NORMAL", "SUBPROTOCOL", "Link", "LinkRefused", "open_link"]

SUBPROTOCOL = Subprotocol("ocpp2.0.1")
USER_AGENT = f"station/{station.__version__} ({SUBPROTOCOL})"

OPEN_TIMEOUT = 15.0  # s for name, TCP, TLS and upgrade together
CLOSE_TIMEOUT = 2.0  # s for the CSMS to answer a close frame
PONG_TIMEOUT = 20.0  # s
PING_CHECK = 5.0  # s between two looks at an interval that is 0
HARD_LIMIT = 16 * 1024 * 1024  # bytes of a message; beyond it the connection closes with 1009
FRAMES_AHEAD = 4  # received messages held before the socket is no longer read
UNSENT_LIMIT = 4 * 1024 * 1024  # characters; a CSMS that does not read is as good as gone

NORMAL, GOING_AWAY = 1000, 1001  # RFC 6455, section 7.4.1


class Link:
    """An open WebSocket that speaks ocpp2.0.1. Made by ``open_link``."""

    def __init__(self, websocket: ClientConnection, ping_interval: Callable[[], float]) -> None:
        self._websocket = websocket
        self._ping_interval = ping_interval
        self._unsent: asyncio.Queue[str] = asyncio.Queue()
        self._unsent_size = 0
        self._failure = ""
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._keep_alive())]

    def send(self, frame: str) -> None:
        """Put a frame on the wire after those before it; returns at once. On a closed link it is dropped."""
        if self._unsent_size > UNSENT_LIMIT:
            self._abandon("the CSMS does not read what it is sent")
            return
        self._unsent_size += len(frame)
        self._unsent.put_nowait(frame)

    async def frames(self) -> AsyncIterator[bytes]:
        """What the CSMS sends, one message after the other, until the link is closed.

        Bytes also where it is text, so that broken UTF-8 is the RPC layer's to answer and closes nothing.
        """
        try:
            while True:
                yield await self._websocket.recv(decode=False)
        except ConnectionClosed as closed:
            self._failure = self._failure or _close_in_words(closed)

    async def drain(self, timeout: float) -> bool:  # noqa: ASYNC109 - it is the whole purpose
        """Wait until all that was given to ``send`` is written; False where ``timeout`` seconds do not suffice."""
        try:
            async with asyncio.timeout(timeout):
                await self._unsent.join()
        except TimeoutError:
            return False
        return True

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close properly, within ``CLOSE_TIMEOUT``; a link that is closed already is left as it is."""
        await self._websocket.close(code, reason)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def closed_because(self) -> str:
        """Why the link is closed, for a person; known once ``frames`` has ended."""
        return self._failure

    async def _write(self) -> None:
        while True:
            frame = await self._unsent.get()
            try:
                await self._websocket.send(frame)
            except ConnectionClosed:
                pass  # ``frames`` ends by itself; what waits is dropped, so that ``drain`` ends too
            finally:
                self._unsent_size -= len(frame)
                self._unsent.task_done()

    async def _keep_alive(self) -> None:
        """Ping by WebSocketPingInterval, which may change at any time (part 4, section 8.4)."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            interval = self._ping_interval()
            due = last + interval - loop.time()
            if interval <= 0 or due > 0:
                await asyncio.sleep(min(PING_CHECK, due) if interval > 0 else PING_CHECK)
                continue
            last = loop.time()
            try:
                pong = await self._websocket.ping()
                async with asyncio.timeout(PONG_TIMEOUT):
                    await pong
            except TimeoutError:
                self._abandon("the CSMS does not answer pings")
                return
            except ConnectionClosed:
                return

    def _abandon(self, why: str) -> None:
        self._failure = self._failure or why
        self._websocket.transport.abort()


async def open_link(
    profile: NetworkProfile,
    identity: str,
    password: str,
    material: TlsMaterial,
    keys: Path,
    ping_interval: Callable[[], float],
    policy: TlsPolicy = DEFAULT_POLICY,
) -> Link:
    """Connect by a network profile; raises LinkRefused.

    ``password`` is sent with security profiles 1 and 2 unless it is empty; ``material`` and ``keys`` (the folder of
    private keys) are for TLS; ``ping_interval`` is asked for the seconds between two pings while the link is open.
    """
    context = None
    try:
        _check(profile, identity)
        host = urlsplit(profile.csms_url).hostname or ""
        context = client_context(profile.security_profile, material, keys, host, policy)
        options = _options(profile, identity, password, context)
        websocket = await _Connect(connection_url(profile.csms_url, identity), host, policy, **options)
    except Exception as error:
        raise refusal(error, context, OPEN_TIMEOUT) from error
    if websocket.subprotocol != SUBPROTOCOL:
        # Part 4, section 3.2: such a CSMS should close by itself; some do not.
        await websocket.close(NORMAL, "ocpp2.0.1 is needed")
        raise LinkRefused(
            "the CSMS accepts the connection, but not the subprotocol ocpp2.0.1", FailureCause.SUBPROTOCOL
        )
    return Link(websocket, ping_interval)


class _Connect(connect):
    """Looks at who is there before it says who it is."""

    def __init__(self, url: str, host: str, policy: TlsPolicy, **options: Any) -> None:
        super().__init__(url, **options)
        self._host = host
        self._policy = policy

    async def open_tcp_connection(self) -> ClientConnection:
        connection = await super().open_tcp_connection()
        handshake = connection.transport.get_extra_info("ssl_object")
        if handshake is not None:
            try:
                await check_peer(handshake, self._host, self._policy)
            except BaseException:
                connection.transport.abort()
                raise
        return connection

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc  # where the CSMS is, the network profile alone says


def _check(profile: NetworkProfile, identity: str) -> None:
    if not identity:
        raise LinkRefused("the station has no identity yet (SecurityCtrlr.Identity)")
    if flaw := flaw_of_scheme(profile.csms_url, profile.security_profile):
        raise LinkRefused(flaw)


def _options(profile: NetworkProfile, identity: str, password: str, context: ClientContext | None) -> dict[str, Any]:
    options: dict[str, Any] = {
        "subprotocols": [SUBPROTOCOL],
        "compression": None,  # its memory per connection is worth more here than the bytes saved
        "user_agent_header": USER_AGENT,
        "proxy": None,  # nothing in the environment may lead the station elsewhere
        "open_timeout": OPEN_TIMEOUT,
        "ping_interval": None,  # Link pings by itself
        "close_timeout": CLOSE_TIMEOUT,
        "max_size": HARD_LIMIT,
        "max_queue": FRAMES_AHEAD,
    }
    if password and profile.security_profile <= 2:
        # A00.FR.204 to .206, .303 to .305
        credentials = base64.b64encode(f"{identity}:{password}".encode()).decode()
        options["additional_headers"] = {"Authorization": f"Basic {credentials}"}
    if context is not None:
        options["ssl"] = context
    return options


def _close_in_words(closed: ConnectionClosed) -> str:
    for close, who in ((closed.rcvd, "the CSMS"), (closed.sent, "the station")):
        if close is not None:
            return f"closed by {who} with {close.code}{f': {close.reason[:100]!a}' if close.reason else ''}"
    return "the connection broke off"
