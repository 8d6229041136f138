"""Limits that the owner sets on the current of an EVSE, by the API or by home automation.

They stand beside what cable and rating allow, and the least of all holds (``ocpp.power``). There are two for each EVSE:

- the *standing* one, by command: it holds until another command, also across restarts and power cuts;
- the *timed* one, for what changes often (sun, tariff): nothing of it is stored, and it is gone when its time is over
  or the station restarts. Whoever sets it repeats it, so that a controller that has died holds nobody up for long.

A limit of 0 pauses: the EV is offered nothing, and the CSMS is told SuspendedEVSE. What OCPP has for limits from
outside (NotifyChargingLimit, K12 to K14) belongs to smart charging, which this station does not report as available.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from station.domain.effects import FinishCommand
from station.domain.events import LimitWanted, OperatorCommand, Tick
from station.domain.evse import Evse
from station.domain.moment import Moment
from station.ocpp.block import Block
from station.ocpp.context import Context

LIMITS = "owner_limits"  # remembered: the standing ones in A, by EVSE
LEAST = 6.0  # A; IEC 61851-1, table A.8: less cannot be offered
SHORTEST, LONGEST = 10.0, 3600.0  # s that a timed limit may be valid for


@dataclass(frozen=True, slots=True)
class _Timed:
    current: float  # A
    until: float  # monotonic


class OwnerLimits(Block):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._timed: dict[int, _Timed] = {}
        stored = context.remembered.get(LIMITS)
        self._standing = {
            int(evse_id): float(current)
            for evse_id, current in (stored.items() if isinstance(stored, dict) else ())
            if str(evse_id).isdecimal() and refused(current) == ""
        }
        for evse in context.evses.values():
            self._apply(evse)

    def on(self, event: object, now: Moment) -> None:
        match event:
            case OperatorCommand(action="limit"):
                self._command(event, now)
            case LimitWanted():
                self._want(event, now)
            case Tick():
                for evse_id in [one for one, timed in self._timed.items() if now.monotonic >= timed.until]:
                    del self._timed[evse_id]
                    self._context.journal(now, "limit_lapsed", evse_id=evse_id)
                    self._apply(self._context.evses[evse_id])

    def deadline(self) -> float | None:
        return min((timed.until for timed in self._timed.values()), default=None)

    def standing(self, evse_id: int) -> float | None:
        """A per phase that the standing limit allows; None: there is none."""
        return self._standing.get(evse_id)

    def timed(self, evse_id: int, now: Moment) -> tuple[float, float] | None:
        """A per phase that the timed limit allows, and for how many more seconds; None: there is none."""
        found = self._timed.get(evse_id)
        return (found.current, max(0.0, found.until - now.monotonic)) if found else None

    def _command(self, command: OperatorCommand, now: Moment) -> None:
        """Set the standing limit, or lift both with ``current`` None."""
        evse_id, current = command.arguments.get("evse_id"), command.arguments.get("current")
        evse = self._context.evses.get(evse_id) if type(evse_id) is int else None
        why = f"There is no EVSE {evse_id}." if evse is None else "" if current is None else refused(current)
        if evse is None or why:
            self._context.emit(FinishCommand(command.command_id, "Rejected", why))
            return
        if current is None:
            self._standing.pop(evse.id, None)
            self._timed.pop(evse.id, None)
        else:
            self._standing[evse.id] = float(current)
        kept = {str(number): value for number, value in sorted(self._standing.items())}
        self._context.remember(LIMITS, kept or None)
        self._context.journal(now, "limit", evse_id=evse.id, current=current, who=command.who)
        self._apply(evse)
        self._context.emit(FinishCommand(command.command_id, "Accepted", "Lifted." if current is None else "Set."))

    def _want(self, wanted: LimitWanted, now: Moment) -> None:
        """Set, repeat or (``current`` None) end the timed limit. What makes no sense is dropped."""
        evse = self._context.evses.get(wanted.evse_id)
        if evse is None:
            return
        began = evse.id not in self._timed
        if wanted.current is None:
            if began:
                return
            del self._timed[evse.id]
            self._context.journal(now, "limit_lapsed", evse_id=evse.id, who=wanted.who)
        elif refused(wanted.current) or not SHORTEST <= wanted.valid_for <= LONGEST:
            return
        else:
            self._timed[evse.id] = _Timed(wanted.current, now.monotonic + wanted.valid_for)
            if began:  # its values are the automation's business; that there is one is noted
                self._context.journal(now, "limit_timed", evse_id=evse.id, current=wanted.current, who=wanted.who)
        self._apply(evse)

    def _apply(self, evse: Evse) -> None:
        timed = self._timed.get(evse.id)
        limits = [self._standing.get(evse.id), timed.current if timed else None]
        evse.limit = min((limit for limit in limits if limit is not None), default=None)


def refused(current: object) -> str:
    """Why that cannot be a limit (A per phase), in a sentence; empty: it can."""
    if isinstance(current, bool) or not isinstance(current, int | float) or not math.isfinite(current):
        return "The limit has to be a number of ampere."
    if current != 0 and current < LEAST:
        return f"The limit has to be 0, which pauses, or at least {LEAST:g} A: a car cannot be offered less."
    return ""
