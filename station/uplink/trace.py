"""What goes over the link, for the installer's trace: taken down in passing, redacted and kept a little later.

In the station's way is only the noting of a frame in a list. A task of its own does the rest, a message at a time, so
that what the CSMS asks meanwhile is answered in between; while Redis is away the last few wait, and older ones go.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from station.domain.moment import Moment
from station.live import trace
from station.live.trace import BYTES, ENTRIES, FIELD, Record
from station.store.messages import PARSED_MOST, Discretion, head

log = logging.getLogger(__name__)

NOTED_MOST, NOTED_BYTES = 1_500, 4 * 1024 * 1024  # frames noted and not yet worked on
READY_MOST = 400  # records that wait for Redis
BATCH = 50  # records written at once
GATHER = 0.05  # s from the first news to the work: the station's answer goes first
RETRY = 1.0  # s
PATIENCE = 2.0  # s that Redis may take
ACTIONS_KEPT = 256  # calls whose answers are still expected
_KINDS = {2: trace.CALL, 3: trace.RESULT, 4: trace.ERROR}  # message types of part 4, table 3

Write = Callable[[Sequence[bytes]], Awaitable[None]]


class _Noted(NamedTuple):
    direction: str
    frame: bytes | str
    now: Moment
    flaw: tuple[str, str] | None


class Tracer:
    """``write`` appends records to the stream; it may raise whatever it likes."""

    def __init__(self, write: Write, *, gather: float = GATHER, retry: float = RETRY) -> None:
        self._write = write
        self._gather = gather
        self._retry = retry
        self._noted: deque[_Noted | Record] = deque()
        self._noted_bytes = 0
        self._left_out = 0
        self._ready: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._discretion = Discretion()
        self._actions: dict[tuple[str, str], str] = {}  # (direction of the call, message id) -> action
        self._failing = False
        self._said: tuple[str, dict[str, Any]] = "", {}

    @property
    def busy(self) -> bool:
        """Whether anything waits to be worked on, or for Redis."""
        return bool(self._noted or self._ready or self._news.is_set())

    # ------------------------------------------------------------------ noting; returns at once

    def sent(self, frame: str, now: Moment) -> None:
        """A frame is on its way to the CSMS."""
        self._note(_Noted(trace.OUT, frame, now, None), len(frame))

    def received(self, frame: bytes, now: Moment, flaw: tuple[str, str] | None) -> None:
        """A frame came from the CSMS; ``flaw`` is what the RPC layer found wrong with it."""
        self._note(_Noted(trace.IN, frame, now, flaw), len(frame))

    def event(self, word: str, now: Moment, message_id: str = "", **told: Any) -> None:
        """Something happened to the connection; ``told`` as with the words in ``live.trace``."""
        said = (word, told)
        if word == trace.REFUSED and said == self._said:
            return  # the same refusal every few minutes would push out all else
        self._said = said
        at = now.wall.timestamp()
        self._note(Record(trace.EVENT, trace.OUT, at, now.monotonic, message_id, word, dict(told)), 0)

    def _note(self, noted: _Noted | Record, size: int) -> None:
        if len(self._noted) >= NOTED_MOST or self._noted_bytes + size > NOTED_BYTES:
            self._left_out += 1
            return
        self._noted_bytes += size
        self._noted.append(noted)
        self._news.set()

    # ------------------------------------------------------------------ the work

    async def run(self) -> None:
        """Redact and write until cancelled; no failure ends it."""
        while True:
            await self._news.wait()
            await asyncio.sleep(self._gather)
            self._news.clear()
            await self._prepare()
            while self._ready:
                if not await self._try():
                    await asyncio.sleep(self._retry)
                    await self._prepare()

    async def _prepare(self) -> None:
        while self._noted:
            noted = self._noted.popleft()
            try:
                record = self._clean_event(noted) if isinstance(noted, Record) else self._made(noted)
                self._ready.append(trace.encode(record))
            except Exception:
                # Whatever the CSMS has thought of, the trace is not worth the station's life.
                log.exception("a message is missing in the trace")
            if len(self._ready) > READY_MOST:
                self._ready.popleft()
                self._left_out += 1
            await asyncio.sleep(0)
        if self._left_out and self._ready:
            last = trace.decode(self._ready[-1])
            told = {"count": self._left_out}
            self._ready.append(
                trace.encode(Record(trace.EVENT, trace.OUT, last.at, last.monotonic, "", trace.LEFT_OUT, told))
            )
            self._left_out = 0

    async def _try(self) -> bool:
        batch = [self._ready[index] for index in range(min(BATCH, len(self._ready)))]
        try:
            async with asyncio.timeout(PATIENCE):
                await self._write(batch)
        except Exception as error:  # whatever the driver raises; the next try may work
            if not self._failing:
                log.warning("the trace cannot be kept: %s", str(error) or type(error).__name__)
            self._failing = True
            return False
        self._failing = False
        for _ in batch:
            self._ready.popleft()
        return True

    def _clean_event(self, event: Record) -> Record:
        payload, _ = self._discretion.payload("", event.payload or {})
        return Record(event.kind, event.direction, event.at, event.monotonic, event.message_id, event.action, payload)

    def _made(self, noted: _Noted) -> Record:
        raw = noted.frame.encode() if isinstance(noted.frame, str) else noted.frame
        self._noted_bytes -= len(noted.frame)
        at, monotonic = noted.now.wall.timestamp(), noted.now.monotonic
        flaw = (noted.flaw[0], self._discretion.text(noted.flaw[1])) if noted.flaw else None
        message = _parsed(raw)
        if message is None:
            number, call_id, action = head(raw)
            readable = number in _KINDS and len(raw) > PARSED_MOST and flaw is None
            kind = _KINDS[number] if readable else trace.UNREADABLE
            if kind in (trace.RESULT, trace.ERROR):
                action = self._answered(noted.direction, call_id)
            elif kind == trace.CALL:
                self._expect(noted.direction, call_id, action)
            # What is in it nobody knows, so nothing of it is kept.
            return Record(kind, noted.direction, at, monotonic, call_id, action, None, len(raw), True, flaw)
        number, call_id = message[0], _word(message[1], 36)
        if number == 2:
            action = _word(message[2], 50)
            self._expect(noted.direction, call_id, action)
            payload, cut = self._discretion.payload(action, message[3] if isinstance(message[3], Mapping) else {})
        elif number == 3:
            action = self._answered(noted.direction, call_id)
            payload, cut = self._discretion.payload(action, message[2] if isinstance(message[2], Mapping) else {})
        else:
            action = self._answered(noted.direction, call_id)
            code, description, details = (*message[2:5], "", "", {})[:3]
            told = {
                "code": _word(code, 50),
                "description": _word(description, 300),
                "details": details if isinstance(details, Mapping) else {},
            }
            payload, cut = self._discretion.payload(action, told)
        return Record(
            _KINDS[number],
            noted.direction,
            at,
            monotonic,
            self._discretion.text(call_id),
            self._discretion.text(action),
            payload,
            len(raw),
            cut,
            flaw,
        )

    def _expect(self, direction: str, call_id: str, action: str) -> None:
        self._actions[direction, call_id] = action
        if len(self._actions) > ACTIONS_KEPT:
            del self._actions[next(iter(self._actions))]

    def _answered(self, direction: str, call_id: str) -> str:
        return self._actions.pop((trace.IN if direction == trace.OUT else trace.OUT, call_id), "")


def _word(value: Any, length: int) -> str:
    return value[:length] if isinstance(value, str) else ""


def _parsed(raw: bytes) -> list[Any] | None:
    """A message of part 4; None for what is none, and for what is too long to be read in passing."""
    if len(raw) > PARSED_MOST:
        return None
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, list) or not message or isinstance(message[0], bool):
        return None
    least = {2: 4, 3: 3, 4: 3}.get(message[0]) if isinstance(message[0], int) else None
    return message if least and len(message) >= least else None


class StreamWriter:
    """Writes to the Redis stream ``key`` of ``client`` (``redis.asyncio``), and keeps it within its limits."""

    LOOK = 64  # records between two looks at how much memory the stream takes

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key
        self._since = self.LOOK

    async def __call__(self, records: Sequence[bytes]) -> None:
        """Append; raises redis.RedisError or OSError. After a failure all of it may be written again."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for record in records:
                pipeline.xadd(self._key, {FIELD: record}, maxlen=ENTRIES, approximate=True)
            await pipeline.execute()
        self._since += len(records)
        if self._since >= self.LOOK:
            self._since = 0
            await self._fit()

    async def _fit(self) -> None:
        taken = await self._client.memory_usage(self._key, samples=0) or 0
        if taken > BYTES:
            length = await self._client.xlen(self._key)
            await self._client.xtrim(self._key, maxlen=int(length * 0.9 * BYTES / taken), approximate=False)
