"""What a factory or an installer says of a station, checked and set as one: all of it or nothing.

``manage.py provision`` (on a stopped station) and the commissioning wizard (on a running one, by the operator's command
``set_installation``) both go through ``set_up``, so what one refuses the other refuses, in the same words.

This station shares no load between its EVSEs. So on each conductor of the supply the currents of all EVSEs together
stay within the fuse; which conductor an EVSE of one phase hangs on, its PhaseRotation says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from station.device_model.components import EVSE, ChargingStation, ElectricalFeed
from station.device_model.definition import Located, Variable
from station.device_model.model import DeviceModel, Entry
from station.device_model.naming import UnknownName, names_of, parse
from station.device_model.values import BadValue
from station.domain.effects import SaveVariable

LEAST_CURRENT = 6.0  # A; IEC 61851-1 has no smaller offer
CONDUCTORS = {"R": "L1", "S": "L2", "T": "L3"}
_TINY = 1e-6

# What an installer may say; a factory (provision) may say anything.
ELECTRICAL = frozenset(
    {
        "ElectricalFeed.ACVoltage",
        "ElectricalFeed.FuseRating",
        "ChargingStation.SupplyPhases",
        "EVSE.SupplyPhases",
        "EVSE.PhaseRotation",
        "EVSE.Power",
        "Connector.SupplyPhases",
    }
)
INSTALLERS = ELECTRICAL | {"ChargingStation.SerialNumber", "ClockCtrlr.TimeZone"}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why the values do not fit together: the variable at fault, and a predicate about it.

    ``kind`` is a stable word (``phases``, ``rotation``, ``conductors``, ``least``, ``board``, ``fuse``) for those who
    say it in another language, with ``facts`` for their sentence.
    """

    name: str
    why: str
    kind: str
    facts: Mapping[str, object] = field(default_factory=dict)


class Unfit(ValueError):
    """A wish that cannot be granted. ``name`` is the variable's; ``unknown``: there is none such.

    ``flaw`` is set where each value could be, and they do not fit together.
    """

    def __init__(self, name: str, why: str, *, unknown: bool = False, flaw: Flaw | None = None) -> None:
        super().__init__(why)
        self.name = name
        self.unknown = unknown
        self.flaw = flaw


def set_up(
    model: DeviceModel, wishes: Iterable[tuple[str, str]], board: Mapping[int, float] | None = None
) -> list[SaveVariable]:
    """Set variables, by name and text (see ``naming.parse``), as a factory would; what is to be stored, in order.

    ``board`` says of each EVSE how many A cable and board carry, where that is known. Raises Unfit, and then nothing
    has changed.
    """
    kept = []
    effects = []
    try:
        for name, text in wishes:
            entry = _entry(model, name)
            kept.append(entry.keep())
            try:
                effects.append(model.factory_set(name, text))
            except BadValue as flaw:
                raise Unfit(name, str(flaw)) from None
        if any(kind_of(effect) in ELECTRICAL for effect in effects):
            for found in flaws(model, board or {}):
                raise Unfit(found.name, f"{found.name} {found.why}", flaw=found)
    except Unfit:
        for put_back in reversed(kept):
            put_back()
        raise
    return effects


def kind_of(effect: SaveVariable) -> str:
    """Component and variable without the place: ``EVSE.Power``."""
    return f"{effect.component}.{effect.variable}"


def _entry(model: DeviceModel, name: str) -> Entry:
    try:
        return model.entry(parse(name))
    except UnknownName as unknown:
        raise Unfit(name, str(unknown), unknown=True) from None


# ------------------------------------------------------------------ does it fit together


def current_of(model: DeviceModel, evse_id: int) -> float:
    """A per phase that the EVSE's rating comes to."""
    rating = float(model.limits(EVSE.Power.at(evse_id)).maximum or 0.0)
    return rating / model[ElectricalFeed.ACVoltage] / max(1, model[EVSE.SupplyPhases.at(evse_id)])


def conductors_of(model: DeviceModel, evse_id: int) -> str:
    """The conductors of the supply that the EVSE draws from, as R, S and T; where nobody has said, the first ones."""
    phases = model[EVSE.SupplyPhases.at(evse_id)]
    said = model[EVSE.PhaseRotation.at(evse_id)].replace("x", "")
    return said or "RST"[:phases]


def flaws(model: DeviceModel, board: Mapping[int, float]) -> Iterator[Flaw]:
    """What of the electrical data contradicts itself, the board or the fuse.

    While nobody has said what the fuse is, the data are not whole, and only what is said of the wiring and what the
    board carries are checked.
    """
    fuse = model[ElectricalFeed.FuseRating]
    load = dict.fromkeys(CONDUCTORS, 0.0)
    for evse_id in range(1, model.evses + 1):
        yield from _flaws_of_wiring(model, evse_id, supplied=bool(fuse))
        yield from _flaws_of_rating(model, evse_id, board.get(evse_id) or 0.0, least=LEAST_CURRENT if fuse else 0.0)
        for conductor in conductors_of(model, evse_id):
            load[conductor] += current_of(model, evse_id)
    for conductor, current in load.items():
        if fuse and current > fuse + _TINY:
            yield Flaw(
                _name(ElectricalFeed.FuseRating),
                f"is {fuse:g} A, and all EVSEs together may draw {current:.4g} A from {CONDUCTORS[conductor]}",
                "fuse",
                {"fuse": fuse, "current": current, "conductor": CONDUCTORS[conductor]},
            )


def _flaws_of_wiring(model: DeviceModel, evse_id: int, *, supplied: bool) -> Iterator[Flaw]:
    phases, rotation = model[EVSE.SupplyPhases.at(evse_id)], model[EVSE.PhaseRotation.at(evse_id)]
    if supplied and phases not in (1, 3):
        why = "must be 1 or 3: a board connects one conductor or all"
        yield Flaw(_name(EVSE.SupplyPhases.at(evse_id)), why, "phases")
    if rotation and len(rotation.replace("x", "")) != phases:
        why = f"is {rotation}, which does not fit SupplyPhases {phases}"
        yield Flaw(_name(EVSE.PhaseRotation.at(evse_id)), why, "rotation", {"phases": phases})
    conductors, supply = conductors_of(model, evse_id), "RST"[: model[ChargingStation.SupplyPhases]]
    if supplied and not set(conductors) <= set(supply):
        yield Flaw(
            _name(EVSE.PhaseRotation.at(evse_id)),
            f"needs {_listed(conductors)}, and the supply has {_listed(supply) or 'none'}",
            "conductors",
            {"needed": _listed(conductors), "supplied": _listed(supply)},
        )


def _flaws_of_rating(model: DeviceModel, evse_id: int, board: float, *, least: float) -> Iterator[Flaw]:
    rating, current = _name(EVSE.Power.at(evse_id)), current_of(model, evse_id)
    if current < least - _TINY:
        why = f"comes to {current:.4g} A per phase; less than {least:g} A cannot be offered"
        yield Flaw(rating, why, "least", {"current": current, "least": least})
    if board and current > board + _TINY:
        why = f"comes to {current:.4g} A per phase, and cable and board carry {board:g} A"
        yield Flaw(rating, why, "board", {"current": current, "board": board})


def _name(place: Located[Any] | Variable[Any]) -> str:
    return str(names_of(place.at() if isinstance(place, Variable) else place))


def _listed(conductors: str) -> str:
    return ", ".join(CONDUCTORS[conductor] for conductor in sorted(conductors))
