"""Snapshots, setpoints and transfer reports as plain dictionaries (for msgpack or JSON), and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from station.domain.board import (
    BoardSnapshot,
    BoardWarning,
    BusCounters,
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
from station.domain.events import LimitWanted, TransferReport


def pack_snapshot(snapshot: BoardSnapshot) -> dict[str, Any]:
    """A dictionary of plain values; sets become sorted lists."""
    data = asdict(snapshot)
    for evse in data["evses"]:
        evse["faults"] = sorted(evse["faults"])
        evse["warnings"] = sorted(evse["warnings"])
    return data


def unpack_snapshot(data: dict[str, Any]) -> BoardSnapshot:
    """The snapshot behind ``pack_snapshot``; raises ValueError, TypeError or KeyError where it is none."""
    evses = tuple(
        EvseSnapshot(
            **{
                **evse,
                "cp_state": CPState(evse["cp_state"]),
                "faults": frozenset(Fault(fault) for fault in evse["faults"]),
                "warnings": frozenset(BoardWarning(warning) for warning in evse["warnings"]),
                "watchdog": WatchdogState(evse["watchdog"]),
                "self_test": SelfTest(evse["self_test"]),
                "meter": _unpack_meter(evse["meter"]),
            }
        )
        for evse in data["evses"]
    )
    return BoardSnapshot(
        **{
            **data,
            "evses": evses,
            "card_reads": tuple(CardRead(**read) for read in data["card_reads"]),
            "bus": BusCounters(**data["bus"]),
        }
    )


def _unpack_meter(data: dict[str, Any]) -> MeterReading:
    phases = {name: tuple(data[name]) for name in ("voltage", "current", "power", "power_factor", "energy_phases")}
    return MeterReading(**{**data, **phases})


def pack_setpoint(setpoint: Setpoint) -> dict[str, Any]:
    """A dictionary of plain values."""
    return asdict(setpoint)


def unpack_setpoint(data: dict[str, Any]) -> Setpoint:
    """The setpoint behind ``pack_setpoint``; raises ValueError, TypeError or KeyError where it is none."""
    evses = tuple(EvseSetpoint(**evse) for evse in data["evses"])
    tests = tuple((int(evse_id), int(serial)) for evse_id, serial in data["self_tests"])
    return Setpoint(**{**data, "evses": evses, "self_tests": tests})


def pack_report(report: TransferReport) -> dict[str, Any]:
    """A dictionary of plain values."""
    return asdict(report)


def unpack_report(data: dict[str, Any]) -> TransferReport:
    """The report behind ``pack_report``; raises TypeError or ValueError where it is none."""
    report = TransferReport(**data)
    texts = (report.transfer_id, report.status, report.detail)
    numbers = (report.attempt, report.moved, report.total)
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        raise ValueError("a field of the report has the wrong type")
    return report


def pack_limit(wanted: LimitWanted) -> dict[str, Any]:
    """A dictionary of plain values."""
    return asdict(wanted)


def unpack_limit(data: dict[str, Any]) -> LimitWanted:
    """The wish behind ``pack_limit``; raises TypeError or ValueError where it is none."""
    wanted = LimitWanted(**data)
    numbers = (wanted.valid_for, 0 if wanted.current is None else wanted.current)
    if type(wanted.evse_id) is not int or not isinstance(wanted.who, str):
        raise ValueError("a field of the limit has the wrong type")
    if not all(type(number) in (int, float) for number in numbers):
        raise ValueError("a number of the limit has the wrong type")
    return wanted
