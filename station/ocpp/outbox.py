"""What goes to the CSMS, in which order, and what happens when it is not taken (E04, E13, B02, B03).

What must not be lost is *durable*: stored before it is sent, and gone only when answered or given up by E13. It goes
out in lanes, TransactionEvents and other events (security events), each strictly in order, so that one that is refused
again and again holds up its own kind only. What is only worth saying now (StatusNotification, Authorize, MeterValues,
NotifyReport …) is *volatile*: it has precedence, and is dropped when the link goes down.

With OCPPCommCtrlr.QueueAllMessages nothing but a question is volatile in that sense: what stands by itself
(StatusNotification, MeterValues) is durable, too, in a lane of its own, and what belongs to an exchange under way (the
parts of a report, the answer to a trigger) waits in memory for the link. The queue has a limit (``ocpp.queue_room``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from station.device_model.components import OCPPCommCtrlr
from station.domain.effects import Call, Dequeue, Effect, Enqueue, Journal, UpdateQueued
from station.domain.events import CallAnswered, CallFailed
from station.domain.memory import QueuedCall
from station.domain.moment import Moment
from station.ocpp.queue_room import AT_MOST, dispensable

if TYPE_CHECKING:
    from station.device_model.model import DeviceModel
    from station.domain.clock import Clock

Answered: TypeAlias = Callable[[Mapping[str, Any], Moment], None]
Failed: TypeAlias = Callable[[str, Moment], None]
Delivered: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any], Moment], None]
Lost: TypeAlias = Callable[[Sequence[QueuedCall], str, Moment], None]

TRANSACTION_EVENT = "TransactionEvent"
ACCEPTED = "Accepted"
PENDING = "Pending"
UNKNOWN_ACTION = ("NotImplemented", "NotSupported")  # nobody there to hear it: no reason to hold transactions up
GUARANTEED = ("NotifyEvent", "SecurityEventNotification")  # A04.FR.02
# Made for the sake of the answer, which is of no use once the link was gone.
QUESTIONS = ("Authorize", "BootNotification", "Heartbeat", "SignCertificate")


@dataclass(slots=True)
class Volatile:
    """A call that is only worth making now. ``requested``: the CSMS asked for it (allowed while Pending, B02.FR.02)."""

    action: str
    payload: Mapping[str, Any]
    answered: Answered | None = None
    failed: Failed | None = None
    requested: bool = False
    boot: bool = False


class _Kind(StrEnum):
    """What a durable call is about; each kind has its lane."""

    TRANSACTIONS = "transactions"
    EVENTS = "events"
    NOTICES = "notices"  # kept because of QueueAllMessages


@dataclass(frozen=True, slots=True)
class LaneState:
    """A lane that is not empty, for people: how many wait in it, and how its head fares.

    ``since`` and ``action`` are those of the head, ``attempts`` how often the CSMS did not take it. ``retry_at``
    (monotonic) is None where it goes as soon as the line is free.
    """

    kind: str
    waiting: int
    since: datetime
    action: str
    attempts: int
    retry_at: float | None
    sending: bool


@dataclass(slots=True)
class _Lane:
    """Durable calls of one kind, in order. ``tried`` are the message ids of its head's earlier attempts."""

    calls: deque[QueuedCall] = field(default_factory=deque)
    tried: deque[str] = field(default_factory=lambda: deque(maxlen=8))
    retry_at: float | None = None  # monotonic: it waits until then (E13.FR.03)

    def due(self, now: Moment) -> bool:
        """Its head may go out now."""
        return bool(self.calls) and (self.retry_at is None or now.monotonic >= self.retry_at)


