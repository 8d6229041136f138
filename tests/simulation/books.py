"""The rules of the books: no event lost, none told twice, in order, with the meter's own figures (blocks E and J)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from station.domain.effects import Dequeue, Enqueue, Stored
from station.domain.moment import parse_rfc3339
from station.ocpp import schemas
from tests.simulation.broken import Broken
from tests.support.invariants import Accounts, content, registers

TRANSACTION_EVENT = "TransactionEvent"
GUARANTEED = (TRANSACTION_EVENT, "SecurityEventNotification", "NotifyEvent")
UNKNOWN_ACTION = ("NotImplemented", "NotSupported")
SLACK = 2_000  # mWh that may be lost between two transactions: what a look at the board may be late by

Key = tuple[str, int]


@dataclass
class Entry:
    """One TransactionEvent that was committed."""

    payload: dict[str, Any]
    offline: bool  # it must say so
    transmissions: int = 0
    told: bool = False  # the station has the CSMS's answer, and committed that
    given_up: bool = False


@dataclass
class Energy:
    """One EVSE's register in mWh: what the station was shown, and up to where it is billed."""

    shown: int | None = None
    billed_to: int | None = None
    excused: bool = False  # the board was away or lied: nobody could know
    ended: bool = False  # a session has ended here, so that a lie can be told from the truth after a restart
    lost: bool = False  # the meter lied at the first look of a station that has no idea of it


