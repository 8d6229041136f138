"""Functional block H, Reservation: ReserveNow (H01), CancelReservation (H02), used (H03) and over (H04)."""

from __future__ import annotations

from station.device_model.components import AuthCtrlr, Connector, ReservationCtrlr
from station.domain.evse import Evse
from station.domain.moment import Moment, parse_rfc3339
from station.domain.reservation import Reservation
from station.domain.signals import Authorized, EvseChanged, ReservationEnded, StatusShown
from station.domain.transaction import IdToken
from station.ocpp.block import Block, Payload
from station.ocpp.context import Context

EXPIRED, REMOVED = "Expired", "Removed"  # ReservationUpdateStatusEnumType
REMEMBERED = "reservations"


class Reservations(Block):
    """Takes reservations and lets them go. Whom they keep out is asked of ``Context.reservations`` by C, F and G."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._kept = context.reservations
        self._due: float | None = None  # monotonic: when the next one expires
        self.actions = {"ReserveNow": self.reserve_now, "CancelReservation": self.cancel}

    def on(self, event: object, now: Moment) -> None:
        match event:
            case Authorized():
                self._use(event, now)
            case StatusShown(status="Faulted" | "Unavailable"):
                self._lost(event.evse_id, now)
            case ReservationEnded():
                # after the StatusNotification that it frees (H04.FR.01, H04.FR.03)
                update = {"reservationId": event.reservation_id, "reservationUpdateStatus": event.status}
                self._context.call("ReservationStatusUpdate", update)
        if self._kept.entries or self._kept.held:
            self._expire(now)
            self._hold()

    def deadline(self) -> float | None:
        return self._due

    # ------------------------------------------------------------------ H01

    def reserve_now(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer ReserveNowRequest."""
        group = request.get("groupIdToken")
        new = Reservation(
            request["id"],
            parse_rfc3339(request["expiryDateTime"]),
            IdToken(request["idToken"]["idToken"], request["idToken"]["type"]),
            IdToken(group["idToken"], group["type"]) if group else None,
            request.get("evseId"),
            request.get("connectorType") or "",
        )
        refused = self._refusal(new, now)
        if refused:
            return {"status": "Rejected", "statusInfo": {"reasonCode": refused[0], "additionalInfo": refused[1]}}
        targets = self._targets(new)
        entries = {**self._kept.entries, new.id: new}  # H01.FR.02: one of the same id is replaced
        if not self._has_room(new, entries):
            return {"status": self._why_full(targets)}
        self._kept.entries = entries
        self._remember()
        self._context.journal(
            now, "reserved", evse_id=new.evse_id, id_token=new.id_token.loggable, type=new.id_token.type, id=new.id
        )
        self._changed()  # H01.FR.20, H01.FR.23, H01.FR.24
        return {"status": "Accepted"}

    def _refusal(self, new: Reservation, now: Moment) -> tuple[str, str] | None:
        model = self._context.model
        if not model[ReservationCtrlr.Enabled]:
            return "NotEnabled", "reservations are switched off"  # H01.FR.01
        if self._context.outbox.registration != "Accepted" or self._context.restarting:
            return "NotEnabled", "the station takes nobody at the moment"
        if new.evse_id is not None and new.evse_id not in self._context.evses:
            return "UnknownEvse", f"there is no EVSE {new.evse_id}"
        if not self._targets(new):
            return "UnknownConnectorType", f"there is no connector {new.connector_type} here"
        if new.evse_id is None and not model[ReservationCtrlr.NonEvseSpecific]:
            return "UnsupportedParam", "an EVSE has to be named"  # H01.FR.19
        if new.id_token.type not in model[AuthCtrlr.SupportedIdTokenTypes]:
            return "InvalidIdToken", f"idTokens of type {new.id_token.type} are not supported here"
        if new.expires <= self._context.clock.utc(now):
            return "InvalidValue", "expiryDateTime is past"
        return None

    def _targets(self, new: Reservation) -> list[Evse]:
        return [evse for evse in self._context.evses.values() if new.fits(evse.id, self._kept.connectors[evse.id])]

    def _has_room(self, new: Reservation, entries: dict[int, Reservation]) -> bool:
        free = self._free()
        named = [one.evse_id for one in entries.values() if one.evse_id is not None]
        if new.evse_id is not None and (new.evse_id not in free or named.count(new.evse_id) > 1):
            return False
        return self._kept.suffices(free - set(named), entries.values(), self._waiting())

    def _why_full(self, targets: list[Evse]) -> str:
        states = {self._context.model[Connector.AvailabilityState.at(evse.id, 1)] for evse in targets}
        # H01.FR.12, H01.FR.14; otherwise H01.FR.11
        return str(states.pop()) if states in ({"Faulted"}, {"Unavailable"}) else "Occupied"

    # ------------------------------------------------------------------ H02, H03, H04

    def cancel(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer CancelReservationRequest."""
        found = self._kept.entries.get(request["reservationId"])
        if found is None:
            return {"status": "Rejected"}  # H02.FR.01
        self._end(found, "Cancelled", now)  # H02.FR.02
        return {"status": "Accepted"}

    def _use(self, event: Authorized, now: Moment) -> None:
        used = self._kept.entries.get(event.authorization.reservation_id or 0)
        if used is not None and event.authorization.reservation_id is not None:
            self._end(used, "Used", now)  # H03.FR.09, H03.FR.10

    def _expire(self, now: Moment) -> None:
        at = self._context.clock.utc(now)
        for one in list(self._kept.entries.values()):
            if one.expires <= at:
                self._end(one, EXPIRED, now)
        nearest = min((one.expires for one in self._kept.entries.values()), default=None)
        self._due = None if nearest is None else now.monotonic + (nearest - at).total_seconds()

    def _lost(self, evse_id: int, now: Moment) -> None:
        """H01.FR.16, H01.FR.17. An EVSE that is only being reset is Reserved again afterwards (B11.FR.05)."""
        if evse_id in self._context.availability.resetting:
            return
        named = self._kept.naming(evse_id)
        if named is not None:
            self._end(named, REMOVED, now)
        for one in reversed(list(self._kept.entries.values())):
            if one.evse_id is None and not self._kept.suffices(self._usable(), self._kept.entries.values()):
                self._end(one, REMOVED, now)

    def _end(self, one: Reservation, how: str, now: Moment) -> None:
        del self._kept.entries[one.id]
        self._remember()
        self._context.journal(
            now,
            "reservation_over",
            evse_id=one.evse_id,
            id_token=one.id_token.loggable,
            type=one.id_token.type,
            how=how,
        )
        self._changed()
        if how in (EXPIRED, REMOVED):
            self._context.raise_signal(ReservationEnded(one.id, how))

    # ------------------------------------------------------------------ who is kept out

    def _usable(self) -> set[int]:
        """EVSEs that work, and that no reservation names."""
        states = {one: self._context.model[Connector.AvailabilityState.at(one, 1)] for one in self._context.evses}
        return {
            one
            for one, state in states.items()
            if state not in ("Faulted", "Unavailable") and not self._kept.naming(one)
        }

    def _free(self) -> set[int]:
        """EVSEs that the next driver could take, were there no reservation."""
        return {evse.id for evse in self._context.evses.values() if self._is_free(evse)}

    def _is_free(self, evse: Evse) -> bool:
        if evse.faults or evse.authorization or evse.kept_for or not self._context.availability.operative(evse.id):
            return False
        if evse.id in self._kept.held:
            # G01.FR.09: a stranger's cable changes nothing, nor does a transaction that only the cable began
            return evse.transaction is None or evse.transaction.id_token is None
        return not (evse.plugged or evse.cable_in or evse.transaction)

    def _waiting(self) -> int:
        """Drivers that were let in and are yet to plug in somewhere."""
        return 1 if self._context.lobby.authorization else 0

    def _hold(self) -> None:
        if self._kept.hold(self._free(), self._waiting()):
            for evse_id in self._context.evses:
                self._context.raise_signal(EvseChanged(evse_id))

    def _changed(self) -> None:
        self._hold()
        for evse_id in self._context.evses:
            self._context.raise_signal(EvseChanged(evse_id))

    def _remember(self) -> None:
        self._context.remember(REMEMBERED, self._kept.dump())
