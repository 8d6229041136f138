"""Who has set what, when, and from which value: the device model's history, and wishes that came to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from station.device_model.naming import Names
from station.domain.effects import SetBy
from station.store import confidential
from station.store.models import Command, VariableChange
from webui import words

MOST = 20
_BY: Mapping[str, Any] = {
    SetBy.STATION: _("The station itself"),
    SetBy.CSMS: _("The operator's system"),
    SetBy.PROVISION: _("Set-up (provision)"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One change, or a wish that was refused or still waits.

    ``old`` and ``new`` are None where they are nobody's business; ``accepted`` is None while it is not decided, and
    ``said`` is what the station says of a wish that is no change.
    """

    at: datetime
    who: str
    name: str
    attribute: str  # empty for Actual
    old: str | None
    new: str | None
    accepted: bool | None
    said: str = ""


def arguments(names: Names, value: str) -> dict[str, Any]:
    """What the station needs to set a variable, as it may be filed. Raises OSError."""
    return confidential.sealed({**names._asdict(), "value": value})


def events(names: Names | None = None) -> list[Event]:
    """The latest, newest first; with ``names`` those of one variable."""
    changed = VariableChange.objects.all()
    wished = Command.objects.filter(action=confidential.SET_VARIABLE).exclude(status=Command.Status.ACCEPTED)
    if names is not None:
        changed = changed.filter(**names._asdict())
        wished = wished.filter(**{f"arguments__{part}": value for part, value in names._asdict().items()})
    found = [*map(_change, changed[:MOST]), *map(_wish, wished[:MOST])]
    return sorted(found, key=lambda event: event.at, reverse=True)[:MOST]


def _change(row: VariableChange) -> Event:
    names = Names(**{part: getattr(row, part) for part in Names._fields})
    return Event(
        row.at,
        str(_BY.get(row.by, row.by)) if row.by != SetBy.PERSON else row.who,
        str(names),
        "" if row.attribute == "Actual" else row.attribute,
        row.old,
        row.new,
        accepted=True,
    )


def _wish(row: Command) -> Event:
    asked = row.arguments
    names = Names(
        str(asked.get("component", "?")),
        str(asked.get("variable", "?")),
        asked.get("component_instance", ""),
        asked.get("variable_instance", ""),
        asked.get("evse_id") or 0,
        asked.get("connector_id") or 0,
    )
    waiting = row.status == Command.Status.FILED
    return Event(
        row.filed_at,
        row.who,
        str(names),
        "",
        None,
        None if confidential.is_secret(asked) else str(asked.get("value", "")),
        accepted=None if waiting else False,
        said="" if waiting else words.outcome(row.action, False, row.message),
    )
