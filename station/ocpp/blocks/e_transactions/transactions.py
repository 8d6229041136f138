"""What happens to cable, EV, driver and board, and what follows for the transaction there (E01 to E15)."""

from __future__ import annotations

from dataclasses import replace

from station.device_model.components import OCPPCommCtrlr, TxCtrlr
from station.domain import evse as conditions
from station.domain.board import BoardSnapshot, Fault
from station.domain.events import Started, Tick
from station.domain.evse import EV_GRACE, Evse, Seat
from station.domain.moment import Moment, parse_rfc3339
from station.domain.signals import (
    AuthorizationEnded,
    Authorized,
    EndTransactions,
    EvseChanged,
    EvseReset,
    MeterDue,
    TriggerRequested,
)
from station.domain.transaction import ChargingState
from station.ocpp.block import Block, Payload
from station.ocpp.blocks.e_transactions.kept_cables import KeptCables
from station.ocpp.blocks.e_transactions.lifecycle import Lifecycle
from station.ocpp.blocks.e_transactions.verdicts import Verdicts
from station.ocpp.context import Context

# Faults after which a session is over; others only suspend it until they clear.
ENDING_FAULTS = {Fault.GROUND_FAILURE: "GroundFault", Fault.OVER_CURRENT: "OvercurrentFault"}


