"""What goes wrong, and what the CSMS and its operators want of the station: written down in advance, like visits.

Most of it falls where it hurts: within seconds of something that people do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from station.domain.board import Fault
from tests.simulation.configurations import CHOICES, SETTABLE
from tests.simulation.people import COMMUTERS, STRANGER
from tests.simulation.script import DAY, Deed

# name -> (faults a day, which kinds, by weight)
STYLES: dict[str, tuple[float, dict[str, float]]] = {
    "calm": (0.0, {}),
    "managed": (8.0, {"calls": 1}),
    "network": (14.0, {"network": 4, "slow": 1, "calls": 1}),
    "csms": (12.0, {"answers": 4, "registration": 1, "calls": 2}),
    "power": (10.0, {"power": 1, "network": 0.3}),
    "board": (12.0, {"board": 1}),
    "clock": (8.0, {"clock": 3, "power": 1, "network": 1}),
    "everything": (
        24.0,
        {"network": 4, "slow": 1, "answers": 4, "registration": 1, "calls": 4, "power": 3, "board": 4, "clock": 1},
    ),
}
LATER = (0.0, 0.0, 0.05, 0.3, 0.7, 1.1, 2.0, 5.0, 20.0)  # s behind somebody's deed
LIES: tuple[dict[str, Any], ...] = (
    {"energy": 0},
    {"energy": 0xFFFF_FFFF},
    {"energy": 10**12},
    {"ok": False},
    {"age": 60.0},
    {"total_power": 1e9},
)
ANSWERS = ("error", "silent", "late", "wrong", "twice", "garbage", "refuse", "not_implemented")
ACTIONS = ("TransactionEvent", "Authorize", "StatusNotification", "Heartbeat", "MeterValues", "NotifyEvent", "*")
YEARS = 365.25 * DAY
CUTS = ("before_commit", "after_commit", "mid_effects")


class Faults:
    """Writes the mishaps of a script, and the calls of the CSMS."""

    def __init__(self, rng: random.Random, evses: int, days: float, style: str) -> None:
        self._rng = rng
        self._evses = evses
        self._days = days
        self._rate, self._kinds = STYLES[style]
        self._count = 0

    def deeds(self, people: Sequence[Deed]) -> Iterator[Deed]:
        """The mishaps; ``people`` are the deeds among which they fall."""
        if not self._kinds:
            return
        rng = self._rng
        writers: dict[str, Callable[[float], Iterator[Deed]]] = {
            name: getattr(self, f"_{name}") for name in self._kinds
        }
        for _ in range(round(self._rate * self._days * rng.uniform(0.5, 1.5))):
            at = rng.random() * self._days * DAY
            if people and rng.random() < 0.75:
                at = rng.choice(people).at + rng.choice(LATER)
            name = rng.choices(list(self._kinds), list(self._kinds.values()))[0]
            self._count += 1
            group = f"fault {self._count}"
            for deed in writers[name](max(0.0, at)):
                yield Deed(round(deed.at, 3), deed.kind, deed.args, group)

    def _evse(self) -> int:
        return self._rng.randint(1, self._evses)

    # ------------------------------------------------------------------ on the way

    def _network(self, at: float) -> Iterator[Deed]:
        rng = self._rng
        away = rng.choice((0.5, 5.0, 40.0, 300.0, 4_000.0, 50_000.0))
        what = rng.random()
        if what < 0.5:
            yield Deed(at, "drop", {"away": away, "swallowed": rng.random() < 0.5})
        elif what < 0.8:
            hole = rng.choice((2.0, 20.0, 65.0))
            yield Deed(at, "hole", {"seconds": hole, "away": min(away, 300.0)})
        else:
            for number in range(rng.randint(3, 10)):
                yield Deed(at + number * rng.choice((1.0, 3.0)), "drop", {"away": 0.5, "swallowed": rng.random() < 0.5})

    def _slow(self, at: float) -> Iterator[Deed]:
        rng = self._rng
        seconds, latency = rng.choice((60.0, 600.0)), rng.choice((0.5, 3.0, 12.0, 29.0))
        yield Deed(at, "slow", {"seconds": seconds, "latency": latency})

    # ------------------------------------------------------------------ the CSMS

    def _answers(self, at: float) -> Iterator[Deed]:
        rng = self._rng
        yield Deed(
            at,
            "answers",
            {
                "action": rng.choice(ACTIONS),
                "how": rng.choice(ANSWERS),
                "seconds": rng.choice((5.0, 60.0, 600.0, 7200.0)),
                "late": rng.choice((8.0, 29.0, 35.0, 100.0)),
            },
        )

    def _registration(self, at: float) -> Iterator[Deed]:
        """Maintenance: the CSMS goes, and is not ready for the station at once."""
        rng = self._rng
        status = rng.choice(("Pending", "Rejected"))
        yield Deed(at, "registration", {"status": status, "seconds": rng.choice((30.0, 400.0, 3000.0))})
        if rng.random() < 0.7:
            yield Deed(at + 1, "power_cut", {"point": "after_commit", "steps": 0, "away": 3.0, "board": False})
        else:
            yield Deed(at + 1, "drop", {"away": 10.0, "swallowed": True})

    def _calls(self, at: float) -> Iterator[Deed]:
        rng = self._rng
        evse = self._evse()
        what = rng.randrange(16)
        if what == 0:
            uid = rng.choice((*COMMUTERS, STRANGER))
            yield Deed(at, "remote_start", {"uid": uid, "evse": rng.choice((evse, evse, None, 9))})
        elif what == 1:
            yield Deed(at, "remote_stop", {"evse": evse})
        elif what == 2:
            args: dict[str, Any] = {"type": rng.choice(("Immediate", "OnIdle"))}
            yield Deed(at, "call", {"action": "Reset", "payload": args})
        elif what == 3:
            args = {"type": rng.choice(("Immediate", "OnIdle")), "evseId": evse}
            yield Deed(at, "call", {"action": "Reset", "payload": args})
        elif what in (4, 5):
            target = rng.choice(({}, {"evse": {"id": evse}}, {"evse": {"id": evse, "connectorId": 1}}))
            for status, delay in (("Inoperative", 0.0), ("Operative", rng.choice((2.0, 200.0, 20_000.0)))):
                payload = {"operationalStatus": status, **target}
                yield Deed(at + delay, "call", {"action": "ChangeAvailability", "payload": payload})
        elif what == 6:
            yield Deed(at, "call", {"action": "UnlockConnector", "payload": {"evseId": evse, "connectorId": 1}})
        elif what in (7, 8):
            name = rng.choice(SETTABLE)
            yield Deed(at, "set_variable", {"name": name, "value": rng.choice(CHOICES[name])})
        elif what == 9:
            message = rng.choice(
                ("TransactionEvent", "StatusNotification", "MeterValues", "Heartbeat", "BootNotification")
            )
            payload = {"requestedMessage": message, "evse": {"id": evse, "connectorId": 1}}
            yield Deed(at, "call", {"action": "TriggerMessage", "payload": payload})
        elif what == 10:
            action, payload = rng.choice(QUESTIONS)
            yield Deed(at, "call", {"action": action, "payload": payload})
        elif what == 11:
            payload = {"requestId": rng.randrange(1000), "reportBase": "SummaryInventory"}
            yield Deed(at, "call", {"action": "GetBaseReport", "payload": payload})
        elif what == 12:
            yield Deed(at, "call", {"action": "ClearCache", "payload": {}})
        elif what == 13:
            yield Deed(at, "crossed", {"evse": evse})
        elif what == 14:
            yield Deed(at, "babble", {"text": rng.choice(BABBLE)})
        else:
            yield Deed(at, "operator", {"action": "restart"})

    # ------------------------------------------------------------------ power and disk

    def _power(self, at: float) -> Iterator[Deed]:
        rng = self._rng
        if rng.random() < 0.1:
            yield Deed(at, "disk", {"seconds": rng.choice((2.0, 40.0))})
            return
        for _ in range(rng.choice((1, 1, 1, 3))):
            board = rng.random() < 0.6
            yield Deed(
                at,
                "power_cut",
                {
                    "point": rng.choice(CUTS),
                    "steps": rng.choice((0, 0, 1, 2, 3, 5, 8)),
                    "away": rng.choice((0.5, 3.0, 20.0, 70.0, 4_000.0)) if board else rng.choice((0.5, 3.0, 20.0)),
                    "board": board,
                },
            )
            at += rng.choice((1.0, 4.0, 30.0))

    # ------------------------------------------------------------------ the board

    def _board(self, at: float) -> Iterator[Deed]:
        rng = self._rng
        evse, lasts = self._evse(), rng.choice((0.3, 3.0, 10.0, 60.0, 900.0))
        what = rng.randrange(8)
        if what in (0, 1):
            yield Deed(at, "fault", {"evse": evse, "fault": str(rng.choice(list(Fault)))})
            yield Deed(at + lasts, "fault", {"evse": evse, "fault": None})
        elif what == 2:
            yield Deed(at, "lie", {"evse": evse, "says": rng.choice(LIES), "seconds": lasts})
        elif what == 3:
            yield Deed(at, "board_offline", {"seconds": lasts})
        elif what == 4:
            yield Deed(at, "board_reset", {"seconds": rng.choice((0.3, 4.0, 40.0))})
        elif what == 5:
            yield Deed(at, "redis", {"seconds": lasts})
        elif what == 6:
            yield Deed(at, "lock", {"evse": evse, "how": rng.choice(("stuck", "broken")), "seconds": lasts})
        else:
            yield Deed(at, "stale_snapshot", {"age": rng.choice((0.2, 1.0, 5.0))})

    # ------------------------------------------------------------------ clocks

    def _clock(self, at: float) -> Iterator[Deed]:
        rng = self._rng
        moved = rng.choice((-10 * YEARS, -3600.0, -30.0, 30.0, 3600.0, 10 * YEARS))
        if rng.random() < 0.6:
            yield Deed(at, "wall_clock", {"moved": moved})
            if rng.random() < 0.7:
                yield Deed(at + rng.choice((60.0, 7200.0)), "wall_clock", {"moved": None})
        else:
            yield Deed(at, "csms_clock", {"moved": moved, "seconds": rng.choice((1000.0, 20_000.0))})


QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("GetTransactionStatus", {}),
    ("GetLocalListVersion", {}),
    ("GetLog", {"logType": "DiagnosticsLog", "requestId": 1, "log": {"remoteLocation": "http://logs.example/up"}}),
    (
        "CustomerInformation",
        {"requestId": 2, "report": True, "clear": False, "idToken": {"idToken": COMMUTERS[0], "type": "ISO14443"}},
    ),
    ("GetVariables", {"getVariableData": [{"component": {"name": "ClockCtrlr"}, "variable": {"name": "DateTime"}}]}),
)
BABBLE = (
    "",
    "[]",
    "{}",
    '"hello"',
    "[2]",
    '[2,"x","Reset"]',
    '[2,"x","Reset",{"type":"Sometimes"}]',
    '[2,"x","NoSuchAction",{}]',
    '[3,"never-asked",{}]',
    '[4,"never-asked","GenericError","",{}]',
    '[5,"x",{}]',
    '[2,"","Reset",{}]',
    '[2,"' + "x" * 40 + '","GetVariables",{}]',
    '[2,"x","GetVariables",null]',
    "\u0000",
    "[" * 200,
)
