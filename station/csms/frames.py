"""OCPP-J frames as a CSMS reads and writes them: text in, typed frames or a defect out. Pure.

The demonstration CSMS reads with eyes of its own, not with the station's RPC layer: what both get wrong the same
way would never show. Only the schemas are shared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from station.ocpp import schemas

Payload: TypeAlias = Mapping[str, Any]

CALL, CALLRESULT, CALLERROR = 2, 3, 4
UNREADABLE_ID = "-1"  # part 4, 4.2.3: where no message id can be read
DESCRIPTION_LENGTH = 255
ID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class CallFrame:
    message_id: str
    action: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class ResultFrame:
    message_id: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    message_id: str
    code: str
    description: str = ""
    details: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Defect:
    """A frame that is none; ``code`` is the CALLERROR's (part 4, table 8).

    ``answerable`` is False for a broken answer: two sides that answer each other's errors would never stop.
    """

    message_id: str
    code: str
    description: str
    answerable: bool = True


Frame: TypeAlias = CallFrame | ResultFrame | ErrorFrame


def parse(text: str) -> Frame | Defect:
    """The frame in ``text``, its payload not yet checked against a schema; never raises."""
    try:
        frame = json.loads(text, parse_constant=_no_constant)
        json.dumps(frame, ensure_ascii=False).encode()  # no lone surrogates in what goes to disk
    except (ValueError, RecursionError) as error:
        return Defect(UNREADABLE_ID, "RpcFrameworkError", f"no JSON: {error}")
    if not isinstance(frame, list) or len(frame) < 3:
        answerable = not isinstance(frame, list) or frame[:1] not in ([CALLRESULT], [CALLERROR])
        return Defect(UNREADABLE_ID, "RpcFrameworkError", "no OCPP frame: a list of three or more is due", answerable)
    kind, message_id, *rest = frame
    if not isinstance(message_id, str) or not 0 < len(message_id) <= ID_LENGTH:
        return Defect(UNREADABLE_ID, "RpcFrameworkError", "the message id is no text of 1 to 36 characters")
    match kind, rest:
        case int(), [str(action), dict(payload)] if kind == CALL:
            return CallFrame(message_id, action, payload)
        case int(), [dict(payload)] if kind == CALLRESULT:
            return ResultFrame(message_id, payload)
        case int(), [str(code), str(description), dict(details)] if kind == CALLERROR:
            return ErrorFrame(message_id, code, description, details)
    if kind in (CALL, CALLRESULT, CALLERROR):
        description = "the elements of the frame are not those of its type"
        return Defect(message_id, "RpcFrameworkError", description, answerable=kind == CALL)
    return Defect(message_id, "MessageTypeNotSupported", "unknown message type")


def text_of(frame: Frame) -> str:
    """``frame`` on the wire."""
    match frame:
        case CallFrame(message_id, action, payload):
            parts = [CALL, message_id, action, payload]
        case ResultFrame(message_id, payload):
            parts = [CALLRESULT, message_id, payload]
        case ErrorFrame(message_id, code, description, details):
            parts = [CALLERROR, message_id, code, description[:DESCRIPTION_LENGTH], details]
    return json.dumps(parts, separators=(",", ":"))


# ------------------------------------------------------------------ schemas


def request_flaw(action: str, payload: Payload) -> tuple[str, str] | None:
    """Error code and description of what is wrong with a request; None where it is valid. KeyError: no such action."""
    return _flaw(schemas.validate_request, action, payload)


def response_flaw(action: str, payload: Payload) -> tuple[str, str] | None:
    """As ``request_flaw``, of the response."""
    return _flaw(schemas.validate_response, action, payload)


def _flaw(validate: Callable[[str, Payload], None], action: str, payload: Payload) -> tuple[str, str] | None:
    try:
        validate(action, payload)
    except schemas.SchemaViolation as violation:
        return violation.code, violation.description
    except ValueError as unusable:  # lone surrogates
        return "FormatViolation", str(unusable)
    return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
