"""What a command row may hold of a secret: sealed while it waits, and nothing once it was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models as orm

from station.store import models
from station.store.secrets import seal, unseal

WRITE_ONLY = frozenset({("SecurityCtrlr", "BasicAuthPassword")})  # sealed at rest
SET_VARIABLE = "set_variable"
WITH_PASSWORD = ("set_network_profile", "set_credentials")  # actions whose argument ``password`` is one
WITH_CARD = ("block_card", "unblock_card")  # a number on the record that everybody reads is worth a card
SEND_LOG = "send_log"  # its argument ``url`` may hold a password, or be one
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


def sealed_password(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of one of ``WITH_PASSWORD`` as they may be filed. Raises OSError."""
    if not arguments.get("password"):
        return dict(arguments)
    return {**arguments, "password": seal(str(arguments["password"]))}


def sealed_url(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a ``send_log`` as they may be filed. Raises OSError."""
    return {**arguments, "url": seal(str(arguments["url"]))}


def opened(row: models.Command) -> Any:
    """The arguments of a command, to carry it out. Raises SecretDamaged."""
    name = _secret_of(row)
    if not name:
        return row.arguments
    return {**row.arguments, name: unseal(str(row.arguments.get(name, "")))}


def hide(commands: orm.QuerySet[models.Command]) -> None:
    """A key code (C04.FR.04) or password that was used, or never will be, does not stay on the record.

    Of the number of a card that was blocked, the last four characters do.
    """
    for row in commands.filter(arguments__type="KeyCode"):
        row.arguments["id_token"] = HIDDEN
        row.save(update_fields=["arguments"])
    for row in commands.filter(action__in=WITH_CARD):
        number = str(row.arguments.get("id_token") or "")
        if not number.startswith(HIDDEN):
            row.arguments["id_token"] = HIDDEN + number[-min(4, len(number) // 2) :] * (len(number) > 1)
            row.save(update_fields=["arguments"])
    for row in commands.filter(action__in=(SET_VARIABLE, SEND_LOG, *WITH_PASSWORD)):
        if name := _secret_of(row):
            row.arguments[name] = HIDDEN
            row.save(update_fields=["arguments"])


def _secret_of(row: models.Command) -> str:
    """Which argument is a secret; empty for none."""
    if row.action == SET_VARIABLE and is_secret(row.arguments):
        return "value"
    if row.action == SEND_LOG:
        return "url"
    return "password" if row.action in WITH_PASSWORD and row.arguments.get("password") else ""
