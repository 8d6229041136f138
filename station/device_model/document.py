"""The page ``docs/device_model.md``: ``python -m station.device_model.document > docs/device_model.md`` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from station.device_model.components import COMPONENTS
from station.device_model.definition import Component, Scope, Variable
from station.device_model.values import encode

HEADER = """\
# Device model

Written by `python -m station.device_model.document`; the tables in `station/device_model/components/` are the source.

A name is written `Component.Variable`, with an instance in brackets, and with EVSE and connector after `@` where the
component exists for each of them: `OCPPCommCtrlr.MessageTimeout[Default]`, `EVSE@1.Power`, `Connector@1.1.Available`.
`manage.py provision --set NAME=VALUE` sets any of them but those marked *measured*, read-only ones, too. `EVSE@1.Power`
sets the EVSE's rating, which is the variable's maxLimit; the value itself is measured.

Required: the section of part 2 (with errata 2025-09) or part 4 that demands the variable. *Reboot*: a new value is
shown at once and works after the next reboot. *Own*: not in OCPP's list of standardized variables.
"""
COLUMNS = ("Variable", "Type", "Access", "Default", "Allowed", "Required", "Meaning")


class Row(NamedTuple):
    """One variable as the page shows it; every field is text."""

    component: str
    name: str
    data_type: str
    access: str
    default: str
    allowed: str
    required: str
    meaning: str


def rows() -> Iterator[Row]:
    """Every variable, in the order of the tables."""
    for component in COMPONENTS:
        for variable in component.variables():
            yield Row(
                _title(component),
                variable.name + (f"[{variable.instance}]" if variable.instance else ""),
                variable.data_type.value,
                variable.mutability.value,
                "" if variable.default is None or variable.computed else encode(variable.default),
                allowed(variable),
                variable.required,
                _meaning(variable),
            )


def allowed(variable: Variable[Any]) -> str:
    """What values the variable takes, in words, with its unit."""
    limits = variable.limits
    if variable.data_type.is_number:
        bounds = [f"{bound:,}".replace(",", " ") for bound in (limits.minimum, limits.maximum) if bound is not None]
        words = " to ".join(bounds) if len(bounds) == 2 else f"from {bounds[0]}" if bounds else ""
        return f"{words} {variable.unit}".strip()
    if limits.values:
        return ", ".join(limits.values)
    if limits.maximum is None:
        return ""
    lowest = f"{variable.min_length} to " if variable.min_length else "at most "
    return f"{lowest}{limits.maximum:g} characters"


def _meaning(variable: Variable[Any]) -> str:
    marks = [
        word
        for word, is_so in (
            ("measured", variable.computed),
            ("reboot", variable.reboot_required),
            ("own", variable.vendor),
        )
        if is_so
    ]
    return variable.doc + (f" (*{', '.join(marks)}*)" if marks else "")


def page() -> str:
    """The whole page."""
    lines = [HEADER]
    tables: dict[str, list[Row]] = {}
    for row in rows():
        tables.setdefault(row.component, []).append(row)
    for component in COMPONENTS:
        lines += [f"## {_title(component)}", "", (component.__doc__ or "").strip(), ""]
        lines += [_line(COLUMNS), _line("---" for _ in COLUMNS)]
        lines += [_line(row[1:]) for row in tables[_title(component)]]
        lines.append("")
    return "\n".join(lines)


def _title(component: type[Component]) -> str:
    """The component's name, with its tier where that is not the station."""
    return component.name + ("" if component.scope is Scope.STATION else f" ({component.scope.value})")


def _line(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page())
