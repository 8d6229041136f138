"""What the station wants of its board: whole setpoints, made anew from the state after every step."""

from __future__ import annotations

import math

from station.device_model.components import EVSE, OCPPCommCtrlr
from station.device_model.model import DeviceModel
from station.domain.board import BoardSnapshot, EvseSetpoint, Setpoint, WatchdogState
from station.domain.evse import Evse

NOMINAL_VOLTAGE = 230.0
SEQUENCES = 65_535


class PowerControl:
    """Derives the setpoint, and counts its sequence number only when something changed."""

    def __init__(self, model: DeviceModel) -> None:
        self._model = model
        self._current: Setpoint | None = None
        self._boot_count: int | None = None

    def update(self, evses: dict[int, Evse], board: BoardSnapshot | None, unlocking: set[int]) -> Setpoint | None:
        """The setpoint if it differs from the last one, else None; nothing before the board was seen once."""
        if board is None or not board.evses:
            return None
        wanted = tuple(self._evse(evse, evse.id in unlocking) for evse in evses.values())
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
        else:
            return None
        self._current = Setpoint(sequence, wanted, acknowledge)
        return self._current

    def _evse(self, evse: Evse, unlock: bool) -> EvseSetpoint:
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
        return int(min([*limits, self.rating(evse)]) * 10) / 10

    def rating(self, evse: Evse) -> float:
        """A per phase that the EVSE is made for."""
        rating = self._model.limits(EVSE.Power.at(evse.id)).maximum
        if rating is None:
            return math.inf
        return float(rating) / NOMINAL_VOLTAGE / self._model[EVSE.SupplyPhases.at(evse.id)]
