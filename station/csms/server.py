"""The demonstration CSMS: WebSocket server for stations, and its own record of transactions over read-only HTTP."""

from __future__ import annotations

import hmac
import json
import logging
import re
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import InvalidHeader
from websockets.headers import parse_authorization_basic
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from station.csms import answers
from station.csms.frames import CallFrame, ErrorFrame, Frame, ResultFrame, request_flaw
from station.csms.narration import event_sentence, plain, sentence
from station.csms.record import Record
from station.csms.session import Session
from station.ocpp.schemas import known

log = logging.getLogger(__name__)

SUBPROTOCOL = Subprotocol("ocpp2.0.1")
IDENTITY = re.compile(r"[A-Za-z0-9*\-_=:+|@.]{1,48}")  # identifierString (part 4, 3.1.1)
MOST_STATIONS = 50
LARGEST_MESSAGE = 1024 * 1024  # bytes


class Csms:
    """A CSMS that believes every card. ``password``: what stations must send by HTTP Basic, with their identity."""

    def __init__(self, folder: Path | None = None, *, password: str | None = None) -> None:
        self.record = Record(folder)
        self.password = password
        self.sessions: dict[str, Session] = {}

    async def listen(self, *, tls: ssl.SSLContext | None = None, **where: Any) -> Server:
        """Serve on ``sock`` or on ``host`` and ``port``, as ``loop.create_server`` takes them. Raises OSError."""
        return await serve(
            self._serve_station,
            subprotocols=[SUBPROTOCOL],
            select_subprotocol=self._select_subprotocol,
            process_request=self._admit,
            compression=None,
            max_size=LARGEST_MESSAGE,
            close_timeout=2,
            ssl=tls,
            **where,
        )

    # ------------------------------------------------------------------ what a station's call leads to

    async def respond(self, session: Session, call: CallFrame) -> Frame | None:
        """The answer to a CALL: a CALLERROR by part 4, table 8, or the CALLRESULT of ``accept``."""
        if not known(call.action):
            return ErrorFrame(call.message_id, "NotImplemented", f"unknown action {call.action}")
        flawed = request_flaw(call.action, call.payload)
        if flawed is not None:
            log.warning("%s sent a bad %s: %s", plain(session.station), call.action, plain(flawed[1], 200))
            return ErrorFrame(call.message_id, *flawed)
        return await self.accept(session, call)

    async def accept(self, session: Session, call: CallFrame) -> Frame | None:
        """The answer to a CALL that is valid against its schema."""
        now = datetime.now(UTC)
        result = answers.answer(call.action, call.payload, now)
        if result is None:
            return ErrorFrame(call.message_id, "NotSupported", f"{call.action} is not for a CSMS to answer")
        if call.action == "TransactionEvent":
            self._enter(session.station, call, now)
        elif words := sentence(session.station, call.action, call.payload):
            log.info(words)
        return ResultFrame(call.message_id, result)

    def watch(self, session: Session, direction: str, text: str) -> None:
        """Hears every frame; the demonstration has no use for it."""

    def _enter(self, station: str, call: CallFrame, now: datetime) -> None:
        account, new = self.record.take(station, call.payload, now)
        if new and (words := event_sentence(account, call.payload)):
            log.info(words)

    # ------------------------------------------------------------------ connections

    async def _serve_station(self, connection: ServerConnection) -> None:
        if connection.subprotocol != SUBPROTOCOL or connection.request is None:
            await connection.close(1002, "ocpp2.0.1 is spoken here")  # part 4, 3.2
            return
        station = _identity(connection.request.path)
        session = Session(connection, station, self.respond, self.watch)
        before, self.sessions[station] = self.sessions.get(station), session
        if before is not None:
            await before.connection.close(1000, "the station connected anew")
        log.info("%s connected", plain(station))
        try:
            await session.run()
        finally:
            if self.sessions.get(station) is session:
                del self.sessions[station]
                log.info("%s disconnected", plain(station))
            session.ended.set()

    @staticmethod
    def _select_subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        # Part 4, 3.2: without agreement the handshake is completed and the connection closed at once.
        return SUBPROTOCOL if SUBPROTOCOL in offered else None

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" not in request.headers:
            return self._read(connection, request)
        station = _identity(request.path)
        if not IDENTITY.fullmatch(station):
            return connection.respond(HTTPStatus.NOT_FOUND, "The last part of the path is no identity of a station.\n")
        if not self._may_enter(request, station):
            log.warning("%s was turned away: wrong user or password", plain(station))
            return _unauthorized(connection)
        if len(self.sessions) >= MOST_STATIONS and station not in self.sessions:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Too many stations.\n")
        return None

    def _may_enter(self, request: Request, station: str | None) -> bool:
        if self.password is None:
            return True
        try:
            user, password = parse_authorization_basic(request.headers["Authorization"])
        except (KeyError, ValueError, InvalidHeader):
            return False
        known = station is None or hmac.compare_digest(user.encode(), station.encode())
        return hmac.compare_digest(password.encode(), self.password.encode()) and known

    # ------------------------------------------------------------------ the record over HTTP

    def _read(self, connection: ServerConnection, request: Request) -> Response:
        """``/transactions``: all summaries, oldest first; ``/transactions/<id>``: one with its events by seqNo."""
        if not self._may_enter(request, None):
            return _unauthorized(connection)
        match [unquote(step) for step in urlsplit(request.path).path.split("/")]:
            case ["", "transactions"]:
                summaries = [account.summary() for account in self.record.ledger.accounts()]
                return _json(connection, HTTPStatus.OK, summaries)
            case ["", "transactions", transaction_id]:
                account = self.record.ledger.get(transaction_id)
                if account is not None:
                    return _json(connection, HTTPStatus.OK, {**account.summary(), "eventList": account.in_order})
        return _json(connection, HTTPStatus.NOT_FOUND, {"error": "no such transaction or page"})


def _identity(path: str) -> str:
    return unquote(urlsplit(path).path.rpartition("/")[2])


def _unauthorized(connection: ServerConnection) -> Response:
    response = connection.respond(HTTPStatus.UNAUTHORIZED, "User or password is wrong.\n")
    response.headers["WWW-Authenticate"] = 'Basic realm="CSMS"'
    return response


def _json(connection: ServerConnection, status: HTTPStatus, body: Any) -> Response:
    response = connection.respond(status, json.dumps(body))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response
