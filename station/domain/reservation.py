"""Which EVSEs are kept free, for whom, and until when (block H)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from station.domain.moment import parse_rfc3339, rfc3339
from station.domain.transaction import IdToken


@dataclass(frozen=True, slots=True)
class Reservation:
    """One reservation. Without ``evse_id`` it is for any EVSE, or any whose connector is of ``connector_type``."""

    id: int
    expires: datetime
    id_token: IdToken
    group_id_token: IdToken | None = None
    evse_id: int | None = None
    connector_type: str = ""  # ConnectorEnumType

    def is_for(self, id_token: IdToken, group: IdToken | None) -> bool:
        """H03.FR.01 to H03.FR.06: the idToken itself, or one of the group."""
        return self.id_token.matches(id_token) or bool(self.group_id_token and self.group_id_token.matches(group))

    def fits(self, evse_id: int, connector_type: str) -> bool:
        """Whether it could be used at that EVSE."""
        return self.evse_id in (None, evse_id) and self.connector_type in ("", connector_type)

    def dump(self) -> dict[str, Any]:
        """JSON that outlives a reboot (B11.FR.05)."""
        tokens = {"idToken": self.id_token, "groupIdToken": self.group_id_token}
        return {
            "id": self.id,
            "expires": rfc3339(self.expires),
            "evseId": self.evse_id,
            "connectorType": self.connector_type,
            **{name: [token.id_token, token.type] for name, token in tokens.items() if token},
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Reservation:
        """From what ``dump`` gave."""
        group = stored.get("groupIdToken")
        return cls(
            stored["id"],
            parse_rfc3339(stored["expires"]),
            IdToken(*stored["idToken"]),
            IdToken(*group) if group else None,
            stored.get("evseId"),
            stored.get("connectorType") or "",
        )


@dataclass(slots=True)
class Reservations:
    """All of them, and ``held``: the EVSEs that they keep from everybody else now.

    An EVSE that a reservation names is held. Of the others only so many are held as the reservations that name none
    need: all that are free, from the moment that one fewer would not do (H01.FR.07, H01.FR.09, H01.FR.20, H01.FR.24).
    ``connectors`` is the type of connector of each EVSE.
    """

    connectors: Mapping[int, str]
    entries: dict[int, Reservation] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)

    @classmethod
    def restore(cls, connectors: Mapping[int, str], stored: object) -> Reservations:
        """From what ``dump`` gave, or from None."""
        found = [Reservation.read(one) for one in stored] if isinstance(stored, list) else []
        return cls(connectors, {one.id: one for one in found})

    def dump(self) -> list[dict[str, Any]] | None:
        """JSON; None where there is none."""
        return [one.dump() for one in self.entries.values()] or None

    # ------------------------------------------------------------------ looking

    def naming(self, evse_id: int) -> Reservation | None:
        """The one that names this EVSE."""
        return next((one for one in self.entries.values() if one.evse_id == evse_id), None)

    def of(self, id_token: IdToken, group: IdToken | None = None) -> list[Reservation]:
        """Those that this token may use, the ones that name an EVSE first."""
        found = [one for one in self.entries.values() if one.is_for(id_token, group)]
        return sorted(found, key=lambda one: (one.evse_id is None, not one.connector_type))

    def keeps(self, evse_id: int, id_token: IdToken, group: IdToken | None = None) -> bool:
        """Whether the EVSE is kept from this token."""
        if evse_id not in self.held:
            return False
        named = self.naming(evse_id)
        if named is not None:
            return not named.is_for(id_token, group)
        return not any(one.fits(evse_id, self.connectors[evse_id]) for one in self.of(id_token, group))

    def used(self, evse_id: int | None, id_token: IdToken, group: IdToken | None) -> Reservation | None:
        """The reservation that is used up when this token is let in there; None for ``evse_id``: at the next EVSE."""
        for one in self.of(id_token, group):
            if one.evse_id is None if evse_id is None else one.fits(evse_id, self.connectors[evse_id]):
                return one
        return None

    # ------------------------------------------------------------------ room

    def suffices(self, evse_ids: Iterable[int], entries: Iterable[Reservation], spare: int = 0) -> bool:
        """Whether all ``entries`` that name no EVSE find one of their own among ``evse_ids``, and ``spare`` more."""
        room = Counter(self.connectors[evse_id] for evse_id in evse_ids)
        anywhere = [one for one in entries if one.evse_id is None]
        typed = Counter(one.connector_type for one in anywhere if one.connector_type)
        return len(anywhere) + spare <= room.total() and all(room[kind] >= needed for kind, needed in typed.items())

    def hold(self, free: set[int], spare: int = 0) -> bool:
        """Take note of which EVSEs nobody uses, and of how many drivers wait for one; True where ``held`` changed."""
        named = {one.evse_id for one in self.entries.values() if one.evse_id is not None}
        rest = free - named
        spare = spare if any(one.evse_id is None for one in self.entries.values()) else 0
        held = named | {one for one in rest if not self.suffices(rest - {one}, self.entries.values(), spare)}
        changed, self.held = held != self.held, held
        return changed