class Outbox:
    """The station's way out. At most one CALL is outstanding (part 4, 4.1.1)."""

    def __init__(
        self,
        queue: Iterable[QueuedCall],
        model: DeviceModel,
        clock: Clock,
        new_id: Callable[[], str],
        emit: Callable[[Effect], None],
    ) -> None:
        self._lanes: dict[_Kind, _Lane] = {kind: _Lane() for kind in _Kind}
        self.volatile: deque[Volatile] = deque()
        self.registration: str | None = None
        self.online = False
        self.delivered: dict[str, Delivered] = {}  # action -> who hears of a durable call's answer
        self.lost: Lost | None = None  # hears what was dropped for want of room (no reason), or given up, and why
        self._model = model
        self._clock = clock
        self._new_id = new_id
        self._emit = emit
        self._sequence = 0
        for call in queue:
            self._sequence = max(self._sequence, call.sequence)
            self._lane(call).calls.append(call)
        self._in_flight: tuple[str, Volatile | QueuedCall] | None = None
        self._now: Moment | None = None

    @property
    def keeps_all(self) -> bool:
        """QueueAllMessages: what is said while offline is not lost."""
        return bool(self._model[OCPPCommCtrlr.QueueAllMessages])

    def begin(self, now: Moment) -> None:
        """A step of the station begins."""
        self._now = now

    # ------------------------------------------------------------------ in

    def call(
        self,
        action: str,
        payload: Mapping[str, Any],
        *,
        answered: Answered | None = None,
        failed: Failed | None = None,
        requested: bool = False,
        boot: bool = False,
    ) -> None:
        """Call when the link allows. ``boot`` marks BootNotification itself, which goes before everything."""
        if self.keeps_all and self._now and not (answered or requested or boot or action in QUESTIONS):
            self.enqueue(action, dict(payload), self._now)
            return
        entry = Volatile(action, payload, answered, failed, requested, boot)
        if boot:
            self.volatile.appendleft(entry)
        else:
            self.volatile.append(entry)

    def enqueue(self, action: str, payload: dict[str, Any], now: Moment) -> None:
        """Call for certain: stored in this step's commit, sent in order, kept until answered or given up."""
        self._sequence += 1
        queued = QueuedCall(self._sequence, action, payload, self._clock.utc(now))
        self._lane(queued).calls.append(queued)
        self._emit(Enqueue(queued.sequence, action, payload, queued.created))
        if self.waiting > AT_MOST:
            self._make_room(queued)

    def _make_room(self, newest: QueuedCall) -> None:
        """Part 2, 2.1.9: what can best be spared goes."""
        sending = self._in_flight and self._in_flight[1]
        waiting = sorted(
            (call for lane in self._lanes.values() for call in lane.calls if call is not sending),
            key=lambda call: call.sequence,
        )
        spared = dispensable(waiting)
        for call in spared:
            self._leave(call, "no room")
        if spared and self.lost and self._now:
            self.lost(spared, "", self._now)
        if spared:
            self._emit(Journal(newest.created, "queue_full", data={"dropped": len(spared)}))

    def waiting_for(self, transaction_id: str) -> bool:
        """True while the queue holds an event of that transaction (E14.FR.04)."""
        return any(
            call.payload["transactionInfo"]["transactionId"] == transaction_id for call in self._transactions.calls
        )

    def transaction_events_waiting(self) -> bool:
        """True while the queue holds any TransactionEvent (E14.FR.07)."""
        return bool(self._transactions.calls)

    @property
    def waiting(self) -> int:
        """How many calls the durable queue holds."""
        return sum(len(lane.calls) for lane in self._lanes.values())

    def waiting_of(self, action: str) -> int:
        """How many calls of that action the durable queue holds."""
        return sum(call.action == action for lane in self._lanes.values() for call in lane.calls)

    def lanes(self) -> list[LaneState]:
        """What waits, lane by lane; empty lanes are left out."""
        sending = self._in_flight and self._in_flight[1]
        return [
            LaneState(
                kind=kind.value,
                waiting=len(lane.calls),
                since=lane.calls[0].created,
                action=lane.calls[0].action,
                attempts=lane.calls[0].attempts,
                retry_at=lane.retry_at,
                sending=lane.calls[0] is sending,
            )
            for kind, lane in self._lanes.items()
            if lane.calls
        ]

    @property
    def _transactions(self) -> _Lane:
        return self._lanes[_Kind.TRANSACTIONS]

    def _lane(self, call: QueuedCall) -> _Lane:
        return self._lanes[_kind(call.action)]

    # ------------------------------------------------------------------ the link

    def link_up(self) -> None:
        self.online = True
        for lane in self._lanes.values():
            lane.retry_at = None

    def link_down(self, now: Moment) -> None:
        """Whoever waits for a volatile answer hears of it; what is queued was not delivered online (E11.FR.07).

        With QueueAllMessages only questions are lost; the rest is said again, in its order.
        """
        self.online = False
        in_flight, self._in_flight = self._in_flight, None
        lost = [in_flight[1]] if in_flight and isinstance(in_flight[1], Volatile) else []
        lost += list(self.volatile)
        self.volatile.clear()
        if self.keeps_all:
            self.volatile.extend(entry for entry in lost if entry.action not in QUESTIONS)
            lost = [entry for entry in lost if entry.action in QUESTIONS]
        self.mark_offline()
        for entry in lost:
            if entry.failed:
                entry.failed("LinkDown", now)

    def mark_offline(self) -> None:
        """Set ``offline`` in every TransactionEvent still queued (E04.FR.03, E11.FR.07, E12.FR.02)."""
        for call in self._transactions.calls:
            if not call.payload.get("offline"):
                call.payload = {**call.payload, "offline": True}
                self._emit(UpdateQueued(call.sequence, call.attempts, call.payload))

    # ------------------------------------------------------------------ answers

    def answered(self, event: CallAnswered, now: Moment) -> None:
        """A CALLRESULT came; one for an earlier attempt of the durable head counts as its delivery."""
        if self._in_flight and event.call_id == self._in_flight[0]:
            entry = self._in_flight[1]
            self._in_flight = None
            if isinstance(entry, Volatile):
                if entry.answered:
                    entry.answered(event.payload, now)
            else:
                self._deliver(entry, event.payload, now)
            return
        for lane in self._lanes.values():
            if event.call_id in lane.tried and lane.calls:
                # a CSMS that answered late (after MessageTimeout): no need to send the same again
                if self._in_flight and self._in_flight[1] is lane.calls[0]:
                    self._in_flight = None
                self._deliver(lane.calls[0], event.payload, now)
                return

    def failed(self, event: CallFailed, now: Moment) -> None:
        """A CALLERROR, a timeout or an unusable answer."""
        if not self._in_flight or event.call_id != self._in_flight[0]:
            return
        if event.code == "LinkDown":
            self.link_down(now)  # the LinkDown event itself comes behind its calls: nothing more is sent until LinkUp
            return
        call_id, entry = self._in_flight
        self._in_flight = None
        if isinstance(entry, Volatile):
            if entry.failed:
                entry.failed(event.code, now)
        else:
            self._refused(entry, call_id, event, now)

    def _deliver(self, call: QueuedCall, response: Mapping[str, Any], now: Moment) -> None:
        self._leave(call, "")
        hears = self.delivered.get(call.action)
        if hears:
            hears(call.payload, response, now)

    def _refused(self, call: QueuedCall, call_id: str, event: CallFailed, now: Moment) -> None:
        call.attempts += 1
        exhausted = call.attempts >= self._model[OCPPCommCtrlr.MessageAttempts]
        match _kind(call.action):
            case _Kind.TRANSACTIONS:
                hopeless = exhausted  # E13.FR.04
            case _Kind.EVENTS:
                # A04.FR.02: tried until it is taken, unless this CSMS does not know the action at all
                hopeless = event.code in UNKNOWN_ACTION
            case _Kind.NOTICES if event.code != "Timeout":
                self._leave(call, "")  # with whatever it was answered, it was delivered
                return
            case _Kind.NOTICES:
                hopeless = exhausted
        if hopeless or event.code == "InvalidRequest":  # what is against the schema would never be taken
            why = f"{event.code} {event.description}".strip()
            self._leave(call, why)
            if self.lost:
                self.lost([call], why, now)
            return
        lane = self._lane(call)
        lane.tried.append(call_id)
        # E13.FR.03: the interval times the number of transmissions that went before
        lane.retry_at = now.monotonic + self._model[OCPPCommCtrlr.MessageAttemptInterval] * call.attempts
        self._emit(UpdateQueued(call.sequence, call.attempts))

    def _leave(self, call: QueuedCall, given_up: str) -> None:
        lane = self._lane(call)
        lane.calls.remove(call)
        lane.tried.clear()
        lane.retry_at = None
        self._emit(Dequeue(call.sequence, given_up))

    # ------------------------------------------------------------------ out

    def pump(self, now: Moment) -> None:
        """Send the next call if the link, the registration and the last call allow."""
        if not self.online or self._in_flight:
            return
        entry = self._next(now)
        if entry is None:
            return
        call_id = self._new_id()
        self._in_flight = (call_id, entry)
        self._emit(Call(call_id, entry.action, entry.payload, float(self._model[OCPPCommCtrlr.MessageTimeout])))

    def _next(self, now: Moment) -> Volatile | QueuedCall | None:
        for index, entry in enumerate(self.volatile):
            if self._allowed(entry):
                del self.volatile[index]
                return entry
        if self.registration != ACCEPTED:  # B01.FR.08
            return None
        due = [lane.calls[0] for lane in self._lanes.values() if lane.due(now)]
        return min(due, key=lambda call: call.sequence, default=None)

    def _allowed(self, entry: Volatile) -> bool:
        if entry.boot or self.registration == ACCEPTED:
            return True
        # B02.FR.02; a report is only ever sent because the CSMS asked for it
        return self.registration == PENDING and (entry.requested or entry.action == "NotifyReport")

    @property
    def idle(self) -> bool:
        """Nothing is outstanding and nothing could be sent now."""
        return self._in_flight is None and not self.volatile and not self.waiting

    @property
    def registered(self) -> bool:
        """The link is up and the CSMS has accepted the station: anything may be said."""
        return self.online and self.registration == ACCEPTED

    @property
    def busy(self) -> bool:
        """A CALL of ours waits for its answer."""
        return self._in_flight is not None

    def deadline(self) -> float | None:
        """When a refused call is due again (monotonic), or None."""
        if not self.online or self._in_flight or self.registration != ACCEPTED:
            return None
        waits = [lane.retry_at for lane in self._lanes.values() if lane.calls]
        return min((at for at in waits if at is not None), default=None)


def _kind(action: str) -> _Kind:
    if action == TRANSACTION_EVENT:
        return _Kind.TRANSACTIONS
    return _Kind.EVENTS if action in GUARANTEED else _Kind.NOTICES
