"""An installer's hand at an EVSE: maintenance mode with a setpoint by hand, and the board's self-test.

An EVSE in maintenance is Unavailable to everybody else, the CSMS included, as one that is being reset is; what was set
by ChangeAvailability stays what it was. The mode is never entered where somebody charges, or has shown a card; it ends
by hand, when the person logs out, five minutes after the last thing that the person did, with a reset, and with the
process: nothing of it is remembered, so no power cut can keep a setpoint alive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from station.device_model.components import EVSE
from station.domain.availability import Outage, OutBy
from station.domain.board import BoardSnapshot, SelfTest
from station.domain.effects import FinishCommand
from station.domain.events import OperatorCommand
from station.domain.evse import Evse
from station.domain.moment import Moment, rfc3339
from station.domain.signals import EndTransactions, EvseChanged
from station.ocpp.block import Block
from station.ocpp.context import Context
from station.ocpp.power import Manual

WINDOW = 300.0  # s
LEAST = 6.0  # A; IEC 61851-1 has no smaller offer
TEST_PATIENCE = 20.0  # s for the board to begin a self-test and tell its outcome
TESTS = "self_tests"  # remembered: by EVSE id when the last one ended and how


@dataclass(frozen=True, slots=True)
class Mode:
    """One EVSE's maintenance. ``until`` is monotonic; ``manual`` None: nothing is offered."""

    who: str
    until: float
    manual: Manual | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """A self-test that is wished for. ``until`` is monotonic."""

    serial: int
    until: float
    who: str


class _Refused(Exception):
    """The text is for the person who asked."""


