"""The simulated CSMS: it knows cards and transactions, answers as it is told to, and calls the station."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from station.domain.moment import rfc3339
from tests.simulation.line import Line, Timetable

UNKNOWN_CARD = {"status": "Unknown"}


@dataclass
class Mood:
    """How it answers for a while. ``action`` ``*`` is every one."""

    action: str
    how: str
    until: float
    late: float = 0.0

    def concerns(self, action: str, t: float) -> bool:
        return t < self.until and self.action in ("*", action)


@dataclass
class Heard:
    """A transaction as far as it was told; nothing is judged here."""

    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    ended: bool = False
    evse_id: int | None = None


class Csms:
    """One CSMS with one station. ``utc`` is the true time."""

    def __init__(
        self,
        timetable: Timetable,
        utc: Callable[[], datetime],
        cards: Mapping[str, Mapping[str, Any]],
        heartbeat: int,
    ) -> None:
        self.line: Line
        self.cards = cards
        self.transactions: dict[str, Heard] = {}
        self.statuses: dict[int, str] = {}
        self.moods: list[Mood] = []
        self.registration: tuple[str, float] = ("Accepted", 0.0)  # what it answers a BootNotification, until when
        self.utc = utc
        self.time_now: Callable[[], datetime] = utc  # what it believes
        self.on_answer: Callable[[str, Mapping[str, Any], Mapping[str, Any]], None] | None = None
        self.hears: Callable[[list[Any]], None] | None = None
        self._timetable = timetable
        self._heartbeat = heartbeat
        self._calls = 0
        self._waiting: dict[str, tuple[str, Mapping[str, Any]]] = {}

    # ------------------------------------------------------------------ the station's calls

    def receive(self, text: str) -> None:
        """A message of the station."""
        frame = json.loads(text)
        if self.hears:
            self.hears(frame)
        if frame[0] == 2:
            self._answer(frame[1], frame[2], frame[3])
        elif frame[0] == 3 and frame[1] in self._waiting:
            action, payload = self._waiting.pop(frame[1])
            if self.on_answer:
                self.on_answer(action, payload, frame[2])
        elif frame[0] == 4:
            self._waiting.pop(frame[1], None)

    def _answer(self, call_id: str, action: str, payload: dict[str, Any]) -> None:
        self._note(action, payload)
        mood = next((one for one in self.moods if one.concerns(action, self._timetable.t)), None)
        reply = json.dumps([3, call_id, self._reply(action, payload)])
        match mood.how if mood else "":
            case "error":
                reply = json.dumps([4, call_id, "InternalError", "not today", {}])
            case "not_implemented":
                reply = json.dumps([4, call_id, "NotImplemented", "", {}])
            case "wrong":
                reply = json.dumps([3, call_id, {"customData": 7}])
            case "garbage":
                reply = reply[:-3]
            case "silent":
                return
            case "late" if mood:
                number = self.line.number
                self._timetable.at(
                    self._timetable.t + mood.late, lambda: self.line.number == number and self.line.to_station(reply)
                )
                return
            case "twice":
                self.line.to_station(reply)
            case "refuse" if action in ("Authorize", "TransactionEvent") and "idToken" in payload:
                reply = json.dumps([3, call_id, {"idTokenInfo": {"status": "Invalid"}}])
        self.line.to_station(reply)

    def _note(self, action: str, payload: dict[str, Any]) -> None:
        if action == "TransactionEvent":
            self._take(payload)
        elif action == "StatusNotification":
            self.statuses[payload["evseId"]] = payload["connectorStatus"]

    def _take(self, event: dict[str, Any]) -> None:
        heard = self.transactions.setdefault(event["transactionInfo"]["transactionId"], Heard())
        heard.events[event["seqNo"]] = event
        heard.ended = heard.ended or event["eventType"] == "Ended"
        heard.evse_id = event.get("evse", {}).get("id", heard.evse_id)

    def _reply(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        now = rfc3339(self.time_now())
        match action:
            case "BootNotification":
                status, until = self.registration
                if self._timetable.t >= until:
                    status = "Accepted"
                interval = self._heartbeat if status == "Accepted" else 60
                return {"status": status, "interval": interval, "currentTime": now}
            case "Heartbeat":
                return {"currentTime": now}
            case "Authorize":
                return {"idTokenInfo": self.opinion(payload["idToken"])}
            case "TransactionEvent":
                return {"idTokenInfo": self.opinion(payload["idToken"])} if "idToken" in payload else {}
            case "DataTransfer":
                return {"status": "UnknownVendorId"}
            case "SignCertificate" | "NotifyEVChargingNeeds" | "NotifyEVChargingSchedule":
                return {"status": "Rejected"}
        return {}

    def opinion(self, token: Mapping[str, Any]) -> dict[str, Any]:
        """IdTokenInfoType of a token."""
        if token["type"] in ("Local", "NoAuthorization"):
            return {"status": "Accepted"}
        return dict(self.cards.get(token["idToken"], UNKNOWN_CARD))

    # ------------------------------------------------------------------ its own calls

    def call(self, action: str, payload: Mapping[str, Any], *, call_id: str = "") -> str:
        """Call the station, where the line is up; returns the message id."""
        self._calls += 1
        call_id = call_id or f"csms-{self._calls}"
        self._waiting[call_id] = (action, payload)
        while len(self._waiting) > 50:
            del self._waiting[next(iter(self._waiting))]
        self.line.to_station(json.dumps([2, call_id, action, payload]))
        return call_id

    def running_on(self, evse_id: int | None) -> str | None:
        """The transaction that it believes to run on that EVSE (None: anywhere), the latest."""
        for transaction_id, heard in reversed(self.transactions.items()):
            if not heard.ended and evse_id in (None, heard.evse_id):
                return transaction_id
        return None