@dataclass
class Books:
    """Keeps its own accounts of what was committed, sent and answered. ``utc`` is the true time."""

    utc: Callable[[], datetime]
    bills_all: bool  # by TxStartPoint no energy flows outside a transaction
    attempts: int
    accounts: Accounts = field(default_factory=Accounts)
    entries: dict[Key, Entry] = field(default_factory=dict)
    queue: dict[int, tuple[str, Key | None]] = field(default_factory=dict)  # by sequence, as on the disk
    energy: dict[int, Energy] = field(default_factory=dict)
    measured: set[str] = field(default_factory=set)  # transactions that a register was told of
    clock_error: timedelta | None = timedelta(seconds=2)  # that the station's clock may have; None: any
    calls: dict[str, int] = field(default_factory=dict)  # message id -> sequence
    answered: set[int] = field(default_factory=set)  # sequences that the CSMS answered with a result
    unknown: set[int] = field(default_factory=set)  # sequences that it does not know the action of
    events: int = 0

    # ------------------------------------------------------------------ committed

    def committed(self, stored: list[Stored], *, online: bool) -> list[dict[str, Any]]:
        """A step's effects are on the disk; returns its TransactionEvents."""
        new = []
        for effect in stored:
            if isinstance(effect, Enqueue):
                if effect.action == TRANSACTION_EVENT:
                    new.append(dict(effect.payload))
                self._enqueued(effect, online=online)
            elif isinstance(effect, Dequeue):
                self._dequeued(effect)
        return new

    def _enqueued(self, effect: Enqueue, *, online: bool) -> None:
        key = None
        if effect.action == TRANSACTION_EVENT:
            event: dict[str, Any] = json.loads(json.dumps(effect.payload))
            key = (event["transactionInfo"]["transactionId"], event["seqNo"])
            try:
                known = key in self.entries
                self.accounts.take(event)
                if known:
                    raise Broken("seq_no", f"seqNo {event['seqNo']} was used before")
            except AssertionError as flaw:
                raise (
                    flaw if isinstance(flaw, Broken) else Broken("accounts", f"{flaw}: {json.dumps(event)[:300]}")
                ) from None
            self.entries[key] = Entry(event, offline=not online)
            self.events += 1
            self._time(event)
            self._energy(event)
        if self.queue and effect.sequence <= max(self.queue):
            raise Broken("sequence", f"sequence {effect.sequence} is not behind {max(self.queue)}")
        self.queue[effect.sequence] = (effect.action, key)

    def _dequeued(self, effect: Dequeue) -> None:
        action, key = self.queue.pop(effect.sequence)
        entry = self.entries.get(key) if key else None
        if action not in GUARANTEED:
            entry = None  # QueueAllMessages: told with whatever it was answered, or not at all
        elif not effect.given_up:
            if effect.sequence not in self.answered:
                raise Broken("forgotten", f"{action} {key} left the queue without an answer of the CSMS")
            if entry:
                entry.told = True
        elif entry:
            if entry.transmissions < self.attempts:
                raise Broken("given_up", f"{key} was given up after {entry.transmissions} of {self.attempts} attempts")
            entry.given_up = True
        elif effect.sequence not in self.unknown:
            raise Broken("given_up", f"{action} was given up: {effect.given_up}")
        self.answered.discard(effect.sequence)
        self.unknown.discard(effect.sequence)

    def _time(self, event: dict[str, Any]) -> None:
        if self.clock_error is not None and abs(parse_rfc3339(event["timestamp"]) - self.utc()) > self.clock_error:
            raise Broken("timestamp", f"{event['timestamp']} when it is {self.utc()}")

    def forgive_times(self) -> None:
        """The clock is set: the next event of each transaction may seem earlier than the one before."""
        for told in self.accounts.told.values():
            told.at = ""

    # ------------------------------------------------------------------ energy

    def _energy(self, event: dict[str, Any]) -> None:
        told = self.accounts.told[event["transactionInfo"]["transactionId"]]
        values = registers(event)
        if told.evse_id is None or not values:
            return
        energy = self.energy.setdefault(told.evse_id, Energy())
        energy.ended = energy.ended or told.ended
        if energy.lost:
            return
        if energy.shown is None or abs(values[-1] - energy.shown / 1000) > 0.0011:
            raise Broken("register", f"{values[-1]} Wh told of EVSE {told.evse_id}, the meter said {energy.shown} mWh")
        if told.transaction_id not in self.measured:
            self.measured.add(told.transaction_id)
            self._gap(told.evse_id, energy, round(values[0] * 1000))
        energy.billed_to = max(energy.billed_to or 0, round(values[-1] * 1000))

    def _gap(self, evse_id: int, energy: Energy, begins: int) -> None:
        if self.bills_all and energy.billed_to is not None and not energy.excused:
            gap = begins - energy.billed_to
            if gap > SLACK:
                raise Broken("unbilled", f"{gap} mWh at EVSE {evse_id} belong to no transaction")
        energy.excused = False

    def shown(self, evse_id: int, register: int) -> None:
        """The station saw an honest register."""
        energy = self.energy.setdefault(evse_id, Energy())
        energy.shown = register
        if energy.billed_to is None:
            energy.billed_to = register

    def lied_at_first(self, evse_id: int) -> None:
        """The first thing that a life sees of a meter is a lie."""
        energy = self.energy.setdefault(evse_id, Energy())
        energy.lost = energy.lost or not energy.ended

    def excuse(self, evse_id: int | None) -> None:
        for number, energy in self.energy.items():
            if evse_id in (None, number):
                energy.excused = True

    def close(self, evse_id: int, register: int) -> None:
        """The simulation ends; nothing has flowed unseen since the last transaction."""
        if evse_id in self.energy and not self.energy[evse_id].lost:
            self._gap(evse_id, self.energy[evse_id], register)

    # ------------------------------------------------------------------ sent and answered

    def offline(self) -> None:
        """The link is down, or the station starts anew: what is queued was not delivered online (E11.FR.07)."""
        for _, key in self.queue.values():
            if key:
                self.entries[key].offline = True

    def sent(self, call_id: str, action: str, payload: dict[str, Any]) -> None:
        """A CALL went out."""
        if action == TRANSACTION_EVENT:
            self._sent_event(call_id, payload)
            return
        sequence = next((number for number, (name, key) in self.queue.items() if name == action and not key), None)
        if sequence is not None:
            self.calls[call_id] = sequence

    def _sent_event(self, call_id: str, payload: dict[str, Any]) -> None:
        key = (payload["transactionInfo"]["transactionId"], payload["seqNo"])
        entry = self.entries.get(key)
        if entry is None:
            raise Broken("not_stored", f"{key} is sent and was not stored")
        if entry.told:
            raise Broken("sent_again", f"{key} is sent again although the CSMS has answered")
        head = next((number for number, (_, other) in sorted(self.queue.items()) if other), None)
        if head is None or self.queue[head][1] != key:
            raise Broken("order", f"{key} is sent before {self.queue[head][1] if head is not None else 'nothing'}")
        if content(payload) != content(entry.payload):
            raise Broken("content", f"{key} says something else than what was stored")
        if entry.offline and not payload.get("offline"):
            raise Broken("offline", f"{key} does not say that it happened offline (E04.FR.03, E11.FR.07)")
        if payload.get("offline") and not entry.offline:
            raise Broken("offline", f"{key} says offline, and nothing was")
        entry.transmissions += 1
        self.calls[call_id] = head

    def delivered(self, frame: Any) -> None:
        """The CSMS's answer is with the station, which may still be cut off before it has stored that."""
        if isinstance(frame, list) and len(frame) >= 3 and isinstance(frame[1], str):
            sequence = self.calls.get(frame[1])
            if sequence is not None and frame[0] == 3 and len(frame) == 3:
                if _valid(self.queue[sequence][0] if sequence in self.queue else "", frame[2]):
                    self.answered.add(sequence)
            elif sequence is not None and frame[0] == 4 and frame[2] in UNKNOWN_ACTION:
                self.unknown.add(sequence)

    def forget_calls(self) -> None:
        """A connection is gone: its answers come no more."""
        self.calls.clear()
        self.answered.clear()
        self.unknown.clear()

    # ------------------------------------------------------------------ at the end

    def missing(self, heard: dict[str, dict[int, Any]]) -> list[Key]:
        """Events that were committed, not given up, and never reached the CSMS."""
        return [
            key for key, entry in self.entries.items() if not entry.given_up and key[1] not in heard.get(key[0], {})
        ]


def _valid(action: str, response: Any) -> bool:
    try:
        schemas.validate_response(action, response)
    except (schemas.SchemaViolation, KeyError):
        return False
    return True
