"""Who has set what from here: the commands that were filed for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from station.device_model.naming import Names
from station.store import confidential
from station.store.models import Command
from webui import words

MOST = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """One wish; ``value`` is None where it is nobody's business, ``accepted`` None while it is not decided."""

    at: datetime
    who: str
    name: str
    value: str | None
    accepted: bool | None
    said: str


def arguments(names: Names, value: str) -> dict[str, Any]:
    """What the station needs to set a variable, as it may be filed. Raises OSError."""
    return confidential.sealed({**names._asdict(), "value": value})


def changes(names: Names | None = None) -> list[Asked]:
    """The latest wishes, newest first; with ``names`` those for one variable."""
    rows = Command.objects.filter(action=confidential.SET_VARIABLE)
    if names is not None:
        rows = rows.filter(**{f"arguments__{part}": value for part, value in names._asdict().items()})
    return [_asked(row) for row in rows[:MOST]]


def _asked(row: Command) -> Asked:
    asked = row.arguments
    names = Names(
        str(asked.get("component", "?")),
        str(asked.get("variable", "?")),
        asked.get("component_instance", ""),
        asked.get("variable_instance", ""),
        asked.get("evse_id") or 0,
        asked.get("connector_id") or 0,
    )
    accepted = None if row.status == Command.Status.FILED else row.status == Command.Status.ACCEPTED
    return Asked(
        row.filed_at,
        row.who,
        str(names),
        None if confidential.is_secret(asked) else str(asked.get("value", "")),
        accepted,
        "" if accepted is None else words.outcome(row.action, accepted, row.message),
    )
