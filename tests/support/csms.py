"""A CSMS that tests script: the demonstration's own core, with every frame on record and every answer replaceable.

It runs on a thread of its own; the test speaks to it in plain calls.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from station.csms.frames import CALL, CallFrame, ErrorFrame, Frame, ResultFrame, request_flaw, response_flaw
from station.csms.ledger import Account, Ledger
from station.csms.server import Csms
from station.csms.session import CallError, Session
from tests.support.ports import free_port
from tests.support.waiting import wait_until

__all__ = ["SILENCE", "CallError", "Delay", "Recorded", "Refuse", "ScriptedCsms"]

T = TypeVar("T")
Payload: TypeAlias = Mapping[str, Any]


class _Silence:
    """No answer at all."""


SILENCE = _Silence()


@dataclass(frozen=True)
class Refuse:
    """Answer with a CALLERROR."""

    code: str = "InternalError"
    description: str = ""


@dataclass(frozen=True)
class Delay:
    """Answer after ``seconds``, with ``then`` (None: as by default)."""

    seconds: float
    then: Any = None


@dataclass(frozen=True)
class Recorded:
    """One frame. ``at`` is monotonic, ``direction`` ``in`` (from the station) or ``out``, ``frame`` None: no JSON."""

    at: float
    station: str
    direction: str
    text: str
    frame: Any

    @property
    def is_call(self) -> bool:
        return isinstance(self.frame, list) and len(self.frame) == 4 and self.frame[0] == CALL

    @property
    def action(self) -> str | None:
        return self.frame[2] if self.is_call else None

    @property
    def payload(self) -> Any:
        return self.frame[3]


@dataclass(frozen=True)
class Upgrade:
    """What a station asked for, and over what: ``client`` is its certificate in DER."""

    at: float  # monotonic
    path: str
    authorization: str | None
    version: str | None = None
    suites: frozenset[str] = frozenset()
    client: bytes | None = None


def _upgrade(connection: ServerConnection, request: Request) -> Upgrade:
    told = time.monotonic(), request.path, request.headers.get("Authorization")
    secured = connection.transport.get_extra_info("ssl_object")
    if secured is None:
        return Upgrade(*told)
    suites = frozenset(name for name, _, _ in secured.shared_ciphers() or ())
    return Upgrade(*told, secured.version(), suites, secured.getpeercert(binary_form=True))


class _Outspoken(ssl.SSLObject):
    """Says why it refuses: asyncio would drop the connection with the alert unsent, as no server in the field does."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            raise ssl.SSLWantReadError from error  # the alert goes out, and the peer will leave


