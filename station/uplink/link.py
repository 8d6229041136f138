"""One WebSocket to the CSMS, from the upgrade to its close (part 4, chapter 3; A00)."""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    NegotiationError,
)
from websockets.typing import Subprotocol

import station
from station.domain.certificates import TlsMaterial
from station.domain.network import NetworkProfile
from station.uplink.configuration import connection_url
from station.uplink.tls import TlsUnusable, client_context

log = logging.getLogger(__name__)

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

_IN_WORDS = {
    401: "identity or password is not accepted",
    403: "the CSMS forbids this station to connect",
    404: "the CSMS does not know this station's identity, or the path of its URL is wrong",
    429: "the CSMS asks for fewer attempts",
    503: "the CSMS is not available",
}


class LinkRefused(Exception):
    """No connection came about. The text is one line for a person; it never holds the password."""


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
) -> Link:
    """Connect by a network profile; raises LinkRefused.

    ``password`` is sent with security profiles 1 and 2 unless it is empty; ``material`` and ``keys`` (the folder of
    private keys) are for TLS; ``ping_interval`` is asked for the seconds between two pings while the link is open.
    """
    try:
        options = _options(profile, identity, password, material, keys)
        websocket = await _Connect(connection_url(profile.csms_url, identity), **options)
    except LinkRefused:
        raise
    except Exception as error:
        raise LinkRefused(_in_words(error)) from error
    if websocket.subprotocol != SUBPROTOCOL:
        # Part 4, section 3.2: such a CSMS should close by itself; some do not.
        await websocket.close(NORMAL, "ocpp2.0.1 is needed")
        raise LinkRefused("the CSMS accepts the connection, but not the subprotocol ocpp2.0.1")
    return Link(websocket, ping_interval)


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc  # where the CSMS is, the network profile alone says


def _options(
    profile: NetworkProfile, identity: str, password: str, material: TlsMaterial, keys: Path
) -> dict[str, Any]:
    if not identity:
        raise LinkRefused("the station has no identity yet (SecurityCtrlr.Identity)")
    secure = profile.csms_url.lower().startswith("wss:")
    if secure != (profile.security_profile >= 2):
        raise LinkRefused(
            f"security profile {profile.security_profile} does not go with a {'wss' if secure else 'ws'}:// URL"
        )
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
    context = client_context(profile.security_profile, material, keys)
    if context is not None:
        options["ssl"] = context
    return options


def _in_words(error: Exception) -> str:
    match error:
        case TlsUnusable():
            return str(error)
        case InvalidStatus():
            return _status_in_words(error.response.status_code)
        case NegotiationError():
            return f"the CSMS chose what was not offered: {error}"
        case InvalidMessage() | InvalidHandshake():
            return f"the CSMS does not answer as a WebSocket server: {error}"
        case InvalidURI():
            return f"the CSMS's URL cannot be used: {error}"
        case ssl.SSLCertVerificationError():
            return f"the CSMS's certificate is not accepted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS with the CSMS fails: {error.reason or error}"
        case TimeoutError():
            return f"the CSMS does not answer within {OPEN_TIMEOUT:g} s"
        case ConnectionError() if not error.strerror:
            return "the CSMS breaks the connection off (where it is wss://: it may not speak TLS 1.2 or above)"
        case OSError():
            return f"the CSMS cannot be reached: {error.strerror or error}"
        case EOFError():
            return "the CSMS closes the connection without an answer"
        case _:
            log.error("connecting failed in an unforeseen way", exc_info=error)
            return f"connecting failed: {type(error).__name__}"


def _close_in_words(closed: ConnectionClosed) -> str:
    for close, who in ((closed.rcvd, "the CSMS"), (closed.sent, "the station")):
        if close is not None:
            return f"closed by {who} with {close.code}{f': {close.reason[:100]!a}' if close.reason else ''}"
    return "the connection broke off"


def _status_in_words(status: int) -> str:
    if 300 <= status < 400:
        return f"HTTP {status}: the CSMS points to another address, which is not followed"
    return f"HTTP {status}: {_IN_WORDS.get(status, 'the CSMS refuses the connection')}"
