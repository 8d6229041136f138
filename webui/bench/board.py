"""The simulated board as the bench shows it: read with care, since it came from outside the process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

STATES: Mapping[str, Any] = {
    "A": _("no car connected"),
    "B": _("car connected"),
    "C": _("car asks for energy"),
    "D": _("car asks for energy and ventilation"),
    "E": _("control pilot shorted"),
    "F": _("EVSE not available"),
}

STEPS: Mapping[str, Any] = {
    "plugged": _("The car is plugged in"),
    "waiting_for_energy": _("The card was held to the reader; waiting for energy"),
    "charging": _("Charging"),
    "stopping": _("The card was held to the reader again, to stop"),
    "unplugging": _("Unplugging"),
    "done": _("The drive is done"),
    "failed": _("The drive failed"),
}


@dataclass(frozen=True, slots=True)
class Drive:
    """A demonstration drive that runs or has just ended; ``progress`` is in per cent."""

    step: str
    progress: int
    error: str

    @property
    def words(self) -> str:
        return str(STEPS[self.step]) if self.step in STEPS else self.step.replace("_", " ").capitalize()

    @property
    def over(self) -> bool:
        return self.step in ("done", "failed")


@dataclass(frozen=True, slots=True)
class BenchEvse:
    """One EVSE of the board; V, A, W, Wh, per cent."""

    evse_id: int
    state: str
    plugged: bool
    contactor: bool
    limit: float
    power: float
    energy: float
    fault: str
    bay: bool
    requests_energy: bool
    max_current: float
    phases: int
    soc: float | None
    voltage: tuple[float, ...]
    current: tuple[float, ...]
    drive: Drive | None

    @property
    def state_words(self) -> str:
        return str(STATES[self.state[:1]]) if self.state[:1] in STATES else ""


@dataclass(frozen=True, slots=True)
class Board:
    power: bool
    door: bool
    reader_count: int
    reader_uid: str
    evses: tuple[BenchEvse, ...]


def _figure(value: Any, default: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return default
    return float(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _row(value: Any) -> tuple[float, ...]:
    return tuple(_figure(item) for item in value[:3]) if isinstance(value, (list, tuple)) else ()


def _drive(value: Any) -> Drive | None:
    if not isinstance(value, Mapping):
        return None
    share = _figure(value.get("progress"))
    return Drive(str(value.get("step") or ""), round(100 * min(1.0, max(0.0, share))), str(value.get("error") or ""))


def read(state: Mapping[str, Any]) -> Board:
    """The board behind ``GET /state``; what is missing or of the wrong kind counts as nothing."""
    reader = _mapping(state.get("reader"))
    evses = []
    for key, raw in _mapping(state.get("evses")).items():
        if not str(key).isdecimal():
            continue
        evse, ev = _mapping(raw), _mapping(_mapping(raw).get("ev"))
        evses.append(
            BenchEvse(
                evse_id=int(key),
                state=str(evse.get("state") or "?"),
                plugged=bool(evse.get("plugged")),
                contactor=bool(evse.get("contactor")),
                limit=_figure(evse.get("limit")),
                power=_figure(evse.get("power")),
                energy=_figure(evse.get("energy")),
                fault=str(evse.get("fault") or ""),
                bay=bool(evse.get("bay")),
                requests_energy=bool(ev.get("requests_energy")),
                max_current=_figure(ev.get("max_current")),
                phases=int(_figure(ev.get("phases"), 1)),
                soc=_figure(ev["soc"]) if ev.get("soc") is not None else None,
                voltage=_row(evse.get("voltage")),
                current=_row(evse.get("current")),
                drive=_drive(evse.get("drive")),
            )
        )
    return Board(
        power=bool(state.get("power", True)),
        door=bool(state.get("door")),
        reader_count=int(_figure(reader.get("count"))),
        reader_uid=str(reader.get("uid") or ""),
        evses=tuple(sorted(evses, key=lambda evse: evse.evse_id)),
    )
