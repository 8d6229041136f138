"""The trace of OCPP: what went between station and CSMS lately, for an installer to read.

The uplink appends, without ever waiting, to a Redis stream of limited length; the web server reads it. Nothing of it is
on the disk, so it wears no flash, and it is gone with Redis. What is in it has left its secrets behind already
(``store.messages``); ``encode`` and ``decode`` are the only ways in and out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

ENTRIES = 2_000  # messages and events kept, the newest ones
BYTES = 3 * 1024 * 1024  # of Redis' memory; the oldest go first
FIELD = b"r"  # of a stream entry: the record

CALL, RESULT, ERROR, UNREADABLE, EVENT = "call", "result", "error", "unreadable", "event"
KINDS = frozenset({CALL, RESULT, ERROR, UNREADABLE, EVENT})
OUT, IN = "out", "in"  # from the station, from the CSMS

# events, and what their ``payload`` tells
STARTED = "started"  # the uplink began: {}
CONNECTED = "connected"  # {"url", "slot", "security_profile"}
REFUSED = "refused"  # an attempt came to nothing: {"slot", "security_profile", "cause", "why"}
LOST = "lost"  # {"why"}
TIMED_OUT = "timed_out"  # no answer came to the call ``message_id``: {"why"}
LEFT_OUT = "left_out"  # too much at once: {"count"}


@dataclass(frozen=True, slots=True)
class Record:
    """One message, or one event of the connection.

    ``at`` is the machine's UTC in seconds since 1970, ``monotonic`` seconds of the machine's running clock (for
    latencies). ``action`` is that of a CALL; for an event its own word. ``payload`` is redacted and may be shortened
    (``cut``); for an error it is ``{"code", "description", "details"}``; None where nothing can be shown. ``size`` is
    in bytes, of the message as it was on the wire. ``flaw`` is what the station found wrong with a message of the
    CSMS: a CALLERROR's code and a sentence, which begins with the place in the payload.
    """

    kind: str
    direction: str
    at: float
    monotonic: float
    message_id: str = ""
    action: str = ""
    payload: dict[str, Any] | None = None
    size: int = 0
    cut: bool = False
    flaw: tuple[str, str] | None = None


def stream(instance: str) -> str:
    """The key of the stream; ``instance`` tells appliances on one Redis apart."""
    return f"station-{instance}:trace"


def encode(record: Record) -> bytes:
    """A record as it stands in the stream."""
    told = {
        "k": record.kind,
        "d": record.direction,
        "t": round(record.at, 3),
        "m": round(record.monotonic, 4),
        "i": record.message_id,
        "a": record.action,
        "p": record.payload,
        "n": record.size,
    }
    if record.cut:
        told["c"] = 1
    if record.flaw:
        told["f"] = record.flaw
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def decode(data: bytes) -> Record:
    """The record behind ``encode``; raises ValueError where it is none."""
    try:
        told = json.loads(data)
        kind, direction = told["k"], told["d"]
        if kind not in KINDS or direction not in (OUT, IN):
            raise ValueError("no record of a trace")
        payload, flaw = told.get("p"), told.get("f")
        return Record(
            kind,
            direction,
            float(told["t"]),
            float(told["m"]),
            str(told["i"]),
            str(told["a"]),
            payload if isinstance(payload, dict) else None,
            int(told["n"]),
            bool(told.get("c")),
            (str(flaw[0]), str(flaw[1])) if flaw else None,
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"no record of a trace: {error!r}") from None
