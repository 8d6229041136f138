"""What the hardware worker and the station tell each other: whole snapshots up, whole setpoints down.

These types are all that the ``hardware`` room shares with the station. Everything is state, not edges: any
message may be lost, doubled or late, and the next one repairs it. What is an event by nature (a card held to
the reader) carries a counter kept by the board.

Units: volt, ampere, watt, milliwatt-hour (integers for energy, so that nothing is lost to rounding), degrees
Celsius, seconds. Times called ``at`` are readings of the machine's monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class CPState(StrEnum):
    """Control-pilot state by IEC 61851-1; the digit 2 means that the board offers current (PWM on)."""

    A = "A"  # nothing connected
    B1 = "B1"  # EV connected, no offer
    B2 = "B2"  # EV connected, current offered, EV not ready
    C1 = "C1"  # EV ready, no offer
    C2 = "C2"  # EV ready, current offered
    D1 = "D1"  # as C1, EV asks for ventilation
    D2 = "D2"
    E = "E"  # control pilot shorted, or no supply
    F = "F"  # EVSE not available

    @property
    def ev_connected(self) -> bool:
        """True in B, C and D: a cable with an EV at its end."""
        return self[0] in "BCD"

    @property
    def ev_ready(self) -> bool:
        """True in C and D: the EV asks for energy."""
        return self[0] in "CD"


class Fault(StrEnum):
    """What the board's own protection reports; it has already acted when the station reads this."""

    GROUND_FAILURE = "GroundFailure"  # residual current, AC or DC
    OVER_CURRENT = "OverCurrent"
    OVER_TEMPERATURE = "OverTemperature"
    CONTROL_PILOT = "ControlPilotFault"
    CONTACTOR_WELDED = "ContactorWelded"
    POWER_LOSS = "PowerLoss"  # the board's supply is gone; its logic still answers


class BoardWarning(StrEnum):
    """Conditions that do not stop charging."""

    TEMPERATURE_HIGH = "TemperatureHigh"  # the board derates
    METER_SILENT = "MeterSilent"  # no fresh meter reading


class WatchdogState(StrEnum):
    DISARMED = "Disarmed"  # no heartbeat was ever written since the board's reset
    OK = "Ok"
    TRIPPED = "Tripped"  # heartbeat missed: fall-back current, or contactor open
    RESTORED = "Restored"  # heartbeat is back, the trip not yet acknowledged


class SelfTest(StrEnum):
    """How an EVSE's last self-test (residual-current device, contactor) came out."""

    NOT_RUN = "NotRun"  # since the board's reset
    RUNNING = "Running"
    PASSED = "Passed"
    FAILED = "Failed"
    REFUSED = "Refused"  # the board would not begin one: its contactor is closed


@dataclass(frozen=True, slots=True)
class MeterReading:
    """One reading of an EVSE's meter as the board gives it: not judged yet (see ``domain.meter``).

    Tuples hold L1, L2, L3. ``energy`` is the import register in mWh, ``energy_phases`` those of L1 and on, empty where
    the meter tells only the total. ``age`` is the reading's age in seconds; ``ok`` is the meter's own status.
    """

    voltage: tuple[float, float, float] = (0.0, 0.0, 0.0)
    current: tuple[float, float, float] = (0.0, 0.0, 0.0)
    power: tuple[float, float, float] = (0.0, 0.0, 0.0)
    power_factor: tuple[float, float, float] = (1.0, 1.0, 1.0)
    total_power: float = 0.0
    energy: int = 0
    energy_phases: tuple[int, ...] = ()
    frequency: float = 0.0
    age: float = 0.0
    ok: bool = True


@dataclass(frozen=True, slots=True)
class EvseSnapshot:
    """One EVSE (one unit id of the board) at one poll."""

    evse_id: int
    cp_state: CPState = CPState.A
    contactor_commanded: bool = False
    contactor_closed: bool = False
    connector_locked: bool = False
    current_offered: float = 0.0
    cable_limit: float = 32.0
    phases: int = 1  # phases that the contactor connects
    faults: frozenset[Fault] = frozenset()
    warnings: frozenset[BoardWarning] = frozenset()
    fault_latches: int = 0  # counts faults since the board's reset
    watchdog: WatchdogState = WatchdogState.DISARMED
    watchdog_left: float = 0.0
    setpoint_sequence: int = 0  # the last setpoint that the board took
    temperature: float | None = 25.0  # None: the board has no such sensor
    residual_ac: float = 0.0  # A
    residual_dc: float = 0.0  # A
    meter: MeterReading = field(default_factory=MeterReading)
    bay_occupied: bool = False
    soc: float | None = None  # per cent, where the EV tells it
    self_test: SelfTest = SelfTest.NOT_RUN
    self_test_serial: int = 0  # of the wish (``Setpoint.self_tests``) that it is the outcome of; 0: of none


@dataclass(frozen=True, slots=True)
class CardRead:
    """A card held to the reader. ``count`` is the board's counter since its last reset (16 bits, wraps).

    ``evse_id`` is None where the reader serves the whole station. ``at`` is when the poller first saw the
    read, or None where it was already there at the poller's first poll (its age is then unknown).
    """

    count: int
    uid: str  # upper-case hexadecimal, in the order the reader gives the bytes
    type: str  # an OCPP IdTokenEnumType: ISO14443 or ISO15693
    evse_id: int | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class BusCounters:
    """How the line to the board is doing since the hardware worker started."""

    polls: int = 0
    errors: int = 0
    retries: int = 0
    setpoints_reapplied: int = 0
    refusals: int = 0  # of the errors: the board answered, and would not
    watchdog_trips: int = 0
    board_resets: int = 0


@dataclass(frozen=True, slots=True)
class BoardSnapshot:
    """The whole board at one poll; the hardware worker sends one on every change and once a second.

    ``online`` False means that the bus did not answer: the rest is the last that was read, and ``error`` says
    in words what went wrong. ``evses`` is ordered by EVSE id, 1 and up. ``card_reads`` are the last few reads,
    oldest first, so that two cards in quick succession both arrive.
    """

    at: float
    online: bool = True
    error: str = ""
    map_version: int = 1
    firmware: str = ""
    boot_count: int = 0
    reset_cause: str = ""
    uptime: float = 0.0
    door_open: bool = False
    evses: tuple[EvseSnapshot, ...] = ()
    card_reads: tuple[CardRead, ...] = ()
    bus: BusCounters = field(default_factory=BusCounters)


@dataclass(frozen=True, slots=True)
class EvseSetpoint:
    """What the station wants of one EVSE.

    ``current`` is the offer in A (0 pauses: the pilot stays at 100 %), in steps of 0.1. ``fault_acknowledged``
    is the value of ``EvseSnapshot.fault_latches`` up to which the station has taken note of faults.
    """

    evse_id: int
    allow_power: bool = False
    current: float = 0.0
    phases: int = 1
    lock: bool = False
    fault_acknowledged: int = 0


@dataclass(frozen=True, slots=True)
class Setpoint:
    """What the station wants of the whole board. ``sequence`` (1..65535, wraps to 1) grows with every change of that.

    ``acknowledge_watchdog`` True: the station has seen the board's trip and allows power again. ``self_tests`` are
    EVSE id and serial number of the self-tests that are to be run: one whose serial number is not the last that was
    begun at its EVSE is begun. They stand there until their outcome was seen.
    """

    sequence: int
    evses: tuple[EvseSetpoint, ...]
    acknowledge_watchdog: bool = False
    self_tests: tuple[tuple[int, int], ...] = ()
