"""Which firmware is in which slot, and what became of updates."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

import station
from station.domain.moment import parse_rfc3339
from station.firmware import slots
from station.store.models import JournalEntry, Remembered
from webui import installer_words, words

HISTORY = "firmware_history"  # remembered by the station: updates that are over, the newest last
RUNNING_SLOT = "STATION_SLOT"  # in the environment of every process of the appliance
EVENTS = 12


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for the station's own code. ``version`` is empty where nothing is in it, or it is not known."""

    name: str
    version: str
    runs: bool
    good: bool
    on_trial: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """An update that is over; ``worked`` is None for one that was left for another."""

    at: datetime
    version: str
    said: str
    detail: str
    worked: bool | None


def all_slots() -> tuple[list[Slot], str]:
    """The slots, and why the last firmware that was tried was taken back (empty: none was).

    None where another installer than the station's own sees to them (RAUC, for the whole system).
    """
    if settings.ENVIRONMENT.installer != "slots":
        return [], ""
    state = slots.load(Path(settings.DATA_DIR))
    runs = os.environ.get(RUNNING_SLOT) or slots.FACTORY
    found = [
        Slot(
            _("Slot %(name)s") % {"name": name.upper()},
            state.slots[name].version if name in state.slots else "",
            runs == name,
            state.good == name,
            state.trial is not None and state.trial.slot == name,
        )
        for name in slots.SLOTS
    ]
    factory = runs == slots.FACTORY
    found.append(
        Slot(_("As delivered"), station.__version__ if factory else "", factory, state.good == slots.FACTORY, False)
    )
    failed = state.failed
    why = ""
    if failed is not None:
        why = _("Version %(version)s was tried and taken back: %(why)s.") % {
            "version": failed.version,
            "why": failed.why.rstrip("."),
        }
    return found, why


def history() -> list[Ended]:
    """Updates that are over, newest first."""
    row = Remembered.objects.filter(key=HISTORY).first()
    kept = row.value if row is not None and isinstance(row.value, list) else []
    return [ended for one in reversed(kept) if (ended := _ended(one)) is not None]


def _ended(kept: Any) -> Ended | None:
    try:
        status = str(kept["status"])
        return Ended(
            timezone.localtime(parse_rfc3339(kept["at"])),
            str(kept["version"]),
            installer_words.firmware_status(status),
            str(kept["detail"]),
            None if status == "AcceptedCanceled" else status == "Installed",
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # of another version


def events() -> list[tuple[datetime, str]]:
    """What happened lately, newest first."""
    rows = JournalEntry.objects.filter(kind__startswith="firmware_").order_by("-id")[:EVENTS]
    return [(row.at, words.event(row.kind, row.data if isinstance(row.data, dict) else {})) for row in rows]
