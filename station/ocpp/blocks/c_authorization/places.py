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

    def find(self, id_token: IdToken, evse_id: int | None) -> tuple[int | None, str]:
        """Which EVSE the token is for (None: the next that a cable is plugged into), or a word why there is none."""
        if self._context.restarting:
            return None, "restarting"
        evses = self._context.evses
        if evse_id is not None:
            return evse_id, self.closed(evses[evse_id], id_token)
        occupied = [evse for evse in evses.values() if evse.plugged or evse.transaction]
        plugged = [evse for evse in occupied if not evse.authorization]
        open_ones = [evse for evse in plugged if not self.closed(evse, id_token)]
        if open_ones:
            return max(open_ones, key=lambda evse: evse.plugged_at or 0.0).id, ""
        if self._context.lobby.authorization:
            return None, "occupied"
        free = [evse for evse in evses.values() if evse not in occupied and not self.closed(evse, id_token)]
        if free:
            return (free[0].id if len(evses) == 1 else None), ""
        return None, self.closed(plugged[0], id_token) if plugged else self._why_none(id_token)

    def _why_none(self, id_token: IdToken) -> str:
        words = [self.closed(evse, id_token) for evse in self._context.evses.values()]
        return next((word for word in words if word == "occupied"), words[0] if words else "unavailable")

    def gives_back(self, id_token: IdToken, evse_id: int | None) -> bool:
        """The lock of a socket held that driver's cable, and lets it go."""
        evses = [evse for evse in self._context.evses.values() if evse_id in (None, evse.id)]
        return any(evse.give_back(id_token) for evse in evses)

    def closed(self, evse: Evse, id_token: IdToken) -> str:
        """Why nobody can be authorized at that EVSE; empty where somebody can."""
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
        return ""