class Maintenance(Block):
    """Carries out ``begin_maintenance``, ``end_maintenance``, ``manual_setpoint`` and ``self_test``.

    ``limit`` says how many A an EVSE may offer at most.
    """

    def __init__(self, context: Context, limit: Callable[[Evse], float]) -> None:
        super().__init__()
        self._context = context
        self._limit = limit
        self._modes: dict[int, Mode] = {}
        self._tests: dict[int, Test] = {}
        self._serial = 0
        self._commands: dict[str, Callable[[OperatorCommand, Moment], str]] = {
            "begin_maintenance": self._begin,
            "end_maintenance": self._end,
            "manual_setpoint": self._set,
            "self_test": self._test,
        }

    @property
    def manual(self) -> Mapping[int, Manual]:
        """What is set by hand, by EVSE id; an EVSE in maintenance is always among them."""
        return {evse_id: mode.manual or Manual(0.0, 1) for evse_id, mode in self._modes.items()}

    @property
    def self_tests(self) -> tuple[tuple[int, int], ...]:
        """EVSE id and serial number of the self-tests to run (``Setpoint.self_tests``)."""
        return tuple((evse_id, test.serial) for evse_id, test in sorted(self._tests.items()))

    def as_json(self, now: Moment) -> dict[str, Any]:
        """For the live view, by EVSE id: the mode where there is one, the self-test, and what the cable carries."""
        return {str(evse.id): self._told(evse, now) for evse in self._context.evses.values()}

    def _told(self, evse: Evse, now: Moment) -> dict[str, Any]:
        told: dict[str, Any] = {"self_test": "Running"} if evse.id in self._tests else {}
        if evse.snapshot is not None:
            told |= {"cable_limit": evse.snapshot.cable_limit, "board_test": str(evse.snapshot.self_test)}
        mode = self._modes.get(evse.id)
        if mode is not None:
            manual = mode.manual
            told["maintenance"] = {
                "who": mode.who,
                "left": max(0, round(mode.until - now.monotonic)),
                "current": manual.current if manual else 0.0,
                "phases": manual.phases if manual else 0,
            }
        return told

    # ------------------------------------------------------------------ events

    def on(self, event: object, now: Moment) -> None:
        match event:
            case OperatorCommand() if event.action in self._commands:
                self._obey(event, now)
            case BoardSnapshot():
                self._look_at_tests(event, now)
            case EndTransactions():  # a reset begins anew with everything off
                for evse_id in [one for one in self._modes if event.evse_id in (None, one)]:
                    self._leave(evse_id, "reset", now)
        for evse_id, mode in list(self._modes.items()):
            if now.monotonic >= mode.until:
                self._leave(evse_id, "timeout", now)
        for evse_id, test in list(self._tests.items()):
            if now.monotonic >= test.until:
                self._tested(evse_id, "NoAnswer", now)

    def deadline(self) -> float | None:
        waits = [mode.until for mode in self._modes.values()] + [test.until for test in self._tests.values()]
        return min(waits, default=None)

    def _obey(self, command: OperatorCommand, now: Moment) -> None:
        try:
            status, said = "Accepted", self._commands[command.action](command, now)
        except _Refused as refused:
            status, said = "Rejected", str(refused)
        self._context.emit(FinishCommand(command.command_id, status, said))

    def _evse(self, command: OperatorCommand) -> Evse:
        evse_id = command.arguments.get("evse_id")
        evse = self._context.evses.get(evse_id) if type(evse_id) is int else None
        if evse is None:
            raise _Refused("There is no such EVSE.")
        return evse

    # ------------------------------------------------------------------ the mode

    def _begin(self, command: OperatorCommand, now: Moment) -> str:
        evse = self._evse(command)
        mode = self._modes.get(evse.id)
        if mode is not None and mode.who != command.who:
            raise _Refused(f"{mode.who} has EVSE {evse.id} in maintenance.")
        self._must_be_idle(evse)
        if self._context.lobby.authorization is not None:
            raise _Refused("Somebody has just shown a card. Wait until that car is plugged in, or the time is over.")
        if mode is None and evse.id in self._context.reservations.held:
            raise _Refused(f"EVSE {evse.id} is reserved. Wait until the reservation is used or over.")
        self._modes[evse.id] = Mode(command.who, now.monotonic + WINDOW, mode.manual if mode else None)
        if mode is None:
            since = rfc3339(self._context.clock.utc(now))
            self._context.availability.maintained[evse.id] = Outage(OutBy.MAINTENANCE, command.who, since)
            self._context.journal(now, "maintenance_began", evse_id=evse.id, who=command.who)
            self._context.raise_signal(EvseChanged(evse.id))
        return f"EVSE {evse.id} is in maintenance. It ends by itself after {WINDOW / 60:.0f} minutes."

    def _must_be_idle(self, evse: Evse) -> None:
        if evse.transaction is not None or evse.authorization is not None:
            raise _Refused(f"Somebody charges at EVSE {evse.id}. Wait until the session has ended, or stop it.")
        if self._context.restarting:
            raise _Refused("The station is about to restart.")
        if not evse.board_online:
            raise _Refused("The board does not answer.")

    def _set(self, command: OperatorCommand, now: Moment) -> str:
        evse = self._evse(command)
        mode = self._modes.get(evse.id)
        if mode is None or mode.who != command.who:
            raise _Refused(f"Put EVSE {evse.id} into maintenance first.")
        current, phases = command.arguments.get("current"), command.arguments.get("phases")
        if isinstance(current, bool) or not isinstance(current, int | float) or type(phases) is not int:
            raise _Refused("This cannot be read.")
        most = self._limit(evse)
        if current != 0 and not LEAST <= current <= most:
            raise _Refused(f"The current must be 0, or from {LEAST:g} to {most:g} A.")
        if phases not in (1, 3) or phases > self._context.model[EVSE.SupplyPhases.at(evse.id)]:
            raise _Refused("The EVSE is not connected to that many phases.")
        manual = Manual(float(current), phases) if current else None
        self._modes[evse.id] = Mode(command.who, now.monotonic + WINDOW, manual)
        self._context.journal(
            now, "manual_setpoint", evse_id=evse.id, who=command.who, current=float(current), phases=phases
        )
        return f"{current:g} A are offered." if current else "Nothing is offered."

    def _end(self, command: OperatorCommand, now: Moment) -> str:
        if "evse_id" in command.arguments:
            evse = self._evse(command)
            if evse.id not in self._modes:
                raise _Refused(f"EVSE {evse.id} is not in maintenance.")
            ended = [evse.id]
        else:  # the person has logged out
            ended = [evse_id for evse_id, mode in self._modes.items() if mode.who == command.who]
        for evse_id in ended:
            self._leave(evse_id, "by_hand" if "evse_id" in command.arguments else "logout", now)
        return "The maintenance is over."

    def _leave(self, evse_id: int, why: str, now: Moment) -> None:
        mode = self._modes.pop(evse_id)
        self._context.availability.maintained.pop(evse_id, None)
        self._context.journal(now, "maintenance_ended", evse_id=evse_id, who=mode.who, why=why)
        self._context.raise_signal(EvseChanged(evse_id))

    # ------------------------------------------------------------------ the self-test

    def _test(self, command: OperatorCommand, now: Moment) -> str:
        evse = self._evse(command)
        if evse.id in self._tests:
            raise _Refused(f"A self-test of EVSE {evse.id} runs already.")
        self._must_be_idle(evse)
        if evse.snapshot is not None and evse.snapshot.contactor_closed:
            raise _Refused("The contactor is closed. A self-test needs it open.")
        known = evse.snapshot.self_test_serial if evse.snapshot else 0
        self._serial = max(self._serial, known) % 0xFFFF + 1  # never that of the last one, also after a restart
        self._tests[evse.id] = Test(self._serial, now.monotonic + TEST_PATIENCE, command.who)
        if evse.id in self._modes:
            self._modes[evse.id] = replace(self._modes[evse.id], until=now.monotonic + WINDOW)
        return f"The self-test of EVSE {evse.id} begins."

    def _look_at_tests(self, board: BoardSnapshot, now: Moment) -> None:
        for snapshot in board.evses:
            test = self._tests.get(snapshot.evse_id)
            if test is None or not board.online or snapshot.self_test_serial != test.serial:
                continue
            if snapshot.self_test in (SelfTest.PASSED, SelfTest.FAILED, SelfTest.REFUSED):
                self._tested(snapshot.evse_id, str(snapshot.self_test), now)

    def _tested(self, evse_id: int, outcome: str, now: Moment) -> None:
        who = self._tests.pop(evse_id).who
        at = rfc3339(self._context.clock.utc(now))
        known = self._context.remembered.get(TESTS) or {}
        self._context.remember(TESTS, {**known, str(evse_id): {"at": at, "outcome": outcome, "who": who}})
        self._context.journal(now, "self_test", evse_id=evse_id, who=who, outcome=outcome)
