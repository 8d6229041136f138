"""Operative or not, on the three levels of ChangeAvailability (G03, G04), each keeping its own state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

STATION = "0"


class OutBy(StrEnum):
    """Who took an EVSE out of service."""

    CSMS = "csms"
    PERSON = "person"  # at the web page
    RESET = "reset"  # scheduled, or under way
    UPDATE = "update"  # of the firmware
    MAINTENANCE = "maintenance"  # by an installer
    UNKNOWN = "unknown"  # set by a firmware that did not note it


@dataclass(frozen=True, slots=True)
class Outage:
    """Since when (RFC 3339; empty where nobody noted it) and by whom something is out of service; ``who`` a name."""

    by: OutBy
    who: str = ""
    since: str = ""


def key(evse_id: int = 0, connector_id: int = 0) -> str:
    """The level's name: ``0`` the station, ``1`` an EVSE, ``1.1`` a connector."""
    return f"{evse_id}.{connector_id}" if connector_id else str(evse_id)


@dataclass(slots=True)
class Availability:
    """What was set, per level; and what is scheduled for the end of the running transactions.

    ``resetting`` are the EVSEs that a reset, scheduled or under way, takes out of service for a while (B11, B12). It
    shows as what was set does, and is forgotten with the reboot. So are those in ``updating``, which a firmware update
    takes out of service (L01.FR.07), and those in ``maintained``, which an installer has in hand. ``outages`` say for
    people who set a level Inoperative.
    """

    inoperative: set[str] = field(default_factory=set)
    scheduled: dict[str, bool] = field(default_factory=dict)  # level -> operative
    outages: dict[str, Outage] = field(default_factory=dict)
    resetting: set[int] = field(default_factory=set)  # EVSE ids
    updating: set[int] = field(default_factory=set)  # EVSE ids
    maintained: dict[int, Outage] = field(default_factory=dict)  # EVSE id -> by whom

    @classmethod
    def restore(cls, stored: Mapping[str, object] | None) -> Availability:
        """From what ``dump`` gave; None is a station where all is operative."""
        stored = stored or {}
        inoperative, scheduled = stored.get("inoperative"), stored.get("scheduled")
        outages = stored.get("outages")
        return cls(
            set(inoperative) if isinstance(inoperative, list) else set(),
            dict(scheduled) if isinstance(scheduled, dict) else {},
            {level: _outage(told) for level, told in outages.items()} if isinstance(outages, dict) else {},
        )

    def dump(self) -> dict[str, object]:
        """JSON that outlives a reboot (G03.FR.08, G04.FR.09)."""
        return {
            "inoperative": sorted(self.inoperative),
            "scheduled": dict(sorted(self.scheduled.items())),
            "outages": {level: asdict(outage) for level, outage in sorted(self.outages.items())},
        }

    def operative(self, evse_id: int, connector_id: int = 1) -> bool:
        """True where no level of the connector is, or is to be, Inoperative, and its EVSE not in other hands.

        What is scheduled for the end of a transaction holds at once where none runs (G04.FR.06).
        """
        return self.outage(evse_id, connector_id) is None

    def outage(self, evse_id: int, connector_id: int = 1) -> Outage | None:
        """Who took it out of service, on the highest level that is; None where it is operative."""
        if evse_id in self.resetting:
            return Outage(OutBy.RESET)
        if evse_id in self.updating:
            return Outage(OutBy.UPDATE)
        if evse_id in self.maintained:
            return self.maintained[evse_id]
        if not self.inoperative and not self.scheduled:
            return None  # asked several times a step
        out = self.inoperative | {level for level, operative in self.scheduled.items() if not operative}
        for level in (STATION, key(evse_id), key(evse_id, connector_id)):
            if level in out:
                return self.outages.get(level) or Outage(OutBy.UNKNOWN)
        return None

    def set(self, level: str, operative: bool) -> None:
        self.scheduled.pop(level, None)
        if operative:
            self.inoperative.discard(level)
            self.outages.pop(level, None)
        else:
            self.inoperative.add(level)

    def is_set(self, level: str) -> bool:
        """What the level itself was set to, whatever stands above it."""
        return level not in self.inoperative


def _outage(told: object) -> Outage:
    if not isinstance(told, Mapping):
        return Outage(OutBy.UNKNOWN)
    by = str(told.get("by"))
    known = OutBy(by) if by in set(OutBy) else OutBy.UNKNOWN
    return Outage(known, str(told.get("who") or ""), str(told.get("since") or ""))
