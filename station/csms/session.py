"""One station's connection: its calls answered in turn, and calls to it, one in flight each way (part 4, 4.1.1)."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from station.csms.frames import (
    CallFrame,
    Defect,
    ErrorFrame,
    Frame,
    ResultFrame,
    parse,
    response_flaw,
    text_of,
)
from station.csms.narration import plain

log = logging.getLogger(__name__)

Payload: TypeAlias = Mapping[str, Any]
WAITING_CALLS = 32  # a station that does not wait for answers is held up here, not in our memory


class CallError(Exception):
    """A call to the station came to nothing; ``code`` is the CALLERROR's, or ``InvalidAnswer`` for a bad result."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description


class Session:
    """Runs one connection until it closes. ``respond`` answers a valid-or-not CALL; None stays silent.

    ``watch`` hears every text that comes (``"in"``) and goes (``"out"``).
    """

    def __init__(
        self,
        connection: ServerConnection,
        station: str,
        respond: Callable[[Session, CallFrame], Awaitable[Frame | None]],
        watch: Callable[[Session, str, str], None],
    ) -> None:
        self.connection = connection
        self.station = station
        self.ended = asyncio.Event()  # set once nothing of this connection is left
        self._respond = respond
        self._watch = watch
        self._calls: asyncio.Queue[CallFrame] = asyncio.Queue(WAITING_CALLS)
        self._turn = asyncio.Lock()
        self._awaited: dict[str, asyncio.Future[ResultFrame | ErrorFrame]] = {}

    async def run(self) -> None:
        """Read until the connection closes; raises nothing for whatever the station sends."""
        answering = asyncio.create_task(self._answer_calls())
        try:
            async for message in self.connection:
                # Bytes are no OCPP-J, but their text may still be read: the answer then says what is wrong.
                await self._receive(message if isinstance(message, str) else message.decode(errors="replace"))
        except ConnectionClosed:
            pass
        finally:
            answering.cancel()
            for future in self._awaited.values():
                if not future.done():
                    future.set_result(ErrorFrame("", "LinkDown", "the connection closed before the answer"))

    async def call(self, action: str, payload: Payload, timeout: float = 30) -> Payload:  # noqa: ASYNC109 - of the call
        """The station's answer. Raises CallError, TimeoutError, or ConnectionClosed."""
        message_id = str(uuid.uuid4())
        future: asyncio.Future[ResultFrame | ErrorFrame] = asyncio.get_running_loop().create_future()
        async with self._turn:
            self._awaited[message_id] = future
            try:
                await self.send(text_of(CallFrame(message_id, action, payload)))
                answer = await asyncio.wait_for(future, timeout)
            finally:
                del self._awaited[message_id]
        if isinstance(answer, ErrorFrame):
            raise CallError(answer.code, answer.description)
        flawed = response_flaw(action, answer.payload)
        if flawed is not None:
            raise CallError("InvalidAnswer", flawed[1])
        return answer.payload

    async def send(self, text: str) -> None:
        """Put ``text`` on the wire, whatever it says. Raises ConnectionClosed."""
        self._watch(self, "out", text)
        await self.connection.send(text)

    # ------------------------------------------------------------------ receiving

    async def _receive(self, text: str) -> None:
        self._watch(self, "in", text)
        match parse(text):
            case CallFrame() as call:
                await self._calls.put(call)
            case ResultFrame() | ErrorFrame() as answer:
                self._answered(answer)
            case Defect(message_id, code, description, answerable):
                log.warning("%s sent a frame that is none: %s", plain(self.station), plain(description))
                if answerable:
                    await self.send(text_of(ErrorFrame(message_id, code, description)))

    def _answered(self, answer: ResultFrame | ErrorFrame) -> None:
        future = self._awaited.get(answer.message_id)
        if future is None or future.done():
            log.info("%s sent an answer that nobody waits for.", plain(self.station))
        else:
            future.set_result(answer)

    async def _answer_calls(self) -> None:
        while True:
            call = await self._calls.get()
            try:
                answer = await self._respond(self, call)
            except Exception:
                log.exception("A %s of %s could not be answered", plain(call.action), plain(self.station))
                answer = ErrorFrame(call.message_id, "InternalError", "the request could not be processed")
            if answer is not None:
                try:
                    await self.send(text_of(answer))
                except ConnectionClosed:
                    return
