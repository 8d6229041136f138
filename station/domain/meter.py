"""Judging what the meter says before anybody is billed for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from station.domain.board import MeterReading

STALE = 10.0  # s: a reading older than this says nothing about now
RESOLUTION = 2_000  # mWh: a pulse-counting meter may be this far behind its own power
MARGIN = 1.5  # over the EVSE's nominal power
VOLTAGE = 500.0  # V, phase to neutral or to phase
SURPLUS = 1.3  # of nominal power: more is not physics but a broken register
UNSEEN = 100_000_000  # mWh that may have flowed at most between two lives of the station
STEADY = 1_800.0  # s for which another register must be consistent before it counts as a new meter


@dataclass(slots=True)
class Meter:
    """One EVSE's meter, judged. ``reading`` is the last that was believed; all values that leave it are sane.

    ``max_power`` (W) is what the EVSE can deliver at most. Refused are: the energy register going back or jumping
    ahead of what can have flowed, all-ones registers, power and voltage beyond physics, a stale or failed meter.
    A register that stays elsewhere and is consistent with itself for ``STEADY`` is a meter that was replaced; it is
    believed once nobody charges.
    """

    max_power: float
    reading: MeterReading | None = None
    taken: float = 0.0  # monotonic time of ``reading``
    problem: str = ""  # a stable word while the meter is not believed; empty: all well
    refused: int = 0
    floor: int = 0  # mWh: what was last told of a transaction, in an earlier life; 0: not known
    elsewhere: MeterReading | None = None  # the last of a series that contradicts ``reading``
    elsewhere_since: float = 0.0  # monotonic
    elsewhere_at: float = 0.0  # monotonic

    @property
    def energy(self) -> int | None:
        """The import register in mWh, as last believed."""
        return self.reading.energy if self.reading else None

    @property
    def power(self) -> float:
        """W, now; 0 while the meter is not believed."""
        return self.reading.total_power if self.reading and not self.problem else 0.0

    def take(self, reading: MeterReading, monotonic: float, *, idle: bool = False) -> bool:
        """Believe ``reading`` or not; False where it is refused (``problem`` then says why, in a word).

        ``idle``: no transaction is measured by it.
        """
        problem = self._judge(reading, monotonic)
        if problem in ("energy_went_back", "energy_jumped"):
            if self._steady(reading, monotonic) and idle:
                problem, self.reading = "", None
        else:
            self.elsewhere = None
        if problem:
            if problem != self.problem:
                self.refused += 1
            self.problem = problem
            return False
        self.problem = ""
        self.reading = replace(reading, energy_phases=self._phases(reading))
        self.elsewhere = None
        self.taken = monotonic
        return True

    def _phases(self, reading: MeterReading) -> tuple[int, ...]:
        """The registers of the phases, as last believed where they went back: the bill rests on the total."""
        before = self.reading.energy_phases if self.reading else ()
        told = reading.energy_phases
        if len(told) < len(before) or any(now < then for then, now in zip(before, told, strict=False)):
            return before
        return told

    def _judge(self, reading: MeterReading, monotonic: float) -> str:
        if not reading.ok:
            return "meter_failed"
        if reading.age > STALE:
            return "meter_stale"
        if not 0 <= reading.energy < 2**63 - 1 or reading.energy & 0xFFFF_FFFF == 0xFFFF_FFFF:
            return "energy_invalid"
        if not 0.0 <= reading.total_power <= self.max_power * SURPLUS:
            return "power_implausible"
        if not all(0.0 <= volts <= VOLTAGE for volts in reading.voltage):
            return "voltage_implausible"
        if self.reading is not None:
            return self._follows(reading.energy, self.reading.energy, monotonic - self.taken)
        if reading.energy < self.floor:
            return "energy_went_back"
        return "energy_jumped" if self.floor and reading.energy - self.floor > UNSEEN else ""

    def _follows(self, energy: int, before: int, seconds: float) -> str:
        """What is wrong with a register that stood at ``before`` that long ago; empty where nothing is."""
        if energy < before:
            return "energy_went_back"
        possible = self.max_power * MARGIN * seconds / 3600 * 1000 + RESOLUTION
        return "energy_jumped" if energy - before > possible else ""

    def _steady(self, reading: MeterReading, monotonic: float) -> bool:
        """The register has been elsewhere for long, and behaves there."""
        last = self.elsewhere
        if last is None or self._follows(reading.energy, last.energy, monotonic - self.elsewhere_at):
            self.elsewhere_since = monotonic
        self.elsewhere, self.elsewhere_at = reading, monotonic
        return monotonic - self.elsewhere_since >= STEADY
