"""The RPC layer of OCPP-J (part 4) without sockets: frames in, events out, and frames to send.

Whatever arrives, ``Rpc`` raises nothing and asks for nothing to be closed: what is no valid CALL is answered with the
CALLERROR that part 4 provides, what is no usable answer is counted. Only what the station itself got wrong raises,
and that only where ``strict`` (as in tests).
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any, TypeAlias

from station.domain.effects import Answer, AnswerError, Call, Json
from station.domain.events import CallAnswered, CallFailed, CallReceived, SecurityObserved
from station.ocpp import schemas
from station.ocpp.frames import InvalidMessage, Unreadable, clean, decode, encode
from station.ocpp.schemas import DESCRIPTION_LENGTH, SchemaViolation

log = logging.getLogger(__name__)

Heard: TypeAlias = CallReceived | CallAnswered | CallFailed

CALL, CALLRESULT, CALLERROR = 2, 3, 4  # part 4, table 3
ERROR_CODES = frozenset(  # part 4, table 8
    {
        "FormatViolation",
        "GenericError",
        "InternalError",
        "MessageTypeNotSupported",
        "NotImplemented",
        "NotSupported",
        "OccurrenceConstraintViolation",
        "PropertyConstraintViolation",
        "ProtocolError",
        "RpcFrameworkError",
        "SecurityError",
        "TypeConstraintViolation",
    }
)
UNREADABLE_ID = "-1"  # part 4, section 4.2.3
ID_LENGTH = 36  # part 4, table 4
MAX_FRAME = 1024 * 1024  # bytes
MAX_UNANSWERED = 64  # a CSMS may have one CALL out at a time; one that floods gets told
NOT_OCPP = frozenset(  # what these refuse is no valid OCPP message (InvalidMessages)
    {
        "FormatViolation",
        "MessageTypeNotSupported",
        "OccurrenceConstraintViolation",
        "PropertyConstraintViolation",
        "RpcFrameworkError",
        "TypeConstraintViolation",
    }
)
HANDLED_KEPT = 64  # calls of the CSMS that would be recognised if they came again
NOTICED_MOST = 16
UNEXPECTED = ("UnexpectedAnswer", "no call with this message id waits for an answer")
TIMED_OUT_KEPT = 8  # calls of ours whose answer is still of use when it comes late

_HEAD = re.compile(rb'\s*\[\s*(\d{1,3})\s*,\s*"([^"\\\x00-\x1f]{1,36})"')


@dataclass(slots=True)
class Counters:
    """What went over the link since the process started."""

    received: int = 0
    sent: int = 0
    calls_in: int = 0
    calls_out: int = 0
    unreadable: int = 0  # not UTF-8, not JSON, not an array, or hostile in its numbers or depth
    too_large: int = 0
    malformed: int = 0  # an array, but none of part 4
    unknown_message_type: int = 0
    unknown_action: int = 0
    wrong_direction: int = 0
    schema_violations: int = 0
    duplicates: int = 0
    replays: int = 0
    floods: int = 0
    late_answers: int = 0  # to no call that is waiting, or not any more
    invalid_answers: int = 0
    error_answers: int = 0
    timeouts: int = 0
    stale_answers: int = 0  # ours, to a call whose connection is gone
    own_invalid: int = 0


@dataclass(frozen=True, slots=True)
class _InFlight:
    call: Call
    expires: float


class Rpc:
    """Both directions of one OCPP-J connection, over any number of WebSockets one after another.

    ``max_frame`` is in bytes; every ``now`` is a reading of the monotonic clock in seconds. After any method call,
    ``take_frames`` has what is to be sent.
    """

    def __init__(self, *, max_frame: int = MAX_FRAME, strict: bool = False) -> None:
        self.counters = Counters()
        self._max_frame = max_frame
        self._strict = strict
        self._up = False
        self._out: list[str] = []
        self._in_flight: _InFlight | None = None
        self._waiting: deque[tuple[Call, str]] = deque()  # calls made while another is in flight, with their frames
        self._timed_out: OrderedDict[str, str] = OrderedDict()  # id of a call of ours -> its action
        self._unanswered: dict[str, str] = {}  # id of a CALL of the CSMS -> its action
        self._handled: deque[int] = deque(maxlen=HANDLED_KEPT)  # hashes of the CALLs of this connection
        self._noticed: list[SecurityObserved] = []
        self._flaw: tuple[str, str] | None = None

    # ------------------------------------------------------------------ link and time

    def link_up(self) -> None:
        """A WebSocket is open; nothing of an earlier one counts any more."""
        self._forget_link()
        self._up = True

    def link_down(self) -> list[Heard]:
        """The WebSocket is closed: calls without an answer have failed, open CALLs of the CSMS need none."""
        self._up = False
        calls = [self._in_flight.call] if self._in_flight else []
        calls += [call for call, _ in self._waiting]
        self._forget_link()
        return [CallFailed(call.call_id, "LinkDown", "the connection closed before the answer came") for call in calls]

    def deadline(self) -> float | None:
        """When ``tick`` is wanted (monotonic seconds), or None."""
        return self._in_flight.expires if self._in_flight else None

    def tick(self, now: float) -> list[Heard]:
        """Time has passed: fails the call in flight where its MessageTimeout is over (part 4, section 4.1.1)."""
        in_flight = self._in_flight
        if in_flight is None or now < in_flight.expires:
            return []
        self.counters.timeouts += 1
        self._timed_out[in_flight.call.call_id] = in_flight.call.action
        if len(self._timed_out) > TIMED_OUT_KEPT:
            self._timed_out.popitem(last=False)
        self._settle(now)
        return [CallFailed(in_flight.call.call_id, "Timeout", f"no answer within {in_flight.call.timeout:g} s")]

    def take_frames(self) -> list[str]:
        """The frames to send, in order; each is handed out once."""
        frames, self._out = self._out, []
        self.counters.sent += len(frames)
        return frames

    def take_noticed(self) -> list[SecurityObserved]:
        """Security events that were seen since the last call, for the station; each is handed out once."""
        noticed, self._noticed = self._noticed, []
        return noticed

    @property
    def flaw(self) -> tuple[str, str] | None:
        """What was wrong with the last message received: an error code, and a sentence that begins with the place."""
        return self._flaw

    def _notice(self, kind: str, what: str) -> None:
        if len(self._noticed) < NOTICED_MOST:
            self._noticed.append(SecurityObserved(kind, what))

    # ------------------------------------------------------------------ out

    def call(self, call: Call, now: float) -> list[Heard]:
        """Send a CALL, or keep it until the one in flight is answered or timed out (part 4, section 4.1.1).

        One that cannot go out has failed at once: ``LinkDown``, or ``InvalidRequest`` (a bug of ours; raises
        InvalidMessage instead where ``strict``).
        """
        if not self._up:
            return [CallFailed(call.call_id, "LinkDown", "there is no connection")]
        try:
            if not 0 < len(call.call_id) <= ID_LENGTH:
                raise InvalidMessage(f"message id of {len(call.call_id)} characters")
            if call.action not in schemas.ACTIONS_FROM_STATION:
                raise InvalidMessage("not an action of a charging station")
            schemas.validate_request(call.action, call.payload)
            frame = encode([CALL, call.call_id, call.action, call.payload])
        except (SchemaViolation, InvalidMessage) as error:
            description = self._own_bug(f"{call.action} request", error)
            return [CallFailed(call.call_id, "InvalidRequest", description)]
        self._waiting.append((call, frame))
        if self._in_flight is None:
            self._settle(now)
        return []

    def _settle(self, now: float) -> None:
        """Nothing is in flight (any more): the next call goes out."""
        self._in_flight = None
        if self._waiting:
            call, frame = self._waiting.popleft()
            self._in_flight = _InFlight(call, now + call.timeout)
            self._out.append(frame)
            self.counters.calls_out += 1

    def answer(self, answer: Answer) -> None:
        """Send the CALLRESULT. One that breaks the schema becomes CALLERROR InternalError.

        Raises InvalidMessage instead where ``strict``.
        """
        action = self._answered(answer.call_id)
        if action is None:
            return
        try:
            schemas.validate_response(action, answer.payload)
            frame = encode([CALLRESULT, answer.call_id, answer.payload])
        except (SchemaViolation, InvalidMessage) as error:
            self._own_bug(f"{action} response", error)
            frame = _error_frame(answer.call_id, "InternalError", "the answer could not be built")
        self._out.append(frame)

    def answer_error(self, answer: AnswerError) -> None:
        """Send a CALLERROR. A code outside part 4, table 8 becomes InternalError.

        Raises InvalidMessage instead where ``strict``.
        """
        action = self._answered(answer.call_id)
        if action is None:
            return
        try:
            if answer.code not in ERROR_CODES:
                raise InvalidMessage(f"no error code of part 4: {answer.code}")
            frame = _error_frame(answer.call_id, answer.code, answer.description, answer.details)
        except InvalidMessage as error:
            self._own_bug(f"{action} error", error)
            frame = _error_frame(answer.call_id, "InternalError", answer.description)
        self._out.append(frame)

    def _answered(self, call_id: str) -> str | None:
        action = self._unanswered.pop(call_id, None)
        if action is None:
            self.counters.stale_answers += 1
        return action

    def _own_bug(self, what: str, error: ValueError) -> str:
        self.counters.own_invalid += 1
        if self._strict:
            raise InvalidMessage(f"{what}: {error}") from error
        log.error("not sent: %s is invalid: %s", what, error)
        return str(error)[:DESCRIPTION_LENGTH]

    # ------------------------------------------------------------------ in

    def receive(self, frame: str | bytes, now: float) -> list[Heard]:
        """Take one WebSocket message. Never raises, whatever it holds; at most one frame to send comes of it."""
        self.counters.received += 1
        self._flaw = None
        raw = frame if isinstance(frame, bytes) else frame.encode("utf-8", "surrogatepass")
        if len(raw) > self._max_frame:
            self.counters.too_large += 1
            return self._cannot_read(raw, f"message of {len(raw)} bytes, the limit is {self._max_frame}", now)
        try:
            message = decode(raw)
        except Unreadable as error:
            self.counters.unreadable += 1
            return self._cannot_read(raw, str(error), now)
        if not isinstance(message, list):
            self.counters.unreadable += 1
            return self._refuse(UNREADABLE_ID, "RpcFrameworkError", "not a JSON array")
        heard = self._take(message, now, len(raw))
        if heard and isinstance(heard[0], CallReceived):
            self._watch_for_replays(raw, heard[0])
        return heard

    def _watch_for_replays(self, raw: bytes, call: CallReceived) -> None:
        """Message ids are unique on a connection (part 4, section 4.1.4): the same CALL again is a copy."""
        mark = hash(raw)
        if mark in self._handled:
            self.counters.replays += 1
            self._notice("AttemptedReplayAttacks", f"a {call.action} came again with the message id of an earlier one")
        else:
            self._handled.append(mark)

    def _take(self, message: list[Any], now: float, size: int) -> list[Heard]:
        kind = message[0] if message else None
        call_id = message[1] if len(message) > 1 else None
        if not isinstance(kind, int) or isinstance(kind, bool):
            self.counters.malformed += 1
            return self._refuse(_usable(call_id), "RpcFrameworkError", "no message type number")
        if kind == CALL:
            return self._take_call(message, call_id, size)
        if kind == CALLRESULT:
            return self._take_result(message, call_id, now)
        if kind == CALLERROR:
            return self._take_error(message, call_id, now)
        self.counters.unknown_message_type += 1
        return self._refuse(_usable(call_id), "MessageTypeNotSupported", f"message type {kind}")  # part 4, section 4.4

    def _take_call(self, message: list[Any], call_id: Any, size: int) -> list[Heard]:
        usable = _usable(call_id)
        problem = _call_problem(message, usable)
        if problem:
            self.counters.malformed += 1
            return self._refuse(usable, "RpcFrameworkError", problem)
        action, payload = message[2], message[3]
        self.counters.calls_in += 1
        if usable in self._unanswered:
            # Part 4, section 4.2.3: an id that is being handled already.
            self.counters.duplicates += 1
            return self._refuse(usable, "RpcFrameworkError", "a call with this message id is being handled")
        if len(self._unanswered) >= MAX_UNANSWERED:
            self.counters.floods += 1
            return self._refuse(usable, "GenericError", f"{MAX_UNANSWERED} calls are waiting for their answers")
        if not schemas.known(action):
            self.counters.unknown_action += 1
            return self._refuse(usable, "NotImplemented", f"unknown action {action[:50]!a}")
        if action not in schemas.ACTIONS_TO_STATION:
            self.counters.wrong_direction += 1
            return self._refuse(usable, "NotSupported", f"{action} is a call of the charging station")
        if payload is None:
            payload = {}  # part 4, section 4.1.5: null may stand for no payload
        if not isinstance(payload, dict):
            self.counters.schema_violations += 1
            return self._refuse(usable, "FormatViolation", "the payload is not an object")
        try:
            schemas.validate_request(action, payload)
        except SchemaViolation as violation:
            self.counters.schema_violations += 1
            return self._refuse(usable, violation.code, violation.description)
        self._unanswered[usable] = action
        return [CallReceived(usable, action, payload, size)]

    def _take_result(self, message: list[Any], call_id: Any, now: float) -> list[Heard]:
        in_flight = self._awaited(call_id)
        if in_flight is None:
            return self._take_late(message, call_id)
        try:
            payload = _result_of(in_flight.call.action, message)
        except SchemaViolation as violation:
            return self._invalid_answer(in_flight, violation.description, now)
        self._settle(now)
        return [CallAnswered(in_flight.call.call_id, payload)]

    def _take_late(self, message: list[Any], call_id: Any) -> list[Heard]:
        """The result of a call that has timed out still says that the CSMS has it; everything else late is dropped."""
        self.counters.late_answers += 1
        action = self._timed_out.pop(call_id, None) if isinstance(call_id, str) else None
        if action is None:
            self._flaw = UNEXPECTED
            return []
        try:
            return [CallAnswered(call_id, _result_of(action, message))]
        except SchemaViolation:
            return []

    def _take_error(self, message: list[Any], call_id: Any, now: float) -> list[Heard]:
        in_flight = self._awaited(call_id)
        if in_flight is None:
            self.counters.late_answers += 1
            self._flaw = UNEXPECTED
            return []
        # An error is an error however it is written: unknown codes are kept, missing parts are empty.
        code, description, details = (message[2:5] + [None] * 3)[:3]
        self._settle(now)
        self.counters.error_answers += 1
        return [
            CallFailed(
                in_flight.call.call_id,
                code[:50] if isinstance(code, str) and code else "GenericError",
                description[:DESCRIPTION_LENGTH] if isinstance(description, str) else "",
                details if isinstance(details, dict) else {},
            )
        ]

    def _awaited(self, call_id: Any) -> _InFlight | None:
        in_flight = self._in_flight
        return in_flight if in_flight is not None and in_flight.call.call_id == call_id else None

    def _invalid_answer(self, in_flight: _InFlight, description: str, now: float) -> list[Heard]:
        self._settle(now)
        self.counters.invalid_answers += 1
        self._flaw = "InvalidAnswer", description
        log.warning("answer to %s is invalid: %a", in_flight.call.action, description)
        self._notice("InvalidMessages", f"answer to {in_flight.call.action}: {description}")
        return [CallFailed(in_flight.call.call_id, "InvalidAnswer", description)]

    def _cannot_read(self, raw: bytes, why: str, now: float) -> list[Heard]:
        """What is broken may still have a readable head: a CALL then gets its own id, an answer is never answered."""
        head = _HEAD.match(raw)
        call_id = head[2].decode("utf-8", "replace") if head else UNREADABLE_ID
        if head and int(head[1]) in (CALLRESULT, CALLERROR):
            in_flight = self._awaited(call_id)
            if in_flight is not None:
                return self._invalid_answer(in_flight, why, now)
            self.counters.late_answers += 1
            self._flaw = "RpcFrameworkError", why
            return []
        return self._refuse(_usable(call_id), "RpcFrameworkError", why)

    def _refuse(self, call_id: str, code: str, description: str) -> list[Heard]:
        log.warning("refused a message of the CSMS with %s: %a", code, description)
        self._flaw = code, description
        if code in NOT_OCPP:
            self._notice("InvalidMessages", f"{code}: {description!a}")
        if self._up:
            self._out.append(_error_frame(call_id, code, description))
        return []

    def _forget_link(self) -> None:
        self._in_flight = None
        self._waiting.clear()
        self._timed_out.clear()
        self._unanswered.clear()
        self._handled.clear()
        self._out.clear()


def _usable(call_id: Any) -> str:
    """``call_id`` where a CALLERROR can carry it, else "-1"."""
    if isinstance(call_id, str) and 0 < len(call_id) <= ID_LENGTH and clean(call_id):
        return call_id
    return UNREADABLE_ID


def _call_problem(message: list[Any], usable: str) -> str:
    """What makes ``message`` no CALL (part 4, table 5), or nothing."""
    if usable == UNREADABLE_ID:
        return f"the message id must be a string of 1 to {ID_LENGTH} characters"
    if len(message) != 4:
        return f"a CALL has 4 elements, not {len(message)}"
    if not isinstance(message[2], str):
        return "the action is not a string"
    return ""


def _result_of(action: str, message: list[Any]) -> dict[str, Any]:
    """The payload of a CALLRESULT (part 4, table 6); raises SchemaViolation where it is none or breaks the schema."""
    if len(message) != 3:
        raise SchemaViolation("RpcFrameworkError", f"a CALLRESULT has 3 elements, not {len(message)}")
    payload = {} if message[2] is None else message[2]  # part 4, section 4.1.5
    if not isinstance(payload, dict):
        raise SchemaViolation("FormatViolation", "the payload is not an object")
    schemas.validate_response(action, payload)
    return payload


def _error_frame(call_id: str, code: str, description: str, details: Json | None = None) -> str:
    readable = description.encode("utf-8", "replace").decode("utf-8")[:DESCRIPTION_LENGTH]
    return encode([CALLERROR, call_id, code, readable, details or {}])
