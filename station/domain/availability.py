"""Operative or not, on the three levels of ChangeAvailability (G03, G04), each keeping its own state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STATION = "0"


def key(evse_id: int = 0, connector_id: int = 0) -> str:
    """The level's name: ``0`` the station, ``1`` an EVSE, ``1.1`` a connector."""
    return f"{evse_id}.{connector_id}" if connector_id else str(evse_id)


@dataclass(slots=True)
class Availability:
    """What was set, per level; and what is scheduled for the end of the running transactions.

    ``resetting`` are the EVSEs that a reset, scheduled or under way, takes out of service for a while (B11, B12). It
    shows as what was set does, and is forgotten with the reboot. So are those in ``updating``, which a firmware update
    takes out of service (L01.FR.07).
    """

    inoperative: set[str] = field(default_factory=set)
    scheduled: dict[str, bool] = field(default_factory=dict)  # level -> operative
    resetting: set[int] = field(default_factory=set)  # EVSE ids
    updating: set[int] = field(default_factory=set)  # EVSE ids

    @classmethod
    def restore(cls, stored: Mapping[str, object] | None) -> Availability:
        """From what ``dump`` gave; None is a station where all is operative."""
        stored = stored or {}
        inoperative, scheduled = stored.get("inoperative"), stored.get("scheduled")
        return cls(
            set(inoperative) if isinstance(inoperative, list) else set(),
            dict(scheduled) if isinstance(scheduled, dict) else {},
        )

    def dump(self) -> dict[str, object]:
        """JSON that outlives a reboot (G03.FR.08, G04.FR.09)."""
        return {"inoperative": sorted(self.inoperative), "scheduled": dict(sorted(self.scheduled.items()))}

    def operative(self, evse_id: int, connector_id: int = 1) -> bool:
        """True where no level of the connector is, or is to be, Inoperative, and its EVSE not being reset or updated.

        What is scheduled for the end of a transaction holds at once where none runs (G04.FR.06).
        """
        levels = {STATION, key(evse_id), key(evse_id, connector_id)}
        waiting = {level for level, operative in self.scheduled.items() if not operative}
        out = evse_id in self.resetting or evse_id in self.updating
        return not out and not levels & (self.inoperative | waiting)

    def set(self, level: str, operative: bool) -> None:
        self.scheduled.pop(level, None)
        if operative:
            self.inoperative.discard(level)
        else:
            self.inoperative.add(level)

    def is_set(self, level: str) -> bool:
        """What the level itself was set to, whatever stands above it."""
        return level not in self.inoperative
