"""What the station wants of its board: whole setpoints, made anew from the state after every step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from station.device_model.components import EVSE, ElectricalFeed, OCPPCommCtrlr
from station.device_model.model import DeviceModel
from station.domain.board import BoardSnapshot, EvseSetpoint, Setpoint, WatchdogState
from station.domain.evse import Evse

SEQUENCES = 65_535


@dataclass(frozen=True, slots=True)
class Manual:
    """A setpoint by hand: A (0: nothing) and conductors."""

    current: float
    phases: int


NOBODYS: Mapping[int, Manual] = {}


class PowerControl:
    """Derives the setpoint, and counts its sequence number only when something changed."""

    def __init__(self, model: DeviceModel) -> None:
        self._model = model
        self._current: Setpoint | None = None
        self._boot_count: int | None = None

    def update(
        self,
        evses: dict[int, Evse],
        board: BoardSnapshot | None,
        unlocking: set[int],
        manual: Mapping[int, Manual] = NOBODYS,
        self_tests: tuple[tuple[int, int], ...] = (),
    ) -> Setpoint | None:
        """The setpoint if it differs from the last one, else None; nothing before the board was seen once.

        ``manual`` is what an installer sets by hand, by EVSE id; ``self_tests`` as in ``Setpoint``.
        """
        if board is None or not board.evses:
            return None
        wanted = tuple(self._evse(evse, evse.id in unlocking, manual.get(evse.id)) for evse in evses.values())
        acknowledge = any(
            snapshot.watchdog in (WatchdogState.RESTORED, WatchdogState.TRIPPED) for snapshot in board.evses
        )
        rebooted = self._boot_count is not None and self._boot_count != board.boot_count
        self._boot_count = board.boot_count
        last = self._current
        if last is None:
            sequence = board.evses[0].setpoint_sequence % SEQUENCES + 1
        elif last.evses != wanted or last.acknowledge_watchdog != acknowledge or rebooted:
            sequence = last.sequence % SEQUENCES + 1
        elif last.self_tests != self_tests:
            sequence = last.sequence  # nothing of what the board holds changes
        else:
            return None
        self._current = Setpoint(sequence, wanted, acknowledge, self_tests)
        return self._current

    def _evse(self, evse: Evse, unlock: bool, manual: Manual | None) -> EvseSetpoint:
        if manual is not None:
            return self._by_hand(evse, manual)
        # Only with a cable in: a board that is left alone (the station restarts) must not serve whoever comes then.
        allow = evse.plugged and evse.authorization is not None and not evse.suspended_by_station and not evse.faults
        if evse.socket and not evse.locked:
            allow = False  # G05.FR.01: no energy before the lock holds the cable
        return EvseSetpoint(
            evse.id,
            allow_power=allow,
            current=self.limit(evse) if allow else 0.0,
            phases=self._model[EVSE.SupplyPhases.at(evse.id)],
            lock=self._lock(evse) and not unlock,
            # a fault that the station has seen is taken note of; the board clears it once its cause is gone
            fault_acknowledged=evse.snapshot.fault_latches if evse.snapshot else 0,
        )

    def _by_hand(self, evse: Evse, manual: Manual) -> EvseSetpoint:
        """What an installer wants, within what cable and rating allow; nothing where something is wrong."""
        current = min(manual.current, self.limit(evse))
        allow = manual.current > 0 and evse.plugged and not evse.faults
        if evse.socket and not evse.locked:
            allow = False
        return EvseSetpoint(
            evse.id,
            allow_power=allow,
            current=current if allow else 0.0,
            phases=manual.phases if manual.current > 0 else self._model[EVSE.SupplyPhases.at(evse.id)],
            lock=evse.socket and manual.current > 0 and evse.plugged,
            fault_acknowledged=evse.snapshot.fault_latches if evse.snapshot else 0,
        )

    def _lock(self, evse: Evse) -> bool:
        """Whether the lock is to hold a driver's cable: for who is authorized, and after an EV-side disconnect."""
        if not evse.socket:
            return False
        if evse.kept_for is not None:
            return True  # E09.FR.03
        # E10.FR.01: it stays shut with the EV's side pulled, unless that is to open it
        return evse.authorization is not None and (
            evse.plugged or not self._model[OCPPCommCtrlr.UnlockOnEVSideDisconnect]
        )

    def limit(self, evse: Evse) -> float:
        """A per phase, in steps of 0.1: the least of cable, rating and what the owner allows; 0 pauses."""
        limits = [evse.snapshot.cable_limit] if evse.snapshot else []
        if evse.limit is not None:
            limits.append(evse.limit)
        return int(min([*limits, self.rating(evse)]) * 10 + 1e-6) / 10

    def rating(self, evse: Evse) -> float:
        """A per phase that the EVSE is made for."""
        rating = self._model.limits(EVSE.Power.at(evse.id)).maximum
        if rating is None:
            return math.inf
        phases = max(1, self._model[EVSE.SupplyPhases.at(evse.id)])
        return float(rating) / self._model[ElectricalFeed.ACVoltage] / phases
