"""When a transaction starts and when it ends, by the conditions of TxStartPoint and TxStopPoint (E01, E06)."""

from __future__ import annotations

from dataclasses import replace

from station.device_model.components import TxCtrlr
from station.domain import evse as conditions
from station.domain.authorization import Authorization
from station.domain.effects import SaveTransaction
from station.domain.evse import Evse, Seat
from station.domain.moment import Moment
from station.domain.signals import TransactionEnded
from station.domain.transaction import ChargingState, IdToken, Transaction
from station.ocpp.blocks.e_transactions.events import Events
from station.ocpp.context import Context
from station.ocpp.curve import Curve

LEAVING = ("EVCommunicationLost", "EVDeparted")
OPENING = 8.0  # s that EV and contactor may take to stop before a transaction ends without waiting for them


class Lifecycle:
    """Puts transactions on seats and takes them off. What happened to an EVSE or a driver is the block's to notice."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.events = Events(context)
        self.curve = Curve(context)
        self._end_at_latest: dict[int, float] = {}  # EVSE id -> monotonic; while a transaction waits for the contactor

    def endings(self) -> list[float]:
        """When transactions end at the latest that wait for their contactor (monotonic)."""
        return list(self._end_at_latest.values())

    # ------------------------------------------------------------------ start

    def adopt(self, transaction: Transaction, authorization: Authorization) -> None:
        """Whose transaction it is from now on; told with its next event."""
        transaction.extra.pop("token_told", None)  # E02.FR.01: told anew, the same one, too
        transaction.id_token = authorization.id_token  # C02.FR.01: of type NoAuthorization where there is none
        transaction.group_id_token = authorization.group_id_token
        transaction.authorized_by = str(authorization.by)
        if authorization.remote_start_id is not None:
            transaction.remote_start_id = authorization.remote_start_id
            transaction.extra.pop("remote_told", None)
        if authorization.reservation_id is not None:
            transaction.reservation_id = authorization.reservation_id
            transaction.extra.pop("reservation_told", None)
        transaction.extra["authorized"] = True

    def start_if_due(self, seat: Seat, trigger: str, now: Moment) -> None:
        """Start one if a condition of TxStartPoint holds that is not spent (E01)."""
        if seat.transaction is not None or (self._context.restarting and seat.authorization is None):
            return
        points = self._context.model[TxCtrlr.TxStartPoint]
        due = (seat.conditions() - seat.spent).intersection(points)
        if not due:
            return
        if due == {conditions.DATA_SIGNED}:
            trigger = "SignedDataReceived"  # E01.FR.04
        if isinstance(seat, Evse) and not self._context.availability.operative(seat.id):
            return
        if seat.authorization is None and not self._context.may_charge():
            return
        seat.transaction = Transaction(self._context.new_id(), self._context.clock.utc(now))
        seat.transaction.started_offline = not self._context.outbox.online
        if seat.authorization:
            self.adopt(seat.transaction, seat.authorization)
        self.events.started(seat, trigger, now)
        started = seat.transaction.transaction_id
        self._context.journal(now, "transaction_started", evse_id=seat.evse_id, transaction_id=started, trigger=trigger)

    # ------------------------------------------------------------------ end

    def stop_points(self) -> set[str]:
        """TxStopPoint, as conditions that hold or do not."""
        configured = self._context.model[TxCtrlr.TxStopPoint]
        points = set(configured)
        if conditions.POWER_PATH_CLOSED in points:
            # E06.FR.06: it is the same as having both of these
            points = (points - {conditions.POWER_PATH_CLOSED}) | {conditions.EV_CONNECTED, conditions.AUTHORIZED}
        return points

    def end_if_due(self, seat: Seat, trigger: str, reason: str, now: Moment) -> bool:
        """End the transaction if a condition of TxStopPoint held in it and holds no more (E06); True if it ended."""
        transaction = seat.transaction
        if transaction is None:
            return False
        if "ending" in transaction.extra:
            return True
        seen = set(_strings(transaction.extra.get("seen")))
        if "authorized" in transaction.extra:
            seen.add(conditions.AUTHORIZED)
        due = self.stop_points() & (seen - seat.conditions())
        if not due and not (trigger in LEAVING and self.abandoned(seat)):
            return False
        self.end(seat, trigger, str(transaction.extra.get("reason") or reason), now)
        return True

    def abandoned(self, seat: Seat) -> bool:
        """Nobody is authorized, no EV is there, and no condition is left whose end could be the stop point."""
        plugged = isinstance(seat, Evse) and seat.plugged
        return seat.authorization is None and not plugged and not self.stop_points() & seat.conditions()

    def end(self, seat: Seat, trigger: str, reason: str, now: Moment, token: IdToken | None = None) -> None:
        """The transaction is over. What still flows until the contactor opens belongs to it, so that is waited for."""
        transaction = seat.transaction
        if transaction is None:
            return
        seat.authorization = None
        if "ending" not in transaction.extra:
            transaction.extra["ending"] = [trigger, reason, *([token.id_token, token.type] if token else [])]
            transaction.extra["authorized"] = False
            self._context.emit(SaveTransaction(replace(transaction, extra=dict(transaction.extra))))
        if isinstance(seat, Evse):
            self.finish_ending(seat, now)
        else:
            self._ended(seat, now)

    def finish_ending(self, evse: Evse, now: Moment) -> None:
        """Write the Ended event once no more energy can flow, or the board had its time to see to that."""
        transaction = evse.transaction
        if transaction is None or "ending" not in transaction.extra:
            return
        at_latest = self._end_at_latest.setdefault(evse.id, now.monotonic + OPENING)
        flowing = evse.snapshot is not None and evse.snapshot.contactor_closed
        if (flowing or not evse.board_online) and now.monotonic < at_latest:
            return
        self._ended(evse, now)

    def _ended(self, seat: Seat, now: Moment) -> None:
        transaction = seat.transaction
        if transaction is None:
            return
        trigger, reason, *token = _strings(transaction.extra.pop("ending"))
        self.events.ended(seat, trigger, reason, now, id_token=IdToken(*token) if token else None)
        if isinstance(seat, Evse):
            self._end_at_latest.pop(seat.id, None)
            self._remember_register(seat)
            self.curve.note(seat, now, final=True)
            seat.suspended_by_station = False
        self._context.journal(
            now, "transaction_ended", evse_id=seat.evse_id, transaction_id=transaction.transaction_id, reason=reason
        )
        seat.transaction = None
        seat.announce = ""
        seat.spent = seat.conditions()
        self.remember_spent()
        self._context.raise_signal(TransactionEnded(transaction.transaction_id, seat.evse_id))

    def _remember_register(self, evse: Evse) -> None:
        """What the meter of the next life must not fall behind, nor leave far behind."""
        if evse.meter.energy is not None:
            known = self._context.remembered.get("registers") or {}
            self._context.remember("registers", {**known, str(evse.id): evse.meter.energy})

    # ------------------------------------------------------------------ between

    def report_state(self, evse: Evse, now: Moment) -> None:
        """E01.FR.18: a change of the charging state is told, and may end the transaction (EnergyTransfer)."""
        transaction = evse.transaction
        if transaction is None or "ending" in transaction.extra:
            return
        held = evse.conditions()
        seen = set(_strings(transaction.extra.get("seen")))
        if held - seen:
            transaction.extra["seen"] = sorted(seen | held)
        state = evse.charging_state(now.monotonic)
        if self.end_if_due(evse, "ChargingStateChanged", self._why_stopped(evse, state), now):
            return
        if state != transaction.charging_state:
            self.events.updated(evse, "ChargingStateChanged", now)
        elif state == ChargingState.CHARGING and evse.phases_used != transaction.phases_used:
            self.events.updated(evse, "ChargingStateChanged", now)  # E02.FR.19

    def _why_stopped(self, evse: Evse, state: ChargingState) -> str:
        if evse.suspended_by_station:
            return "DeAuthorized"  # E05.FR.02
        if evse.limit == 0:
            return "Local"  # the owner's pause, where TxStopPoint has it end the transaction
        if state == ChargingState.SUSPENDED_EV or not (evse.faults or evse.watchdog_tripped):
            return "StoppedByEV"
        return "Other"

    def remember_spent(self) -> None:
        """Note the conditions that start nothing more; writes only where that is news."""
        spent = {str(evse.id): sorted(evse.spent) for evse in self._context.evses.values() if evse.spent}
        self._context.remember("spent", spent or None)


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
