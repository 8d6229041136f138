"""MeterValueType from a meter reading: which measurand comes from where, in which unit and phase (block J)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeAlias

from station.domain.board import EvseSnapshot, MeterReading
from station.domain.evse import Evse
from station.domain.moment import rfc3339

ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
VOLTAGE = "Voltage"
CURRENT = "Current.Import"
POWER_FACTOR = "Power.Factor"
SOC = "SoC"
CARRYING = 0.05  # A: below this a phase carries nothing and has no power factor


Sign: TypeAlias = Callable[[Evse, int, str, datetime], dict[str, Any] | None]


def sample(
    evse: Evse,
    measurands: Iterable[str],
    context: str,
    at: datetime,
    sign: Sign | None = None,
    *,
    total_only: bool = False,
) -> dict[str, Any] | None:
    """One MeterValueType with the latest believed reading, or None where nothing can be said.

    ``context`` is a ReadingContextEnumType; all values share the timestamp ``at`` (J01.FR.17, J02.FR.18).
    A measurand that this meter or EV does not tell is left out. ``sign`` makes the SignedMeterValueType of an energy
    register's value (mWh), or None. ``total_only``: no energy registers of the phases (RegisterValuesWithoutPhases).
    """
    reading, snapshot = evse.meter.reading, evse.snapshot
    if reading is None or snapshot is None:
        return None
    values = [
        value for name in measurands for value in _values(name, reading, snapshot, trusted=not evse.meter.problem)
    ]
    if total_only:
        values = [value for value in values if value["measurand"] != ENERGY or "phase" not in value]
    if not values:
        return None
    for value in values:
        total = value["measurand"] == ENERGY and "phase" not in value
        signature = sign(evse, reading.energy, context, at) if sign and total else None
        if signature:
            value["signedMeterValue"] = signature
    return {"timestamp": rfc3339(at), "sampledValue": [{**value, "context": context} for value in values]}


def _values(name: str, reading: MeterReading, snapshot: EvseSnapshot, *, trusted: bool) -> list[dict[str, Any]]:
    phases = range(snapshot.phases)
    if name == ENERGY:
        # J02.FR.17: the register as it is, never rebased; the last believed one where the meter is in doubt
        total = _value(reading.energy / 1000, ENERGY, unit="Wh", location="Outlet")
        registers = reading.energy_phases[: _phases_that_counted(reading, snapshot)]
        each = [
            _value(register / 1000, ENERGY, unit="Wh", phase=f"L{number}", location="Outlet")
            for number, register in enumerate(registers, 1)
        ]
        return [total, *(each if len(each) > 1 else [])]
    if name == SOC:
        return [] if snapshot.soc is None else [_value(snapshot.soc, SOC, unit="Percent", location="EV")]
    if not trusted:
        return []
    if name == POWER:
        total = _value(reading.total_power, POWER, unit="W", location="Outlet")
        each = [_value(reading.power[n], POWER, unit="W", phase=f"L{n + 1}", location="Outlet") for n in phases]
        return [total, *(each if len(each) > 1 else [])]  # errata 2.34: every phase that the meter tells
    if name == VOLTAGE:
        return [_value(reading.voltage[n], VOLTAGE, unit="V", phase=f"L{n + 1}-N", location="Outlet") for n in phases]
    if name == CURRENT:
        return [_value(reading.current[n], CURRENT, unit="A", phase=f"L{n + 1}", location="Outlet") for n in phases]
    if name == POWER_FACTOR:
        carrying = [n for n in phases if reading.current[n] > CARRYING]
        if not carrying:
            return []
        apparent = sum(reading.voltage[n] * reading.current[n] for n in carrying)
        active = sum(reading.power[n] for n in carrying)
        total = _value(min(1.0, active / apparent), POWER_FACTOR, location="Outlet")
        factors = [(n, reading.power[n] / (reading.voltage[n] * reading.current[n])) for n in carrying]
        each = [_value(min(1.0, one), POWER_FACTOR, phase=f"L{n + 1}", location="Outlet") for n, one in factors]
        return [total, *(each if len(phases) > 1 else [])]
    return []


def _phases_that_counted(reading: MeterReading, snapshot: EvseSnapshot) -> int:
    """Those that are connected, and those that ever were: a register does not vanish with a switch to one phase."""
    carried = [number for number, register in enumerate(reading.energy_phases, 1) if register]
    return max([snapshot.phases, *carried])


def _value(
    value: float, measurand: str, *, unit: str = "", phase: str = "", location: str = "", digits: int = 3
) -> dict[str, Any]:
    sampled: dict[str, Any] = {"value": round(value, digits), "measurand": measurand}
    if phase:
        sampled["phase"] = phase
    if location:
        sampled["location"] = location
    if unit:
        sampled["unitOfMeasure"] = {"unit": unit}
    return sampled


def thin(samples: list[dict[str, Any]], at_most: int) -> list[dict[str, Any]]:
    """Drop every second intermediate sample until ``at_most`` are left; first and last stay (E06.FR.13)."""
    while len(samples) > at_most > 1:
        samples = [*samples[:-1:2], samples[-1]]
    return samples
