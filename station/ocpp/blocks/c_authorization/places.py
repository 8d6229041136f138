"""Which EVSE a token that is presented is meant for."""

from __future__ import annotations

from station.domain.evse import Evse, Seat
from station.domain.transaction import IdToken
from station.ocpp.context import Context


class Places:
    """Looks, and changes nothing. ``evse_id`` None: presented at the station's one reader, meant for any EVSE."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def opened_by(self, id_token: IdToken, evse_id: int | None) -> Seat | None:
        """The seat that this very token opened; the latest where it opened several."""
        seats = [
            seat
            for seat in self._authorized(evse_id)
            if seat.authorization and seat.authorization.id_token.matches(id_token)
        ]
        return max(seats, key=lambda seat: seat.plugged_at or 0.0 if isinstance(seat, Evse) else 0.0, default=None)

    def of_group(self, group: IdToken | None, evse_id: int | None, *, running: bool = False) -> Seat | None:
        """The first seat that somebody of this group opened; ``running``: with a transaction."""
        if group is None:
            return None
        for seat in self._authorized(evse_id):
            if running and not seat.transaction:
                continue
            if seat.authorization and group.matches(seat.authorization.group_id_token):
                return seat
        return None

    def taken(self, evse_id: int | None) -> bool:
        """Somebody is authorized there."""
        return bool(self._authorized(evse_id))

    def _authorized(self, evse_id: int | None) -> list[Seat]:
        return [seat for seat in self._context.seats() if evse_id in (None, seat.evse_id) and seat.authorization]

    def find(self, id_token: IdToken, evse_id: int | None, group: IdToken | None = None) -> tuple[int | None, str]:
        """Which EVSE the token is for (None: the next that a cable is plugged into), or a word why there is none.

        ``group`` is the token's, as far as it is known.
        """
        mine = self._context.reservations.of(id_token, group)
        if self._context.restarting and not mine:
            return None, "restarting"
        evses = self._context.evses
        if evse_id is not None:
            return evse_id, self.closed(evses[evse_id], id_token, group)
        for one in mine:
            if one.evse_id is not None and not self.closed(evses[one.evse_id], id_token, group):
                return one.evse_id, ""  # H03.FR.01
        occupied = [evse for evse in evses.values() if evse.plugged or evse.transaction]
        plugged = [evse for evse in occupied if not evse.authorization]
        open_ones = [evse for evse in plugged if not self.closed(evse, id_token, group)]
        if open_ones:
            return max(open_ones, key=lambda evse: evse.plugged_at or 0.0).id, ""
        if self._context.lobby.authorization:
            return None, "occupied"
        free = [evse for evse in evses.values() if evse not in occupied and not self.closed(evse, id_token, group)]
        if free:
            return (free[0].id if len(evses) == 1 else None), ""
        return None, self.closed(plugged[0], id_token, group) if plugged else self._why_none(id_token, group)

    def _why_none(self, id_token: IdToken, group: IdToken | None) -> str:
        words = [self.closed(evse, id_token, group) for evse in self._context.evses.values()]
        return next((word for word in words if word in ("occupied", "reserved")), words[0] if words else "unavailable")

    def gives_back(self, id_token: IdToken, evse_id: int | None) -> bool:
        """The lock of a socket held that driver's cable, and lets it go."""
        evses = [evse for evse in self._context.evses.values() if evse_id in (None, evse.id)]
        return any(evse.give_back(id_token) for evse in evses)

    def closed(self, evse: Evse, id_token: IdToken, group: IdToken | None = None) -> str:
        """Why that token cannot be authorized at that EVSE; empty where it can."""
        if evse.faults or not evse.board_online:
            return "faulted"
        if evse.authorization or evse.holds_for_another(id_token):
            return "occupied"
        if not self._context.availability.operative(evse.id):
            return "unavailable"
        transaction = evse.transaction
        if transaction and "ending" in transaction.extra:
            return "ending"
        if transaction and transaction.id_token and not transaction.id_token.matches(id_token):
            return "other_token"  # C01.FR.23
        if self._context.reservations.keeps(evse.id, id_token, group):
            return "reserved"  # H03.FR.01 to H03.FR.06
        return ""
