"""The rules of the wire (part 4, block B): one CALL at a time, each answered once, valid, and only when allowed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from station.ocpp import schemas
from tests.simulation.broken import Broken

ANSWERS_WITHIN = 6.5  # s: an unlock may take 5
ID_LENGTH = 36  # part 4, table 4; an unusable id is answered with "-1"
# While Pending only what the CSMS asked for (B02.FR.02): these it asks for by calls of its own.
ASKED_FOR = {"BootNotification", "NotifyReport", "NotifyCustomerInformation", "LogStatusNotification"}


@dataclass
class _Outstanding:
    call_id: str
    action: str
    expires: float


class Wire:
    """One connection after another, as the station's side of it is seen."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.registration: str | None = None
        self.not_before = 0.0  # the next BootNotification, after Pending or Rejected
        self.triggered: set[str] = set()
        self._outstanding: _Outstanding | None = None
        self._owed: dict[str, list[float]] = {}  # message id of a CALL of the CSMS -> until when it is to be answered
        self._actions: dict[str, tuple[str, Any]] = {}
        self.accepted: list[tuple[str, Any, Any]] = []  # calls of the CSMS with the station's answers, to be taken

    # ------------------------------------------------------------------ life and link

    def booted(self) -> None:
        self.registration = None
        self.not_before = 0.0
        self.closed()

    def closed(self) -> None:
        self._outstanding = None
        self._owed.clear()
        self._actions.clear()

    # ------------------------------------------------------------------ frames

    def delivered(self, frame: Any, t: float) -> bool:
        """A readable frame reached the station; True where it answers the call that waits for it."""
        if not isinstance(frame, list) or len(frame) < 3:
            return False
        if frame[0] == 2 and len(frame) == 4 and isinstance(frame[1], str) and 0 < len(frame[1]) <= ID_LENGTH:
            self._owed.setdefault(frame[1], []).append(t + ANSWERS_WITHIN)
            self._actions[frame[1]] = (frame[2], frame[3])
        elif frame[0] in (3, 4) and self._outstanding and frame[1] == self._outstanding.call_id:
            in_time = t < self._outstanding.expires
            self._answered(self._outstanding, frame, t)
            self._outstanding = None
            return in_time
        return False

    def broken_off(self, text: str) -> None:
        """Something unreadable reached the station; its head may still say what it answers."""
        if self._outstanding and text.startswith(f'[3, "{self._outstanding.call_id}"'):
            self._outstanding = None

    def _answered(self, call: _Outstanding, frame: Any, t: float) -> None:
        if call.action != "BootNotification" or frame[0] != 3 or "status" not in frame[2] or t >= call.expires:
            return
        self.registration = frame[2]["status"]
        self.triggered.clear()
        if self.registration != "Accepted":
            self.not_before = t + frame[2]["interval"]

    def sent(self, frame: list[Any], t: float) -> None:
        """The station put that on the wire."""
        if frame[0] == 2:
            self._call(frame[1], frame[2], frame[3], t)
        else:
            self._answer(frame)

    def _call(self, call_id: str, action: str, payload: Any, t: float) -> None:
        waiting = self._outstanding
        if waiting is not None and t < waiting.expires - 1e-3:
            raise Broken("one_call", f"{action} goes out while {waiting.action} is not answered")
        try:
            schemas.validate_request(action, payload)
        except schemas.SchemaViolation as flaw:
            raise Broken("schema", f"{action}: {flaw.description}") from None
        self._outstanding = _Outstanding(call_id, action, t + self.timeout)
        if self.registration == "Accepted":
            return
        if self.registration == "Pending" and (action in self.triggered or action in ASKED_FOR - {"BootNotification"}):
            return
        if action != "BootNotification":
            raise Broken("not_accepted", f"{action} is sent while the registration is {self.registration}")
        if t < self.not_before - 0.1 and "BootNotification" not in self.triggered:
            raise Broken("boot_too_early", "BootNotification before the interval is over (B02.FR.07, B03.FR.06)")

    def _answer(self, frame: list[Any]) -> None:
        call_id = frame[1]
        owed = self._owed.get(call_id)
        if not owed:
            if frame[0] == 4 and frame[2] != "InternalError":
                return  # of something that was no call
            raise Broken("answered_twice", f"an answer to {call_id}, which waits for none: {json.dumps(frame)[:200]}")
        owed.pop(0)
        if not owed:
            del self._owed[call_id]
        action, request = self._actions.get(call_id, ("", None))
        if frame[0] == 4:
            if frame[2] == "InternalError":
                raise Broken("internal_error", f"{action} {json.dumps(request)} is answered with InternalError")
            return
        try:
            schemas.validate_response(action, frame[2])
        except schemas.SchemaViolation as flaw:
            raise Broken("schema", f"answer to {action}: {flaw.description}") from None
        if action == "TriggerMessage" and frame[2]["status"] == "Accepted":
            self.triggered.add(request["requestedMessage"])
        self.accepted.append((action, request, frame[2]))

    def unanswered(self) -> list[tuple[str, Any]]:
        """Calls of the CSMS that the station has and did not answer: action and payload."""
        return [self._actions[call_id] for call_id in self._owed]

    def check(self, t: float) -> None:
        """Nothing waits for an answer for too long."""
        for call_id, owed in self._owed.items():
            if owed[0] < t - 1e-3:
                raise Broken("not_answered", f"{self._actions.get(call_id)} got no answer within {ANSWERS_WITHIN} s")
