"""A board that a test moves by hand, with an EV at each cable that behaves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from station.domain.board import (
    BoardSnapshot,
    CardRead,
    CPState,
    EvseSetpoint,
    EvseSnapshot,
    Fault,
    MeterReading,
    SelfTest,
    Setpoint,
    WatchdogState,
)

EV_REACTS = 1.0  # s from the offer to state C
RELEASE = 0.4  # s from the end of the offer to the open contactor


@dataclass
class HandEvse:
    """One EVSE of a board that a test moves by hand, and an EV that behaves."""

    evse_id: int
    plugged: bool = False
    wants_energy: bool = True
    ampere: float = 16.0
    bay: bool = False
    soc: float | None = None
    fault: Fault | None = None
    energy: float = 1_000_000.0  # mWh
    wanted: EvseSetpoint | None = None
    offered_for: float = 0.0
    open_in: float = 0.0
    closed: bool = False
    latches: int = 0
    lock_stuck: bool = False  # shut, and does not open
    lock_broken: bool = False  # open, and does not shut
    socket: bool = False  # with a lock; else the cable is fixed
    cable: bool = False  # in the socket
    cable_limit: float = 32.0  # A
    bolt: bool = False  # the lock held the cable when the power went
    phases: int = 1  # of mains and EV
    meter: dict[str, Any] = field(default_factory=dict)  # what the meter says instead of the truth
    test: int = 0  # serial number of the last self-test
    test_outcome: SelfTest = SelfTest.PASSED
    tests: int = 0  # self-tests begun

    def step(self, dt: float) -> None:
        wanted = self.wanted
        offer = bool(wanted and wanted.allow_power and wanted.current > 0 and not self.fault and self.plugged)
        self.offered_for = self.offered_for + dt if offer else 0.0
        if self.closed and self.plugged:
            self.energy += self.power * dt / 3.6
        if offer and self.wants_energy and self.offered_for >= EV_REACTS:
            self.closed, self.open_in = True, RELEASE
        elif self.closed:
            self.open_in -= dt
            if self.open_in <= 0 or not self.plugged or self.fault:
                self.closed = False

    @property
    def power(self) -> float:
        limit = min(self.ampere, self.wanted.current if self.wanted else 0.0)
        return 230.0 * limit * self.phases if self.closed and self.plugged and self.wants_energy else 0.0

    @property
    def locked(self) -> bool:
        """The lock follows the setpoint while a plug is in."""
        wanted = self.wanted.lock if self.wanted else self.bolt
        return self.lock_stuck or (self.cable and wanted and not self.lock_broken)

    @property
    def reading(self) -> MeterReading:
        """The truth about energy and power."""
        return MeterReading(
            voltage=self._on_phases(230.0),
            current=self._on_phases(self.power / 230.0 / self.phases),
            power=self._on_phases(self.power / self.phases),
            total_power=self.power,
            energy=int(self.energy),
            energy_phases=tuple(int(energy) for energy in self._on_phases(self.energy / self.phases)),
        )

    def _on_phases(self, value: float) -> tuple[float, float, float]:
        l1, l2, l3 = (value if phase < self.phases else 0.0 for phase in range(3))
        return l1, l2, l3

    def snapshot(self, sequence: int) -> EvseSnapshot:
        state = CPState.A
        if self.plugged:
            ready = self.wants_energy and self.offered_for >= EV_REACTS
            state = CPState.C2 if ready else (CPState.B2 if self.offered_for else CPState.B1)
            if self.closed and not ready:
                state = CPState.C1 if self.wants_energy else CPState.B2
        return EvseSnapshot(
            evse_id=self.evse_id,
            cp_state=state,
            contactor_commanded=self.closed,
            contactor_closed=self.closed,
            connector_locked=self.locked,
            current_offered=self.wanted.current if self.wanted and self.offered_for else 0.0,
            cable_limit=self.cable_limit if self.cable or not self.socket else 0.0,
            phases=self.phases,
            faults=frozenset({self.fault} if self.fault else ()),
            fault_latches=self.latches,
            watchdog=WatchdogState.OK,
            setpoint_sequence=sequence,
            meter=replace(self.reading, **self.meter) if self.meter else self.reading,
            bay_occupied=self.bay,
            soc=self.soc if self.plugged else None,
            self_test=self.test_outcome if self.test else SelfTest.NOT_RUN,
            self_test_serial=self.test,
        )


@dataclass
class HandBoard:
    """A board that a test moves by hand. Outlives the station's restarts, as a real one does."""

    evses: dict[int, HandEvse]
    online: bool = True
    door_open: bool = False
    sequence: int = 0
    boot_count: int = 1
    reads: list[CardRead] = field(default_factory=list)

    def take(self, setpoint: Setpoint) -> None:
        self.sequence = setpoint.sequence
        for wanted in setpoint.evses:
            self.evses[wanted.evse_id].wanted = wanted
        for evse_id, serial in setpoint.self_tests:
            if self.evses[evse_id].test != serial:
                self.evses[evse_id].test, self.evses[evse_id].tests = serial, self.evses[evse_id].tests + 1

    def step(self, dt: float) -> None:
        for evse in self.evses.values():
            evse.step(dt)

    def power_cycle(self) -> None:
        """The electronics starts anew; cable, EV and energy register stay."""
        self.boot_count += 1
        self.sequence = 0
        self.reads.clear()
        for evse in self.evses.values():
            evse.bolt = evse.socket and evse.locked  # nothing moves it until the station says so
            evse.wanted, evse.closed, evse.offered_for = None, False, 0.0

    def snapshot(self, at: float) -> BoardSnapshot:
        return BoardSnapshot(
            at=at,
            online=self.online,
            error="" if self.online else "no answer",
            boot_count=self.boot_count,
            door_open=self.door_open,
            evses=tuple(evse.snapshot(self.sequence) for evse in self.evses.values()),
            card_reads=tuple(self.reads[-8:]),
        )
