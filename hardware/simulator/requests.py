"""Bodies of bench requests, checked field by field; what is wrong is refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hardware.readers.card import UID_LENGTHS
from station.domain.board import Fault

Check: TypeAlias = Callable[[str, object], Any]

DEMO_UID = "04A2B3C4D5E6F7"


class BadBodyError(ValueError):
    """The body is not what the request takes; the text names the field."""


def number(low: float, high: float) -> Check:
    """A JSON number in a range."""

    def check(name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BadBodyError(f"{name}: a number is expected")
        if not low <= value <= high:
            raise BadBodyError(f"{name}: {value} is outside {low:g} … {high:g}")
        return value

    return check


def boolean(name: str, value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise BadBodyError(f"{name}: true or false is expected")
    return value


def one_of(*allowed: str | int) -> Check:
    """One of a few words or whole numbers."""

    def check(name: str, value: object) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int) or value not in allowed:
            raise BadBodyError(f"{name}: one of {', '.join(map(str, allowed))} is expected")
        return value

    return check


def whole(name: str, value: object) -> int:
    """A whole number from 1 up."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadBodyError(f"{name}: a whole number from 1 up is expected")
    return value


def text(name: str, value: object) -> str:
    """A short text."""
    if not isinstance(value, str) or not 0 < len(value) <= 64:
        raise BadBodyError(f"{name}: a text of 1 to 64 characters is expected")
    return value


def or_null(check: Check) -> Check:
    """What ``check`` takes, or null."""
    return lambda name, value: None if value is None else check(name, value)


@dataclass(frozen=True, slots=True)
class Body:
    """The fields that a request takes. ``some``: at least one of them has to be there."""

    fields: Mapping[str, Check]
    required: frozenset[str] = field(default_factory=frozenset)
    some: bool = False

    def read(self, data: object) -> dict[str, Any]:
        """The checked fields that are there; raises BadBodyError."""
        if not isinstance(data, dict):
            raise BadBodyError("a JSON object is expected")
        for name in data:
            if name not in self.fields:
                raise BadBodyError(f"{name}: unknown field; known are {', '.join(self.fields)}")
        for name in self.required:
            if name not in data:
                raise BadBodyError(f"{name}: is missing")
        if self.some and not data:
            raise BadBodyError(f"at least one of {', '.join(self.fields)} is expected")
        return {name: self.fields[name](name, value) for name, value in data.items()}


_EV: dict[str, Check] = {
    "max_current": number(0, 80),
    "phases": one_of(1, 2, 3),
    "requests_energy": boolean,
    "soc": or_null(number(0, 100)),
    "ventilation": boolean,
}

FAULTS = tuple(fault for fault in Fault if fault is not Fault.POWER_LOSS)  # that one is POST /power

PLUG = Body(_EV)
EV = Body(_EV, some=True)
UNPLUG = Body({"side": one_of("ev", "station")})
LOCK = Body({"jammed": boolean}, frozenset({"jammed"}))
FAULT = Body({"code": or_null(one_of(*FAULTS))}, frozenset({"code"}))
BAY = Body({"occupied": boolean}, frozenset({"occupied"}))
RFID = Body({"uid": text, "type": one_of(*UID_LENGTHS), "evse": or_null(whole)}, frozenset({"uid"}))
DOOR = Body({"open": boolean}, frozenset({"open"}))
POWER = Body({"on": boolean}, frozenset({"on"}))
DRIVE = Body({"seconds": number(1, 86_400), "uid": text, "type": one_of(*UID_LENGTHS), "stop": boolean})
EMPTY = Body({})


def ev_attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """A body's EV as attributes of ``Ev``: ``soc`` null is an EV that does not tell it."""
    attributes = dict(values)
    if "soc" in attributes:
        attributes["tells_soc"] = attributes["soc"] is not None
        if attributes["soc"] is None:
            del attributes["soc"]
    return attributes
