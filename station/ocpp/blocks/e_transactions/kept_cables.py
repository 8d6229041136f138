"""Cables that a lock holds for their owners after the EV's side was pulled (E09.FR.03), kept over a power cut.

The lock itself stays as it is when the power goes; whose cable it holds is a fact that the station must not forget, or
the next start would let it go to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator

from station.domain.authorization import Authorization, AuthorizedBy
from station.domain.evse import Evse
from station.domain.transaction import IdToken
from station.ocpp.context import Context

REMEMBERED = "kept_cables"


class KeptCables:
    """Puts ``Evse.kept_for`` back at the start, and remembers what becomes of it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        found = context.remembered.get(REMEMBERED)
        for evse in context.evses.values():
            owner = found.get(str(evse.id)) if isinstance(found, dict) else None
            if evse.socket and isinstance(owner, list) and len(owner) == 2:
                evse.kept_for = Authorization(IdToken(str(owner[0]), str(owner[1])), AuthorizedBy.OFFLINE)
        context.customer_sources.append(self._about)

    def remember(self) -> None:
        """Note how it is now; writes only where that is news."""
        kept = {str(evse.id): [owner.id_token, owner.type] for evse, owner in self._owners()}
        self._context.remember(REMEMBERED, kept or None)

    def _owners(self) -> Iterator[tuple[Evse, IdToken]]:
        for evse in self._context.evses.values():
            if evse.kept_for is not None:
                yield evse, evse.kept_for.id_token

    def _about(self, id_token: IdToken) -> Iterator[str]:
        """What is kept about a token (N09)."""
        for evse, owner in self._owners():
            if owner.matches(id_token):
                yield f"cable held at EVSE {evse.id}"