class ScriptedCsms:
    """A CSMS on loopback.

    ``on(action, answer)`` replaces an answer. An answer is a payload (dict), ``Refuse``, ``SILENCE``, ``Delay``, or
    a callable that gets the request's payload and returns one of these, or None for the default. Every answer but
    the default is validated too, so that a test cannot blame the station for its own mistake.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        folder: Path | None = None,
    ) -> None:
        self.port = port or free_port()
        self._tls = tls
        self._news = threading.Condition()
        self._records: list[Recorded] = []
        self._answers: dict[str, Any] = {}
        self.connections = 0  # how many there were
        self.turning_away = False  # answer every attempt to connect with 503
        self.attempts: list[tuple[float, bool]] = []  # monotonic; accepted or turned away
        self.upgrades: list[Upgrade] = []
        self._core = _Core(self, folder, password)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scripted CSMS", daemon=True)
        self._server: Any = None

    # ------------------------------------------------------------------ life

    def __enter__(self) -> ScriptedCsms:
        self._thread.start()
        self.accept()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        """What goes into ``--csms-url``; the station appends its identity."""
        return f"{'wss' if self._tls else 'ws'}://127.0.0.1:{self.port}/ocpp"

    @property
    def ledger(self) -> Ledger:
        return self._core.record.ledger

    @property
    def password(self) -> str | None:
        return self._core.password

    @password.setter
    def password(self, password: str | None) -> None:
        self._core.password = password

    # ------------------------------------------------------------------ what it does

    def on(self, action: str, answer: Any) -> None:
        """From now on answer ``action`` with ``answer`` (see the class)."""
        self._answers[action] = answer

    def default(self, *actions: str) -> None:
        """Answer ``actions`` as by default again; all of them where none is named."""
        for action in actions or tuple(self._answers):
            self._answers.pop(action, None)

    def call(
        self, action: str, payload: Payload | None = None, *, station: str | None = None, timeout: float = 30
    ) -> Any:
        """Call the station and return its answer. Raises CallError for a CALLERROR, TimeoutError for none.

        The request is validated unless it is meant to be wrong: then use ``send``.
        """
        flawed = request_flaw(action, payload or {})
        assert flawed is None, f"the test's own {action} is wrong: {flawed}"
        session = self._session(station)
        return self._run(session.call(action, payload or {}, timeout), timeout + 5)

    def send(self, text: str | list[Any] | bytes, *, station: str | None = None) -> None:
        """Put a text (or what JSON makes of a list, or bytes) on the wire as it is."""
        session = self._session(station)
        if isinstance(text, bytes):
            self._run(session.connection.send(text), 10)
        else:
            self._run(session.send(text if isinstance(text, str) else json.dumps(text)), 10)

    def drop(self) -> None:
        """Cut every connection as a broken line would: no closing handshake. The station may come back at once."""
        self._run(self._abort(), 10)

    def refuse(self) -> None:
        """Cut every connection and stop listening: a station is refused until ``accept``."""
        if self._server is not None:
            self._run(self._close(), 10)

    def restart(self, tls: ssl.SSLContext | None) -> None:
        """Cut every connection and listen again on the same port, with other TLS or none."""
        self.refuse()
        self._tls = tls
        self.accept()

    def accept(self) -> None:
        """Listen again, on the same port."""
        if self._tls is not None:
            self._tls.sslobject_class = _Outspoken
        if self._server is None:
            self._server = self._run(self._core.listen(tls=self._tls, host="127.0.0.1", port=self.port), 10)

    # ------------------------------------------------------------------ what it saw

    def mark(self) -> int:
        """A place in the record, for ``since``."""
        with self._news:
            return len(self._records)

    def frames(self, since: int = 0) -> list[Recorded]:
        """Every frame since ``since``, both ways, in order."""
        with self._news:
            return self._records[since:]

    def requests(self, action: str, since: int = 0) -> list[dict[str, Any]]:
        """The payloads of the station's CALLs of ``action``, in order; what it sent twice is there twice."""
        return [frame.payload for frame in self.frames(since) if frame.direction == "in" and frame.action == action]

    def wait_for(
        self,
        action: str,
        predicate: Callable[[dict[str, Any]], object] = lambda payload: True,
        timeout: float = 15,
        since: int = 0,
    ) -> dict[str, Any]:
        """The first request of ``action`` since ``since`` that satisfies ``predicate``; waits for it if need be."""
        frame = self.wait_for_frame(
            lambda frame: frame.direction == "in" and frame.action == action and bool(predicate(frame.payload)),
            f"a {action} as expected",
            timeout,
            since,
        )
        payload: dict[str, Any] = frame.payload
        return payload

    def wait_for_frame(
        self, predicate: Callable[[Recorded], bool], what: str = "a frame", timeout: float = 15, since: int = 0
    ) -> Recorded:
        """The first frame since ``since`` that satisfies ``predicate``; AssertionError with what came instead."""
        end = time.monotonic() + timeout
        place = since
        with self._news:
            while True:
                for frame in self._records[place:]:
                    place += 1
                    if predicate(frame):
                        return frame
                if not self._news.wait(end - time.monotonic()) and time.monotonic() >= end:
                    seen = "\n".join(
                        f"  {frame.direction:3} {frame.text[:300]}" for frame in self._records[since:][-30:]
                    )
                    raise AssertionError(f"{what}: not within {timeout} s. Seen:\n{seen or '  nothing'}")

    def wait_connected(self, timeout: float = 15, station: str | None = None) -> None:
        """Return once the station has a connection."""
        wait_until(lambda: station in self._core.sessions if station else self._core.sessions, "connected", timeout)

    @property
    def connected(self) -> bool:
        return bool(self._core.sessions)

    def wait_connected_anew(self, before: object, timeout: float = 15) -> None:
        """Return once the station has another connection than ``before``, which is ``session`` of then."""
        wait_until(lambda: self.connected and self.session is not before, "connected anew", timeout)

    @property
    def session(self) -> Session:
        """The only station's connection of now."""
        return self._session(None)

    def account(self, transaction_id: str) -> Account:
        """The CSMS's record of a transaction; AssertionError where it has none."""
        account = self.ledger.get(transaction_id)
        assert account is not None, f"the CSMS knows no transaction {transaction_id}"
        return account

    def overlaps(self) -> list[str]:
        """Ids of the station's CALLs that it sent while an earlier one on the same line was unanswered.

        Meaningful only where every call was answered (part 4, 4.1.1).
        """
        overlapping: list[str] = []
        waiting: set[str] = set()
        for frame in self.frames():
            if not isinstance(frame.frame, list) or len(frame.frame) < 2:
                continue
            if frame.direction == "in" and frame.is_call:
                if waiting:
                    overlapping.append(frame.frame[1])
                waiting.add(frame.frame[1])
                if frame.action == "BootNotification":
                    waiting = {frame.frame[1]}
            elif frame.direction == "out" and not frame.is_call:
                waiting.discard(frame.frame[1])
        return overlapping

    # ------------------------------------------------------------------ inside

    def _session(self, station: str | None) -> Session:
        sessions = self._core.sessions
        assert sessions, "no station is connected"
        return sessions[station] if station else next(iter(sessions.values()))

    def _run(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout)

    async def _abort(self) -> None:
        sessions = list(self._core.sessions.values())
        for session in sessions:
            session.connection.transport.abort()
        await asyncio.gather(*(session.connection.wait_closed() for session in sessions))
        await asyncio.gather(*(session.ended.wait() for session in sessions))

    async def _close(self) -> None:
        server, self._server = self._server, None
        server.close(close_connections=False)
        await self._abort()
        await server.wait_closed()

    def note(self, session: Session, direction: str, text: str) -> None:
        """A frame came or goes; called on the CSMS's thread."""
        came = time.monotonic()
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            frame = None
        with self._news:
            at = came if direction == "in" else time.monotonic()  # both nearest to the wire
            self._records.append(Recorded(at, session.station, direction, text, frame))
            self._news.notify_all()

    def scripted(self, action: str) -> Any:
        """The answer set for ``action``, or None."""
        return self._answers.get(action)


