"""The electronics of one EVSE: pilot, contactor, lock, protection and watchdog. All of it starts anew at a reset,
but for the lock's bolt, which is where it was.

It decides alone whether power flows. The station's setpoint is a wish; protection, the watchdog and the pilot
come first:

* the contactor closes only in C or D, with a setpoint that allows power, a current of at least 6 A, no fault and
  a watchdog that is fed;
* a fault opens it at once, and so does an EV that leaves C and D;
* when the offer is withdrawn, the pilot stops the EV first and the contactor opens when the EV has let go, after
  3 s at the latest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hardware.simulator.ev import MINIMUM_OFFER
from hardware.simulator.watchdog import Watchdog
from station.domain.board import CPState, EvseSetpoint, Fault

STOP_TIME = 3.0  # s that the EV gets to stop before the contactor opens under load
SELF_TEST_TIME = 0.5  # s
CABLE_LIMIT = 32.0  # A, the fixed cable of the reference station, and the one that a driver brings
PILOT_FAULTS = frozenset({Fault.CONTROL_PILOT, Fault.POWER_LOSS})  # no pilot can be had: state E


@dataclass(slots=True)
class Electronics:
    """One EVSE's electronics between two resets. ``setpoint`` is the last that was taken."""

    evse_id: int
    socket: bool = False  # no fixed cable
    cable: bool = True  # one is there: always a fixed one, in a socket the driver's
    jammed: bool = False  # the lock stays as it is
    locked: bool = False
    watchdog: Watchdog = field(default_factory=Watchdog)
    fallback_current: float = 0.0
    setpoint: EvseSetpoint = field(init=False)
    sequence: int = 0  # of the setpoint taken; 0 after reset and trip
    faults: frozenset[Fault] = frozenset()
    fault_latches: int = 0
    commanded: bool = False
    closed: bool = False
    offered: float = 0.0  # A on the pilot, 0: no PWM
    cp_state: CPState = CPState.A
    self_test: str = "NotRun"
    _safe_current: float = 0.0
    _stopping_for: float = 0.0
    _testing_for: float = 0.0

    def __post_init__(self) -> None:
        self.setpoint = EvseSetpoint(self.evse_id)

    # ------------------------------------------------------------------ what the station writes

    def take(self, sequence: int, setpoint: EvseSetpoint) -> None:
        """Take a setpoint whole."""
        self.sequence, self.setpoint = sequence, setpoint
        self.watchdog.setpoint_taken()

    def start_self_test(self) -> bool:
        """Begin a self-test; False where the contactor is closed."""
        if self.closed or self.commanded:
            return False
        self.self_test, self._testing_for = "Running", 0.0
        return True

    # ------------------------------------------------------------------ what it shows

    @property
    def duty(self) -> float:
        """Per cent; the coding of IEC 61851-1, table A.8: 0.6 A per per cent up to 51 A, then 2.5 A."""
        if self.cp_state in (CPState.E, CPState.F):
            return 0.0
        if not self.offered:
            return 100.0
        return self.offered / 0.6 if self.offered <= 51.0 else self.offered / 2.5 + 64.0

    @property
    def cable_limit(self) -> float:
        """A that the cable carries; a socket without one carries nothing."""
        return CABLE_LIMIT if self.cable else 0.0

    @property
    def phases(self) -> int:
        """Conductors that the contactor connects: 3 where the station asks for 3, otherwise 1."""
        return 3 if self.setpoint.phases == 3 else 1

    @property
    def welded(self) -> bool:
        """The auxiliary contact says closed against the command."""
        return self.closed and not self.commanded

    # ------------------------------------------------------------------ time

    def step(self, dt: float, letter: str, causes: frozenset[Fault]) -> None:
        """Let ``dt`` seconds pass; ``letter`` is what the EV puts on the pilot (A to D), ``causes`` what is wrong."""
        in_force = self.watchdog.lets_power_flow
        if self.watchdog.step(dt):
            self._fall_back(in_force)
        self._protect(causes)
        self.offered = self._offer(letter)
        self.cp_state = self._cp_state(letter)
        self._switch(dt, letter)
        self._lock()
        self._test(dt, causes)

    def _fall_back(self, in_force: bool) -> None:
        """The watchdog tripped: forget the setpoint, keep at most the fall-back current of one that was in force."""
        if in_force:
            self._safe_current = min(self._wanted(), self.fallback_current)
        self.sequence = 0
        self.setpoint = EvseSetpoint(self.evse_id, phases=self.phases, lock=self.setpoint.lock)

    def _protect(self, causes: frozenset[Fault]) -> None:
        """Latch what is new; release what is over and of which the station has taken note."""
        fresh = causes - self.faults
        if fresh:
            self.fault_latches = (self.fault_latches + len(fresh)) & 0xFFFF
        over = self.faults - causes
        # Equality, not order: a stale note from before a reset acknowledges nothing.
        noted = self.setpoint.fault_acknowledged == self.fault_latches
        self.faults = causes | (frozenset() if noted else over)

    def _wanted(self) -> float:
        """A that the setpoint asks for, 0 where it does not allow power."""
        return min(self.setpoint.current, self.cable_limit) if self.setpoint.allow_power else 0.0

    def _offer(self, letter: str) -> float:
        if letter == "A" or self.faults or self.self_test == "Running":
            return 0.0
        current = 0.0
        if self.watchdog.lets_power_flow:
            current = self._wanted()
        elif self.watchdog.tripped:
            current = self._safe_current
        return current if current >= MINIMUM_OFFER else 0.0

    def _cp_state(self, letter: str) -> CPState:
        if self.faults & PILOT_FAULTS:
            return CPState.E
        return CPState.A if letter == "A" else CPState(f"{letter}{2 if self.offered else 1}")

    def _switch(self, dt: float, letter: str) -> None:
        ready = letter in ("C", "D")
        if self.faults or not ready:
            self.commanded = False
        elif self.offered:
            self.commanded = True
        else:
            self._stopping_for += dt
            if self._stopping_for >= STOP_TIME:
                self.commanded = False
        if self.offered or not self.commanded:
            self._stopping_for = 0.0
        self.closed = self.commanded or Fault.CONTACTOR_WELDED in self.faults

    def _lock(self) -> None:
        """The lock follows the setpoint while a plug is in; it stays shut as long as power may flow.

        A bolt moves only when it is driven: one that holds a driver's cable waits for the first setpoint after a reset.
        """
        if self.jammed:
            return
        plug = self.cable if self.socket else self.cp_state.ev_connected
        told = self.setpoint.lock if self.sequence or not self.socket else self.locked
        self.locked = plug and (told or self.closed)

    def _test(self, dt: float, causes: frozenset[Fault]) -> None:
        if self.self_test == "Running":
            self._testing_for += dt
            if self._testing_for >= SELF_TEST_TIME:
                self.self_test = "Failed" if causes else "Passed"
