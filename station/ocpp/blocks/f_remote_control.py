"""Functional block F, Remote control: start and stop (F01 to F03), unlock (F05), trigger (F06); also the web page's."""

from __future__ import annotations

from dataclasses import dataclass

from station.device_model.components import AlignedDataCtrlr, AuthCtrlr, ChargingStation, SecurityCtrlr
from station.domain.authorization import Authorization, AuthorizedBy
from station.domain.board import BoardSnapshot
from station.domain.effects import Answer, FinishCommand
from station.domain.events import LinkDown, OperatorCommand, Tick
from station.domain.evse import Evse
from station.domain.moment import Moment
from station.domain.signals import AuthorizationEnded, Authorized, AuthorizeRemotely, TriggerRequested
from station.domain.transaction import IdToken
from station.ocpp.block import Block, Payload
from station.ocpp.context import Context

UNLOCK_PATIENCE = 5.0  # s that the lock may take
CERTIFICATE = "SignChargingStationCertificate"
# No EVSE matters (F06.FR.03).
WHOLE_STATION = {"Heartbeat", "LogStatusNotification", "FirmwareStatusNotification", CERTIFICATE}
AFTER_ACCEPTED = {"MeterValues", "TransactionEvent", "StatusNotification", *WHOLE_STATION}


@dataclass(slots=True)
class _Unlocking:
    """An unlock under way, for the CSMS (``call_id``) or for somebody at the web page (``command_id``)."""

    evse_id: int
    at_latest: float
    call_id: str = ""
    command_id: int | None = None


