"""The trace as a person reads it: every request with its answer, and between them what happened to the connection."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from station.live import trace
from station.live.trace import Record
from webui import installer_words
from webui.templatetags.quantities import kwh
from webui.trace import answers, from_csms, from_station, parts

OPEN, ANSWERED, FAILED, TIMED_OUT, CUT_OFF, NEVER_ASKED = "open", "answered", "failed", "timed_out", "cut_off", "stray"
SESSIONS_KEPT = 64  # whose EVSE and first meter reading are remembered


@dataclass(slots=True)
class Exchange:
    """A line of the trace: a request and its answer, an answer to nothing, or an event of the connection.

    ``entry`` is the first message's id in the stream; ``state`` one of the words above, empty for an event.
    """

    entry: str
    first: Record
    answer: Record | None = None
    state: str = ""
    evse: int | None = None
    energy: Decimal | None = None  # Wh that the session had taken by then
    why: str = ""  # of an answer that never came

    @property
    def is_event(self) -> bool:
        return self.first.kind == trace.EVENT

    @property
    def direction(self) -> str:
        """Who asked: ``out``, the station; ``in``, the CSMS."""
        return self.first.direction

    @property
    def action(self) -> str:
        return self.first.action or (self.answer.action if self.answer else "")

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.first.at, UTC)

    @property
    def latency(self) -> float | None:
        """Seconds from the request to its answer, by the station's running clock."""
        if self.answer is None or self.answer is self.first:
            return None
        return max(0.0, self.answer.monotonic - self.first.monotonic)

    @property
    def flawed(self) -> Record | None:
        """The message that is not as OCPP wants it, if one is."""
        return next((one for one in (self.first, self.answer) if one and one.flaw), None)

    @property
    def tone(self) -> str:
        """``bad`` where something went wrong, ``wait`` where somebody said no, ``open`` without an answer, or empty."""
        if self.is_event:
            return {trace.CONNECTED: "good", trace.STARTED: ""}.get(self.first.action, "bad")
        if self.flawed or self.state in (FAILED, TIMED_OUT, CUT_OFF, NEVER_ASKED):
            return "bad"
        if self.answer and self.answer.payload and answers.refused(self.answer.payload):
            return "wait"
        return "open" if self.state == OPEN else ""

    @property
    def said(self) -> str:
        """The request, or the event, in plain words."""
        record = self.first
        if record.kind == trace.EVENT:
            return _event(record)
        if record.kind == trace.UNREADABLE:
            return _("The operator's system sent what is no message of OCPP (%(size)s bytes).") % {"size": record.size}
        if record.kind in (trace.RESULT, trace.ERROR):
            return _("An answer came that belongs to no request in this trace.")
        table = from_station.SENTENCES if record.direction == trace.OUT else from_csms.SENTENCES
        make = table.get(record.action)
        if record.payload is None:
            return _("%(action)s, too long to be kept (%(size)s bytes).") % {
                "action": parts.text(record.action) or "?",
                "size": record.size,
            }
        told = self._worded(make, record)
        if self.energy is not None and record.action == "TransactionEvent":
            told = _("%(said)s, %(energy)s kWh so far") % {"said": told, "energy": kwh(self.energy, 2)}
        return told[:1].upper() + told[1:]

    @staticmethod
    def _worded(make: Any, record: Record) -> str:
        try:
            if make is not None and (told := str(make(record.payload))):
                return told
        except (ArithmeticError, TypeError, ValueError, AttributeError, KeyError):
            pass  # a payload that breaks its schema may hold anything anywhere
        return _("%(action)s, which says nothing that can be told in words.") % {
            "action": parts.text(record.action) or "?"
        }

    @property
    def answered(self) -> str:
        """The answer in a few words, or why there is none."""
        if self.is_event:
            return ""
        record = self.answer
        if self.first.flaw and (record is None or record.kind != trace.ERROR):
            return answers.flaw(*self.first.flaw)
        if record is None:
            return {
                OPEN: _("no answer yet"),
                TIMED_OUT: _("no answer in time"),
                CUT_OFF: _("no answer: the connection was lost"),
            }.get(self.state, "")
        if record.flaw:
            return answers.flaw(*record.flaw)
        if record.kind == trace.ERROR:
            return answers.error(record.payload or {})
        if record.payload is None:
            return _("an answer that is too long to be kept")
        try:
            told = answers.words(self.action, record.payload)
        except (ArithmeticError, TypeError, ValueError, AttributeError, KeyError):
            told = _("an answer that cannot be told in words")
        return _("%(said)s, but late") % {"said": told} if self.state == TIMED_OUT else told

    def has(self, needle: str) -> bool:
        """Whether ``needle`` (in lower case) stands anywhere in it: words, action, message id or payload."""
        if any(needle in told.casefold() for told in (self.action, self.said, self.answered, self.first.message_id)):
            return True
        return any(
            needle in json.dumps(one.payload, ensure_ascii=False).casefold()
            for one in (self.first, self.answer)
            if one is not None and one.payload is not None
        )


