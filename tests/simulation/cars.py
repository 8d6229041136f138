"""Board and EVs that jump from one change to the next: the hand board, with a horizon and some vices."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from station.domain.board import EvseSnapshot, Setpoint, WatchdogState
from tests.support.hand_board import EV_REACTS, HandBoard, HandEvse

BOARD_TIMEOUT = 30.0  # s without a heartbeat: the board's watchdog trips
NEVER = float("inf")
HAIR = 1e-9


@dataclass
class Car(HandEvse):
    """An EVSE with whatever is plugged in. ``need`` is what the EV still takes, in Wh; None: it never has enough.

    Unlike a hand-moved one its EV goes on drawing until the contactor is open, as a real one may.
    """

    need: float | None = None
    watchdog: WatchdogState = WatchdogState.OK
    drew: float = 0.0  # A, the last offer

    @property
    def offered(self) -> bool:
        wanted = self.wanted
        awake = self.watchdog is WatchdogState.OK
        return bool(wanted and wanted.allow_power and wanted.current > 0 and awake and not self.fault and self.plugged)

    @property
    def power(self) -> float:
        if not (self.closed and self.plugged and self.wants_energy):
            return 0.0
        limit = self.wanted.current if self.wanted and self.wanted.current else self.drew
        return 230.0 * min(self.ampere, limit) * self.phases

    def step(self, dt: float) -> None:
        if self.watchdog is not WatchdogState.OK:
            self.offered_for = 0.0
            wanted, self.wanted = self.wanted, None
            self._move(dt)
            self.wanted = wanted
        else:
            self._move(dt)

    def _move(self, dt: float) -> None:
        before = self.energy
        super().step(dt)
        if self.closed and self.wanted and self.wanted.current:
            self.drew = self.wanted.current
        if self.need is not None and self.energy > before:
            self.need -= (self.energy - before) / 1000
            if self.need <= 1e-6:
                self.need, self.wants_energy = None, False

    def horizon(self) -> float:
        """Seconds until something changes by itself."""
        waits = [NEVER]
        offered = self.offered
        if offered and self.wants_energy and self.offered_for < EV_REACTS:
            waits.append(EV_REACTS - self.offered_for + HAIR)
        if self.closed and not (offered and self.wants_energy):
            waits.append(max(0.0, self.open_in) + HAIR)
        power = self.power
        if power and self.need is not None:
            waits.append(self.need * 3600 / power + HAIR)
        return min(waits)

    def snapshot(self, sequence: int) -> EvseSnapshot:
        snapshot = super().snapshot(sequence)
        return snapshot if self.watchdog is WatchdogState.OK else replace(snapshot, watchdog=self.watchdog)

    @property
    def meaning(self) -> tuple[object, ...]:
        """What the poller would call a change."""
        return (
            self.plugged,
            self.closed,
            self.wants_energy and self.offered_for >= EV_REACTS,
            bool(self.offered_for),
            self.fault,
            self.bay,
            self.locked,
            self.watchdog,
        )


@dataclass
class Site(HandBoard):
    """The board. ``fed`` is when it last heard from the hardware worker (seconds of the simulation)."""

    evses: dict[int, Car] = field(default_factory=dict)  # type: ignore[assignment]

    def take(self, setpoint: Setpoint) -> None:
        super().take(setpoint)
        for car in self.evses.values():
            if setpoint.acknowledge_watchdog and car.watchdog is WatchdogState.RESTORED:
                car.watchdog = WatchdogState.OK
            car.step(0.0)

    def horizon(self) -> float:
        return min(car.horizon() for car in self.evses.values())

    def trip(self) -> None:
        """Nobody fed the watchdog: nothing is offered until the station has taken note."""
        for car in self.evses.values():
            car.watchdog = WatchdogState.TRIPPED

    def feed(self) -> None:
        for car in self.evses.values():
            if car.watchdog is WatchdogState.TRIPPED:
                car.watchdog = WatchdogState.RESTORED

    def power_cycle(self) -> None:
        super().power_cycle()
        for car in self.evses.values():
            car.watchdog = WatchdogState.OK
            car.drew = 0.0

    @property
    def meaning(self) -> tuple[object, ...]:
        return (self.online, self.door_open, self.boot_count, tuple(car.meaning for car in self.evses.values()))
