"""A life in plain words: what people and mishaps did, what the station said, and which rule broke."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.simulation import deeds
from tests.simulation.life import Outcome, live
from tests.simulation.script import DAY, Script

DULL = ("Heartbeat", "MeterValues")  # left out
PERIODIC = ("MeterValuePeriodic", "MeterValueClock")


def clock(t: float) -> str:
    """``Day 1, 08:00:12.3``."""
    rest = timedelta(seconds=round(t % DAY, 1))
    hours, seconds = divmod(rest.total_seconds(), 3600)
    return f"day {int(t // DAY) + 1}, {int(hours):02}:{int(seconds // 60):02}:{seconds % 60:04.1f}"


class Story:
    """Collects lines while a life is lived."""

    def __init__(self, *, everything: bool = False) -> None:
        self.lines: list[str] = []
        self._everything = everything
        self._calls: dict[str, str] = {}

    def tell(self, t: float, kind: str, what: Any) -> None:
        """The world's ``tell``."""
        line = self._line(kind, what)
        if line:
            self.lines.append(f"{clock(t):>22}  {line}")

    def _line(self, kind: str, what: Any) -> str:
        match kind:
            case "deed":
                return "* " + deeds.words(what)
            case "note":
                return f"--- {what} ---"
            case "gone":
                return f"* the station is gone for {what['away']:g} s" + (", and the board" if what["board"] else "")
            case "line":
                return "* the connection is down"
            case ">":
                return self._frame("station:", json.loads(what))
            case "<":
                try:
                    return self._frame("   CSMS:", json.loads(what))
                except ValueError:
                    return f"   CSMS: {what!r}"
        return ""

    def _frame(self, who: str, frame: Any) -> str:
        if not isinstance(frame, list) or len(frame) < 3:
            return f"{who} {frame}"
        if frame[0] == 2 and len(frame) == 4:
            self._calls[frame[1]] = frame[2]
            if (frame[2] in DULL or frame[3].get("triggerReason") in PERIODIC) and not self._everything:
                return ""
            return f"{who} {frame[2]} {_short(frame[2], frame[3])}"
        action = self._calls.get(frame[1], frame[1])
        if action in DULL and not self._everything:
            return ""
        if frame[0] == 3 and not frame[2] and not self._everything:
            return ""
        return f"{who} {'answers' if frame[0] == 3 else 'error for'} {action}: {json.dumps(frame[2])[:160]}"


def _short(action: str, payload: dict[str, Any]) -> str:
    if action == "TransactionEvent":
        info = payload["transactionInfo"]
        words = [payload["eventType"], payload["triggerReason"], f"seqNo {payload['seqNo']}"]
        words += [info.get("chargingState", ""), info.get("stoppedReason", ""), f"of {info['transactionId'][:4]}"]
        words += [f"EVSE {payload['evse']['id']}"] if "evse" in payload else []
        words += [f"idToken {payload['idToken']['idToken']}"] if "idToken" in payload else []
        words += ["(offline)"] if payload.get("offline") else []
        return " ".join(word for word in words if word)
    if action == "StatusNotification":
        return f"EVSE {payload['evseId']} {payload['connectorStatus']}"
    return json.dumps(payload)[:200]


def story(script: Script, *, everything: bool = False, last: int = 30) -> tuple[str, Outcome]:
    """The life in words (its last lines, where it is long), and how it went."""
    told = Story(everything=everything)
    outcome = live(script, told.tell)
    lines = told.lines if everything else told.lines[-last:]
    head = [
        f"seed {script.seed}, {script.evses} EVSEs (sockets: {list(script.sockets) or 'none'}), {script.days:g} days, "
        f"{len(script.deeds)} deeds, style {script.style}",
        "  " + ", ".join(f"{name} = {value}" for name, value in script.variables.items()),
    ]
    if len(lines) < len(told.lines):
        head.append(f"  … {len(told.lines) - len(lines)} lines before …")
    end = "Every rule held."
    if outcome.broken:
        end = f"{clock(outcome.t):>22}  BROKEN {outcome.broken.rule}: {outcome.broken.text}"
    return "\n".join([*head, "", *lines, end]), outcome
