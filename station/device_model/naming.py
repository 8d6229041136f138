"""A variable's address as the outside writes it: in OCPP's JSON, and on a command line.

On a command line: ``TxCtrlr.TxStartPoint``, ``OCPPCommCtrlr.MessageTimeout[Default]`` (instance in brackets),
``EVSE@1.Power``, ``Connector@1.1.Available`` (EVSE and connector after ``@``). Names and instances are compared
without regard to case (part 2, ComponentType and VariableType).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from station.device_model.definition import Located
from station.device_model.values import quoted

NOWHERE = -1  # an EVSE or connector number that cannot exist: the caller gave 0 or less


class UnknownName(ValueError):
    """A text that names no variable of this station; the message says which part of it is wrong."""


class Names(NamedTuple):
    """Where a variable is said to be. 0 for EVSE and connector: none was given."""

    component: str
    variable: str
    component_instance: str = ""
    variable_instance: str = ""
    evse_id: int = 0
    connector_id: int = 0

    def folded(self) -> Names:
        """The same, fit to be compared."""
        return Names(
            self.component.casefold(),
            self.variable.casefold(),
            self.component_instance.casefold(),
            self.variable_instance.casefold(),
            self.evse_id,
            self.connector_id,
        )

    def __str__(self) -> str:
        place = ".".join(str(number) for number in (self.evse_id, self.connector_id) if number)
        return "".join(
            (
                self.component,
                f"[{self.component_instance}]" if self.component_instance else "",
                f"@{place}" if place else "",
                f".{self.variable}",
                f"[{self.variable_instance}]" if self.variable_instance else "",
            )
        )


def names_of(place: Located[Any]) -> Names:
    """The address of ``place``, in its own spelling."""
    variable = place.variable
    return Names(
        variable.component,
        variable.name,
        variable.component_instance,
        variable.instance,
        place.evse_id,
        place.connector_id,
    )


def from_json(component: Mapping[str, Any], variable: Mapping[str, Any]) -> Names:
    """The address in a ComponentType and a VariableType that are valid against the schema.

    An empty instance is none (B06.FR.15).
    """
    evse = component.get("evse")
    evse_id = connector_id = 0
    if evse is not None:
        evse_id = evse["id"] if evse["id"] > 0 else NOWHERE
        connector_id = evse.get("connectorId", 0)
        if "connectorId" in evse and connector_id <= 0:
            connector_id = NOWHERE
    return Names(
        component["name"],
        variable["name"],
        component.get("instance", ""),
        variable.get("instance", ""),
        evse_id,
        connector_id,
    )


_WRITTEN = re.compile(
    r"(?P<component>[^.\[\]@]+)(\[(?P<component_instance>[^\[\]]+)\])?"
    r"(@(?P<evse>[0-9]{1,4})(\.(?P<connector>[0-9]{1,4}))?)?"
    r"\.(?P<variable>[^.\[\]@]+)(\[(?P<variable_instance>[^\[\]]+)\])?"
)


def parse(text: str) -> Names:
    """The address that ``text`` writes. Raises UnknownName where it is none; whether it exists the model knows."""
    match = _WRITTEN.fullmatch(text.strip())
    if not match:
        raise UnknownName(
            f"{quoted(text)} names no variable: write Component.Variable, Component.Variable[Instance], "
            "EVSE@1.Variable or Connector@1.1.Variable"
        )
    numbers = [int(match[part]) if match[part] is not None else 0 for part in ("evse", "connector")]
    for part, number in zip(("evse", "connector"), numbers, strict=True):
        if match[part] is not None and number == 0:
            raise UnknownName(f"{quoted(text)}: EVSEs and connectors are counted from 1")
    return Names(
        match["component"],
        match["variable"],
        match["component_instance"] or "",
        match["variable_instance"] or "",
        *numbers,
    )