class Transactions(Block):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._life = Lifecycle(context)
        self._charged_at: dict[int, float] = {}  # EVSE id -> monotonic time up to which charging was counted
        self._was: dict[int, tuple[bool, bool, bool]] = {}  # EVSE id -> (plugged, bay occupied, faulted) told
        self.actions = {"GetTransactionStatus": self.get_transaction_status}
        self._verdicts = Verdicts(context, self._authorization_ended)
        self._kept_cables = KeptCables(context)

    # ------------------------------------------------------------------ events

    def on(self, event: object, now: Moment) -> None:
        match event:
            case Started():
                self._context.outbox.mark_offline()  # what is still queued was not delivered online (E12.FR.02)
                self._await_cable(self._context.lobby, now)
            case BoardSnapshot():
                for evse in self._context.evses.values():
                    self._look(evse, now)
            case Tick():
                self._expire(now)
                for evse in self._context.evses.values():
                    self._life.finish_ending(evse, now)
                    if evse.id in self._was:  # after a start nothing is known until the board's first snapshot
                        self._life.report_state(evse, now)
            case Authorized():
                self._authorized(event, now)
            case AuthorizationEnded():
                self._authorization_ended(event, now)
            case EndTransactions():
                for seat in self._context.seats():
                    if event.evse_id in (None, seat.evse_id):
                        seat.authorization = None
                        self._life.end(seat, event.trigger, event.stopped_reason, now)
            case MeterDue():
                seat = self._context.evses[event.evse_id]
                if seat.transaction:
                    self._life.events.updated(seat, event.trigger, now, meter=event.meter)
            case EvseReset():
                self._was.pop(event.evse_id, None)
            case TriggerRequested(message="TransactionEvent"):
                self._triggered(event, now)
        self._kept_cables.remember()

    def deadline(self) -> float | None:
        waits = [seat.authorization.expires for seat in self._context.seats() if seat.authorization]
        graces = [
            evse.offered_at + EV_GRACE
            for evse in self._context.evses.values()
            if evse.offered_at is not None
            and evse.transaction
            and "ending" not in evse.transaction.extra
            and evse.charging_state(evse.offered_at + EV_GRACE) != evse.transaction.charging_state
        ]
        return min([at for at in waits if at is not None] + graces + self._life.endings(), default=None)

    # ------------------------------------------------------------------ the board

    def _look(self, evse: Evse, now: Moment) -> None:
        """One EVSE after a new snapshot: what changed physically, in the order in which it matters."""
        if evse.snapshot is None or not evse.board_online:
            return
        self._count_charging(evse, now)
        evse.signs = self._context.signing.wanted("Transaction.Begin")
        evse.spent &= evse.conditions()
        if evse.id not in self._was:
            self._resume(evse, now)
        was_plugged, was_bay, was_faulted = self._was.get(evse.id, (evse.plugged, evse.bay_occupied, False))
        self._was[evse.id] = (evse.plugged, evse.bay_occupied, bool(evse.faults))
        if evse.bay_occupied != was_bay:
            self._bay(evse, now)
        if evse.plugged and not was_plugged:
            self._plugged_in(evse, now)
        elif was_plugged and not evse.plugged:
            self._unplugged(evse, now)
        if evse.authorization and evse.authorization.expires is None and not (evse.plugged or evse.cable_in):
            self._await_cable(evse, now)  # E10.FR.02: no lock holds the driver's cable (any more)
        if evse.faults and not was_faulted:
            self._faulted(evse, now)
        self._verdicts.watch(evse)
        self._life.finish_ending(evse, now)
        self._life.start_if_due(evse, "ChargingStateChanged" if evse.transferring else "CablePluggedIn", now)
        self._life.report_state(evse, now)
        self._note_suspect(evse)
        self._life.curve.note(evse, now)
        self._life.remember_spent()

    def _resume(self, evse: Evse, now: Moment) -> None:
        """The first look after a start: does the session of the last life go on?"""
        transaction = evse.transaction
        if transaction is None:
            self._was[evse.id] = (False, False, False)  # what is plugged in now counts as plugged in now
            return
        if "ending" in transaction.extra:
            self._was[evse.id] = (evse.plugged, evse.bay_occupied, False)
            return  # it was over when the power went; what remains is to say so
        told = parse_rfc3339(str(transaction.extra.get("told_at"))) if transaction.extra.get("told_at") else None
        away = (self._context.clock.utc(now) - told).total_seconds() if told else 0.0
        limit = self._context.model[TxCtrlr.ResumptionTimeout]
        waits_for_cable = transaction.charging_state in (None, ChargingState.IDLE)
        self._was[evse.id] = (evse.plugged and not waits_for_cable, evse.bay_occupied, False)
        if evse.plugged and away <= limit:
            self._context.journal(now, "resumed", evse_id=evse.id, transaction_id=transaction.transaction_id)
            return
        if not evse.plugged and waits_for_cable and evse.authorization and away <= limit:
            self._await_cable(evse, now)
            return
        self._life.end(evse, "AbnormalCondition", "PowerLoss", now)

    def _await_cable(self, seat: Seat, now: Moment) -> None:
        """The authorization lasts EVConnectionTimeOut from now, unless an EV comes (C01.FR.26, E10.FR.02)."""
        if seat.authorization:
            timeout = float(self._context.model[TxCtrlr.EVConnectionTimeOut])
            seat.authorization = replace(seat.authorization, expires=now.monotonic + timeout)

    def _bay(self, evse: Evse, now: Moment) -> None:
        trigger = "EVDetected" if evse.bay_occupied else "EVDeparted"
        if evse.transaction is None:
            # where the cable comes in the same moment, it is the cable that starts what the bay does not
            if conditions.PARKING_BAY_OCCUPANCY in self._context.model[TxCtrlr.TxStartPoint]:
                self._life.start_if_due(evse, trigger, now)
        elif not self._life.end_if_due(evse, trigger, "Local", now):
            self._life.events.updated(evse, trigger, now)
        self._context.raise_signal(EvseChanged(evse.id))

    def _plugged_in(self, evse: Evse, now: Moment) -> None:
        self._context.journal(now, "plugged_in", evse_id=evse.id, transaction_id=_id(evse))
        self._leave_lobby(evse, now)
        if evse.authorization:
            evse.authorization = replace(evse.authorization, expires=None)
        if evse.transaction is None:
            self._life.start_if_due(evse, "CablePluggedIn", now)
        else:
            self._life.events.updated(evse, "CablePluggedIn", now)

    def _leave_lobby(self, evse: Evse, now: Moment) -> None:
        """The authorization that waited for a cable finds its EVSE (E03)."""
        lobby = self._context.lobby
        authorization = lobby.authorization
        if authorization is None or evse.authorization or evse.faults:
            return
        if authorization.evse_ids and evse.id not in authorization.evse_ids:  # C01.FR.21
            return
        if not self._context.availability.operative(evse.id) or evse.holds_for_another(authorization.id_token):
            return
        named = self._context.reservations.naming(evse.id)
        if named and not named.is_for(authorization.id_token, authorization.group_id_token):
            return  # H03.FR.01: it is kept for somebody else
        if evse.transaction:  # started by the parking bay: it is authorized now, unless somebody was before (C01.FR.23)
            mine = evse.transaction.id_token is None and "ending" not in evse.transaction.extra
            if mine and lobby.transaction is None:
                trigger = lobby.announce or "Authorized"
                lobby.authorization, lobby.announce = None, ""
                self._authorized(Authorized(evse.id, authorization, trigger), now)
            return
        evse.authorization, evse.transaction, evse.announce = authorization, lobby.transaction, lobby.announce
        lobby.authorization, lobby.transaction, lobby.announce = None, None, ""

    def _unplugged(self, evse: Evse, now: Moment) -> None:
        self._context.journal(now, "unplugged", evse_id=evse.id, transaction_id=_id(evse))
        if self._context.model[TxCtrlr.StopTxOnEVSideDisconnect]:
            if evse.cable_in and not self._context.model[OCPPCommCtrlr.UnlockOnEVSideDisconnect]:
                evse.kept_for = evse.authorization or evse.kept_for  # E09.FR.03; E09.FR.02 otherwise
            evse.authorization = None  # E09.FR.01
            if evse.transaction:
                evse.transaction.extra.update({"authorized": False} if "authorized" in evse.transaction.extra else {})
        elif not evse.socket:
            self._await_cable(evse, now)  # E10.FR.02; with a socket the lock holds the cable (E10.FR.01)
        evse.announce = ""
        if evse.transaction and not self._life.end_if_due(evse, "EVCommunicationLost", "EVDisconnected", now):
            self._life.events.updated(evse, "EVCommunicationLost", now)

    def _faulted(self, evse: Evse, now: Moment) -> None:
        if evse.transaction is None:
            return
        reasons = [reason for fault, reason in ENDING_FAULTS.items() if fault in evse.faults]
        if reasons:
            self._life.end(evse, "AbnormalCondition", reasons[0], now)  # E06.FR.16
            evse.authorization = None
        elif not self._life.end_if_due(evse, "AbnormalCondition", "Other", now):
            self._life.events.updated(evse, "AbnormalCondition", now)

    def _count_charging(self, evse: Evse, now: Moment) -> None:
        since = self._charged_at.pop(evse.id, None)
        if evse.transferring and evse.transaction:
            if since is not None:
                evse.transaction.seconds_charging += now.monotonic - since
            self._charged_at[evse.id] = now.monotonic

    def _note_suspect(self, evse: Evse) -> None:
        if evse.meter.problem and evse.transaction and not evse.transaction.meter_suspect:
            evse.transaction.meter_suspect = True  # shown with the session; stored with its next event

    # ------------------------------------------------------------------ authorization

    def _authorized(self, event: Authorized, now: Moment) -> None:
        seat = self._context.seat(event.evse_id)
        seat.authorization, seat.refused = event.authorization, ""
        if not (isinstance(seat, Evse) and seat.plugged):
            self._await_cable(seat, now)
        seat.spent.clear()
        if isinstance(seat, Evse):
            seat.suspended_by_station, seat.kept_for = False, None
            if seat.transaction:
                self._verdicts.forget(seat.transaction)
        if event.trigger == "RemoteStart":
            seat.announce = "RemoteStart"  # F01.FR.19, F02.FR.21
        if seat.transaction is None:
            self._life.start_if_due(seat, event.trigger, now)
        else:
            self._life.adopt(seat.transaction, seat.authorization)
            self._life.events.updated(seat, event.trigger, now)  # E02.FR.01, E02.FR.20

    def _authorization_ended(self, event: AuthorizationEnded, now: Moment) -> None:
        seat = self._context.seat(event.evse_id)
        if seat.authorization is None and (seat.transaction is None or "ending" in seat.transaction.extra):
            return
        seat.authorization = None
        seat.announce = ""
        self._context.journal(
            now, "authorization_ended", evse_id=event.evse_id, transaction_id=_id(seat), trigger=event.trigger
        )
        if seat.transaction is None:
            seat.spent = seat.conditions()
            self._life.remember_spent()
            return
        seat.transaction.extra["authorized"] = False
        # E05.FR.10, F03.FR.03; without authorization no energy flows either
        stops = self._life.stop_points() & {conditions.AUTHORIZED, conditions.ENERGY_TRANSFER}
        if stops or self._life.abandoned(seat) or self._never_connected(seat, event):
            self._life.end(seat, event.trigger, event.stopped_reason, now, event.id_token)
        else:
            # F03.FR.02, F04.FR.02, E05.FR.09: the energy stops, the transaction goes on until its stop point
            seat.transaction.extra["reason"] = event.stopped_reason
            self._life.events.updated(seat, event.trigger, now, id_token=event.id_token)

    def _never_connected(self, seat: Seat, event: AuthorizationEnded) -> bool:
        """E03.FR.05, F02.FR.07: nobody came; E03.FR.15, F02.FR.08: unless the parking bay ends it."""
        return event.trigger == "EVConnectTimeout" and conditions.PARKING_BAY_OCCUPANCY not in self._life.stop_points()

    def _expire(self, now: Moment) -> None:
        for seat in self._context.seats():
            authorization = seat.authorization
            if authorization and authorization.expires is not None and now.monotonic >= authorization.expires:
                self._authorization_ended(AuthorizationEnded(seat.evse_id, "EVConnectTimeout", "Timeout"), now)

    # ------------------------------------------------------------------ asked by the CSMS

    def get_transaction_status(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer GetTransactionStatusRequest (E14)."""
        outbox = self._context.outbox
        transaction_id = request.get("transactionId")
        if transaction_id is None:
            return {"messagesInQueue": outbox.transaction_events_waiting()}  # E14.FR.06..08
        return {
            "ongoingIndicator": self._context.seat_of(transaction_id) is not None,  # E14.FR.01..03
            "messagesInQueue": outbox.waiting_for(transaction_id),  # E14.FR.04, .05
        }

    def _triggered(self, event: TriggerRequested, now: Moment) -> None:
        for seat in self._context.seats():
            if seat.transaction and event.evse_id in (None, seat.evse_id):
                meter = None
                if isinstance(seat, Evse):
                    meter = self._life.events.current(seat, now)
                self._life.events.updated(seat, "Trigger", now, meter=meter)  # F06.FR.07


def _id(seat: Seat) -> str | None:
    return seat.transaction.transaction_id if seat.transaction else None
