"""The connection as an installer sees it: slots in their order, who the station is, what came of earlier changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from station.device_model.components import OCPPCommCtrlr, SecurityCtrlr
from station.domain.moment import parse_rfc3339
from station.live.payloads import StationLive
from station.store.models import Certificate, JournalEntry, NetworkProfile, Remembered
from webui import installer_words, words
from webui.dashboard import latest
from webui.device_model.reading import Reading

SLOTS = tuple(int(slot) for slot in OCPPCommCtrlr.NetworkConfigurationPriority.limits.values)
HISTORY = 12
FAILURES = "connection_failures"  # remembered by the station
FAILURES_SHOWN = 5
KINDS = (
    *("trial_began", "trial_kept", "trial_taken_back", "connection_set"),
    *("network_profile", "network_profiles_removed", "link_up", "link_down", "password_taken_back"),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A network configuration slot. ``place`` in the order counts from 1; 0: the order does not name it."""

    number: int
    profile: NetworkProfile | None
    place: int
    in_use: bool
    tried: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """What a slot keeps failing with. ``over``: there has been a connection since."""

    slot: int
    why: str
    detail: str
    first: datetime
    last: datetime
    attempts: int
    over: bool


class Connection:
    """One look at the store and the live view; good for one page."""

    def __init__(self) -> None:
        model = Reading().model
        live = latest.recent()
        profiles = {row.slot: row for row in NetworkProfile.objects.all()}
        named = [int(slot) for slot in model.raw(OCPPCommCtrlr.NetworkConfigurationPriority).split(",")]
        self.order = [slot for slot in named if slot in profiles] or sorted(profiles)
        self.slots = [_slot(slot, profiles, self.order, live) for slot in sorted(SLOTS, key=self._rank)]
        self.identity = model.raw(SecurityCtrlr.Identity)
        self.security_profile = model[SecurityCtrlr.SecurityProfile]
        self.interfaces = model[OCPPCommCtrlr.NetworkInterfaces]
        self.timeout = model.limits(OCPPCommCtrlr.MessageTimeout)
        self.configured = bool(profiles)
        self.removable = len(profiles) > 1  # the last one is changed instead

    def _rank(self, slot: int) -> tuple[int, int]:
        return (self.order.index(slot) if slot in self.order else len(SLOTS), slot)

    def slot(self, number: int) -> Slot:
        """The slot of that number. Raises KeyError."""
        return {slot.number: slot for slot in self.slots}[number]

    def touches(self, slot: Slot) -> bool:
        """A change of ``slot`` is a change of the connection, and therefore tried."""
        return not self.configured or slot.in_use or slot.place == 1


def _slot(number: int, profiles: dict[int, NetworkProfile], order: list[int], live: StationLive | None) -> Slot:
    return Slot(
        number,
        profiles.get(number),
        order.index(number) + 1 if number in order else 0,
        live is not None and live.connected and live.slot == number,
        live is not None and live.trial_slot == number,
    )


def has_certificate(use: str) -> bool:
    """Whether one for that ``CertificateUse`` is installed."""
    return Certificate.objects.filter(use=use).exists()


def history() -> list[tuple[datetime, str]]:
    """What became of the connection lately, newest first."""
    rows = JournalEntry.objects.filter(kind__in=KINDS).order_by("-id")[:HISTORY]
    return [(row.at, words.event(row.kind, row.data if isinstance(row.data, dict) else {})) for row in rows]


def failures() -> list[Failure]:
    """Why there was no connection, newest first."""
    row = Remembered.objects.filter(key=FAILURES).first()
    kept = row.value if row is not None and isinstance(row.value, list) else []
    found = [failure for one in reversed(kept) if (failure := _failure(one)) is not None]
    return sorted(found, key=lambda failure: failure.last, reverse=True)[:FAILURES_SHOWN]


def _failure(kept: Any) -> Failure | None:
    try:
        return Failure(
            int(kept["slot"]),
            installer_words.why(str(kept["cause"])),
            str(kept["detail"]),
            parse_rfc3339(kept["first"]),
            parse_rfc3339(kept["last"]),
            int(kept["attempts"]),
            bool(kept["over"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # of another version
