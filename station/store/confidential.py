"""What a command row may hold of a secret: sealed while it waits, and nothing once it was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models as orm

from station.store import models
from station.store.secrets import seal, unseal

WRITE_ONLY = frozenset({("SecurityCtrlr", "BasicAuthPassword")})  # sealed at rest
SET_VARIABLE = "set_variable"
HIDDEN = "****"

_WRITE_ONLY = frozenset((component.casefold(), variable.casefold()) for component, variable in WRITE_ONLY)


def is_secret(arguments: Mapping[str, Any]) -> bool:
    """Whether the arguments of a ``set_variable`` name a write-only variable, in whatever case."""
    names = (str(arguments.get(part, "")).casefold() for part in ("component", "variable"))
    return tuple(names) in _WRITE_ONLY


def sealed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a ``set_variable`` as they may be filed: a secret value sealed. Raises OSError."""
    if not is_secret(arguments):
        return dict(arguments)
    return {**arguments, "value": seal(str(arguments["value"]))}


def opened(row: models.Command) -> Any:
    """The arguments of a command, to carry it out. Raises SecretDamaged."""
    if row.action != SET_VARIABLE or not is_secret(row.arguments):
        return row.arguments
    return {**row.arguments, "value": unseal(str(row.arguments.get("value", "")))}


def hide(commands: orm.QuerySet[models.Command]) -> None:
    """A key code (C04.FR.04) or password that was used, or never will be, does not stay on the record."""
    for row in commands.filter(arguments__type="KeyCode"):
        row.arguments["id_token"] = HIDDEN
        row.save(update_fields=["arguments"])
    for row in commands.filter(action=SET_VARIABLE):
        if is_secret(row.arguments):
            row.arguments["value"] = HIDDEN
            row.save(update_fields=["arguments"])