class _Core(Csms):
    """The demonstration CSMS, asking the script first."""

    def __init__(self, script: ScriptedCsms, folder: Path | None, password: str | None) -> None:
        super().__init__(folder, password=password)
        self._script = script

    async def _serve_station(self, connection: ServerConnection) -> None:
        self._script.connections += 1
        await super()._serve_station(connection)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" not in request.headers:
            return super()._admit(connection, request)
        self._script.upgrades.append(_upgrade(connection, request))
        if self._script.turning_away:
            refused = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Turned away by the test.\n")
        else:
            refused = super()._admit(connection, request)
        self._script.attempts.append((time.monotonic(), refused is None))
        return refused

    def watch(self, session: Session, direction: str, text: str) -> None:
        self._script.note(session, direction, text)

    async def accept(self, session: Session, call: CallFrame) -> Frame | None:
        answer = self._script.scripted(call.action)
        while answer is not None:
            if callable(answer):
                answer = answer(call.payload)
            elif isinstance(answer, Delay):
                await asyncio.sleep(answer.seconds)
                answer = answer.then
            elif answer is SILENCE:
                return None
            elif isinstance(answer, Refuse):
                return ErrorFrame(call.message_id, answer.code, answer.description)
            else:
                assert response_flaw(call.action, answer) is None, f"the test's answer is wrong: {answer}"
                await super().accept(session, call)  # so that the ledger has it
                return ResultFrame(call.message_id, answer)
        return await super().accept(session, call)