class RemoteControl(Block):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._unlocking: list[_Unlocking] = []
        self.actions = {
            "RequestStartTransaction": self.request_start,
            "RequestStopTransaction": self.request_stop,
            "UnlockConnector": self.unlock,
            "TriggerMessage": self.trigger,
        }

    def on(self, event: object, now: Moment) -> None:
        match event:
            case BoardSnapshot() | Tick():
                self._finish_unlocking(now)
            case LinkDown():
                self._unlocking = [one for one in self._unlocking if not one.call_id]
            case OperatorCommand(action="stop"):
                self._operator_stop(event)
            case OperatorCommand(action="unlock"):
                self._operator_unlock(event, now)

    def deadline(self) -> float | None:
        return min((one.at_latest for one in self._unlocking), default=None)

    @property
    def unlocking(self) -> set[int]:
        """EVSEs whose connector is to be unlocked now."""
        return {one.evse_id for one in self._unlocking}

    # ------------------------------------------------------------------ F01, F02

    def request_start(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer RequestStartTransactionRequest; a charging profile is ignored (F01.FR.12: no smart charging yet)."""
        if self._context.outbox.registration != "Accepted":
            return _rejected("NotEnabled", "not accepted by the CSMS yet")  # B02.FR.05
        token = IdToken(request["idToken"]["idToken"], request["idToken"]["type"])
        named = request.get("groupIdToken")
        group = IdToken(named["idToken"], named["type"]) if named else None
        evse = self._choose(request.get("evseId"), token, group)
        if evse is None:
            return _rejected("UnknownEvse" if request.get("evseId") else "NoEvse", "no EVSE to start on")
        refused = self._why_not(evse, token, group)
        if refused:
            return _rejected("NotAvailable", refused)
        if token.type not in self._context.model[AuthCtrlr.SupportedIdTokenTypes]:
            return _rejected("InvalidIdToken", f"idTokens of type {token.type} are not supported here")
        unauthorized = evse.transaction
        if unauthorized and unauthorized.id_token and not unauthorized.id_token.matches(token):
            return _rejected("TxInProgress", "the transaction belongs to another idToken")  # C01.FR.23
        remote_start_id = request["remoteStartId"]
        if self._context.model[AuthCtrlr.AuthorizeRemoteStart]:  # F01.FR.01, F02.FR.09
            self._context.raise_signal(AuthorizeRemotely(evse.id, token, remote_start_id))
        else:  # F01.FR.02, F02.FR.10
            used = self._context.reservations.used(evse.id, token, group)  # H03.FR.09 (errata 2025-01)
            granted = Authorization(
                token,
                AuthorizedBy.REMOTE,
                group,
                remote_start_id=remote_start_id,
                reservation_id=used.id if used else None,
            )
            self._context.journal(now, "remote_start", evse_id=evse.id, id_token=token.loggable, type=token.type)
            self._context.raise_signal(Authorized(evse.id, granted, "RemoteStart"))
        if unauthorized:
            return {"status": "Accepted", "transactionId": unauthorized.transaction_id}  # F01.FR.13
        return {"status": "Accepted"}

    def _choose(self, evse_id: int | None, token: IdToken, group: IdToken | None) -> Evse | None:
        """The EVSE asked for, or the best one: the reserved one, where a cable waits, a free one (F01.FR.20)."""
        if evse_id is not None:
            return self._context.evses.get(evse_id)
        usable = [evse for evse in self._context.evses.values() if not self._why_not(evse, token, group)]
        mine = {one.evse_id for one in self._context.reservations.of(token, group)}
        return max(usable, key=lambda evse: (evse.id in mine, evse.plugged, -evse.id), default=None)

    def _why_not(self, evse: Evse, token: IdToken, group: IdToken | None) -> str:
        if self._context.restarting and not self._context.reservations.of(token, group):
            return "the station is about to restart"
        if self._context.reservations.keeps(evse.id, token, group):
            return "the EVSE is reserved"  # F01.FR.21, F01.FR.22, F02.FR.23, F02.FR.24
        if evse.faults or not evse.board_online:
            return "the EVSE is faulted"  # F01.FR.23
        if not self._context.availability.operative(evse.id):
            return "the EVSE is unavailable"  # F01.FR.23
        if evse.authorization or evse.kept_for or (evse.transaction and "ending" in evse.transaction.extra):
            return "the EVSE is in use"  # F01.FR.24
        return ""

    # ------------------------------------------------------------------ F03

    def request_stop(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer RequestStopTransactionRequest."""
        if self._context.outbox.registration != "Accepted":
            return _rejected("NotEnabled", "not accepted by the CSMS yet")  # B02.FR.05
        seat = self._context.seat_of(request["transactionId"])
        if seat is None:
            return _rejected("TxNotFound", "no such transaction is running")  # F03.FR.08
        self._context.raise_signal(AuthorizationEnded(seat.evse_id, "RemoteStop", "Remote"))  # F03.FR.02, .03
        return {"status": "Accepted"}

    # ------------------------------------------------------------------ F05

    def unlock(self, request: Payload, now: Moment) -> dict[str, object] | None:
        """Answer UnlockConnectorRequest, when the board has shown what came of it."""
        evse = self._context.evses.get(request["evseId"])
        if evse is None or request["connectorId"] != 1:
            return {"status": "UnknownConnector"}  # F05.FR.03
        if evse.transaction and evse.authorization:
            return {"status": "OngoingAuthorizedTransaction"}  # F05.FR.02
        call_id = self._context.answer_later()
        self._unlocking.append(_Unlocking(evse.id, now.monotonic + UNLOCK_PATIENCE, call_id=call_id))
        return None

    def _finish_unlocking(self, now: Moment) -> None:
        for one in list(self._unlocking):
            evse = self._context.evses[one.evse_id]
            unlocked = evse.board_online and evse.snapshot is not None and not evse.snapshot.connector_locked
            if not unlocked and now.monotonic < one.at_latest:
                continue
            self._unlocking.remove(one)
            evse.kept_for = None  # who may have it unlocked from afar may let the cable go
            self._context.journal(now, "unlocked" if unlocked else "unlock_failed", evse_id=one.evse_id)
            if one.call_id:
                status = "Unlocked" if unlocked else "UnlockFailed"  # F05.FR.04, .05
                self._context.emit(Answer(one.call_id, "UnlockConnector", {"status": status}))
            if one.command_id is not None:
                done = ("Accepted", "Unlocked.") if unlocked else ("Rejected", "The lock did not open.")
                self._context.emit(FinishCommand(one.command_id, *done))

    # ------------------------------------------------------------------ F06

    def trigger(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer TriggerMessageRequest; the block that owns the message sends it."""
        message = request["requestedMessage"]
        target = request.get("evse") or {}
        evse_id, connector_id = target.get("id") or None, target.get("connectorId")
        if message == "BootNotification":
            if self._context.outbox.registration == "Accepted":
                return {"status": "Rejected"}  # F06.FR.17
        elif message not in AFTER_ACCEPTED:
            return {"status": "NotImplemented"}  # F06.FR.08
        elif evse_id is not None and evse_id not in self._context.evses and message not in WHOLE_STATION:
            return {"status": "Rejected"}
        elif message == "StatusNotification" and (evse_id is None or connector_id != 1):
            return {"status": "Rejected"}  # F06.FR.12
        elif message == "TransactionEvent" and not self._tells_of_transaction(evse_id):
            return {"status": "Rejected"}
        elif message == "MeterValues" and not self._context.model[AlignedDataCtrlr.Measurands]:
            return {"status": "Rejected"}  # F06.FR.10: what is accepted is sent, and there would be nothing in it
        elif message == CERTIFICATE and not self._has_name():
            return {"status": "Rejected"}
        self._context.raise_signal(TriggerRequested(message, evse_id, connector_id))
        return {"status": "Accepted"}

    def _has_name(self) -> bool:
        """Whether there is something to be named by in a certificate (A00.FR.511)."""
        model = self._context.model
        return bool(model[ChargingStation.SerialNumber] or model[SecurityCtrlr.Identity])

    def _tells_of_transaction(self, evse_id: int | None) -> bool:
        """Whether a TransactionEvent could go out now: it travels in the queue, which waits for the acceptance."""
        if self._context.outbox.registration != "Accepted":
            return False
        return any(seat.transaction for seat in self._context.seats() if evse_id in (None, seat.evse_id))

    # ------------------------------------------------------------------ the web page

    def _operator_evse(self, command: OperatorCommand) -> Evse | None:
        evse_id = command.arguments.get("evse_id")
        evse = self._context.evses.get(evse_id) if isinstance(evse_id, int) else None
        if evse is None:
            self._context.emit(FinishCommand(command.command_id, "Rejected", f"There is no EVSE {evse_id}."))
        return evse

    def _operator_stop(self, command: OperatorCommand) -> None:
        evse = self._operator_evse(command)
        if evse is None:
            return
        if evse.authorization is None and evse.transaction is None:
            self._context.emit(FinishCommand(command.command_id, "Rejected", "Nothing is running there."))
            return
        self._context.raise_signal(AuthorizationEnded(evse.id, "StopAuthorized", "Local"))
        self._context.emit(FinishCommand(command.command_id, "Accepted", "Stopped."))

    def _operator_unlock(self, command: OperatorCommand, now: Moment) -> None:
        evse = self._operator_evse(command)
        if evse is None:
            return
        if evse.transaction and evse.authorization:
            self._context.emit(FinishCommand(command.command_id, "Rejected", "Stop the session first."))
            return
        at_latest = now.monotonic + UNLOCK_PATIENCE
        self._unlocking.append(_Unlocking(evse.id, at_latest, command_id=command.command_id))


def _rejected(reason_code: str, info: str) -> dict[str, object]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason_code, "additionalInfo": info}}