def _event(record: Record) -> str:
    told = record.payload or {}
    slot = parts.text(told.get("slot")) or "?"
    why = parts.text(told.get("why"), 200) or "–"
    if record.action == trace.STARTED:
        return _("The station's software began to run.")
    if record.action == trace.CONNECTED:
        return _("Connected to %(host)s by network slot %(slot)s, security profile %(profile)s.") % {
            "host": parts.host(told.get("url")),
            "slot": slot,
            "profile": parts.text(told.get("security_profile")),
        }
    if record.action == trace.LOST:
        return _("The connection was lost: %(why)s.") % {"why": why}
    if record.action == trace.REFUSED:
        cause = parts.text(told.get("cause"))
        return _("No connection by network slot %(slot)s: %(why)s") % {
            "slot": slot,
            "why": installer_words.why(cause, why) if cause and cause != "None" else why,
        }
    if record.action == trace.LEFT_OUT:
        return _("%(count)s messages are missing here: too many came at once.") % {
            "count": parts.text(told.get("count"))
        }
    return parts.text(record.action)


class Book:
    """Takes records in the order of the stream, and keeps the newest ``most`` lines."""

    def __init__(self, most: int = trace.ENTRIES) -> None:
        self._most = most
        self._lines: OrderedDict[str, Exchange] = OrderedDict()
        self._asked: dict[tuple[str, str], Exchange] = {}
        self._evses: OrderedDict[str, int] = OrderedDict()  # transactionId -> EVSE
        self._began: OrderedDict[str, Decimal] = OrderedDict()  # transactionId -> register at its start, Wh
        self.last = "0-0"  # the newest entry that was taken

    def add(self, entry: str, record: Record) -> list[Exchange]:
        """Take one record; the lines that are new or have changed."""
        self.last = entry
        if record.kind == trace.EVENT:
            return self._add_event(entry, record)
        if record.kind in (trace.RESULT, trace.ERROR):
            return [self._add_answer(entry, record)]
        line = Exchange(entry, record, state=OPEN)
        if record.kind == trace.UNREADABLE:
            line.state = FAILED
        self._place(line)
        self._asked[record.direction, record.message_id or "-1"] = line
        return [self._keep(line)]

    def __iter__(self) -> Iterator[Exchange]:
        """The newest first."""
        return reversed(self._lines.values())

    def __len__(self) -> int:
        return len(self._lines)

    def get(self, entry: str) -> Exchange | None:
        return self._lines.get(entry)

    def _keep(self, line: Exchange) -> Exchange:
        self._lines[line.entry] = line
        if len(self._lines) > self._most:
            _entry, gone = self._lines.popitem(last=False)
            key = gone.direction, gone.first.message_id or "-1"
            if self._asked.get(key) is gone:
                del self._asked[key]
        return line

    def _add_event(self, entry: str, record: Record) -> list[Exchange]:
        if record.action == trace.TIMED_OUT:
            line = self._asked.get((trace.OUT, record.message_id))
            if line is None or line.answer is not None:
                return []
            line.state = TIMED_OUT
            return [line]
        changed = []
        if record.action in (trace.LOST, trace.STARTED):
            changed = [line for line in self._asked.values() if line.state == OPEN]
            for line in changed:
                line.state = CUT_OFF
            self._asked.clear()
        return [*changed, self._keep(Exchange(entry, record))]

    def _add_answer(self, entry: str, record: Record) -> Exchange:
        asker = trace.IN if record.direction == trace.OUT else trace.OUT
        line = self._asked.get((asker, record.message_id or "-1"))
        if line is None or (line.answer is not None):
            stray = Exchange(entry, record, record, state=NEVER_ASKED)
            if record.flaw is None and record.direction == trace.OUT and record.kind == trace.RESULT:
                stray.state = ANSWERED  # its request has left the ring already
            return self._keep(stray)
        line.answer = record
        if record.kind == trace.ERROR or record.flaw:
            line.state = FAILED
        elif line.state == OPEN:
            line.state = ANSWERED
        return line

    def _place(self, line: Exchange) -> None:
        """Which EVSE it is about, and how much the session has taken: what earlier messages of a session told."""
        payload = line.first.payload or {}
        session = parts.part(payload, "transactionInfo", "transactionId") or payload.get("transactionId")
        line.evse = parts.evse_of(payload)
        if not isinstance(session, str):
            return
        if line.evse:
            _remember(self._evses, session, line.evse)
        else:
            line.evse = self._evses.get(session)
        register = parts.sampled(payload).get("Energy.Active.Import.Register")
        if line.first.action != "TransactionEvent" or register is None:
            return
        if payload.get("eventType") == "Started":
            _remember(self._began, session, register)
        elif (begun := self._began.get(session)) is not None and register >= begun:
            line.energy = register - begun


def _remember(kept: OrderedDict[str, Any], key: str, value: Any) -> None:
    kept[key] = value
    if len(kept) > SESSIONS_KEPT:
        kept.popitem(last=False)


def read(entries: Iterable[tuple[str, Record]]) -> Book:
    """The whole ring as a book."""
    book = Book()
    for entry, record in entries:
        book.add(entry, record)
    return book
