"""The CSMS's word on the token that an event carried, and what follows from it (E05, C15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from station.device_model.components import TxCtrlr
from station.domain.authorization import TokenInfo
from station.domain.effects import SaveTransaction
from station.domain.evse import Evse, Seat
from station.domain.moment import Moment
from station.domain.signals import AuthorizationEnded
from station.domain.transaction import IdToken, Transaction
from station.ocpp.context import Context

# In Transaction.extra: what a refused token may still get, in mWh of the whole transaction (E05.FR.03), and whether it
# had that.
MAX_ENERGY, SUSPENDED = "max_energy", "suspended"


class Verdicts:
    """Hears every TransactionEventResponse. ``deauthorize`` ends a seat's authorization."""

    def __init__(self, context: Context, deauthorize: Callable[[AuthorizationEnded, Moment], None]) -> None:
        self._context = context
        self._deauthorize = deauthorize
        context.outbox.delivered["TransactionEvent"] = self._delivered

    def forget(self, transaction: Transaction) -> None:
        """Somebody was authorized anew: what was said before no longer counts."""
        transaction.extra.pop(MAX_ENERGY, None)
        transaction.extra.pop(SUSPENDED, None)

    def watch(self, evse: Evse) -> None:
        """Stop the energy, not the transaction, once a refused token has had what it may get (E05.FR.02, C15.FR.07)."""
        transaction = evse.transaction
        if transaction is None or evse.suspended_by_station or evse.authorization is None:
            return
        limit = transaction.extra.get(MAX_ENERGY)
        if not isinstance(limit, int):
            return
        delivered = 0
        if transaction.meter_start is not None and evse.meter.energy is not None:
            delivered = evse.meter.energy - transaction.meter_start
        if delivered >= limit:
            evse.suspended_by_station = True  # the state change is told when the board has opened
            transaction.extra[SUSPENDED] = True
            self._save(transaction)

    def _delivered(self, request: Mapping[str, Any], response: Mapping[str, Any], now: Moment) -> None:
        if "updatedPersonalMessage" in response:
            self._tell_driver(
                request["transactionInfo"]["transactionId"], response["updatedPersonalMessage"]["content"]
            )
        if "idTokenInfo" not in response or "idToken" not in request:
            return
        info = TokenInfo.read(response["idTokenInfo"])
        id_token = IdToken(request["idToken"]["idToken"], request["idToken"]["type"])
        self._context.token_cache.update(id_token, info, now)  # C10.FR.05
        seat = self._context.seat_of(request["transactionInfo"]["transactionId"])
        if seat is None or seat.transaction is None or not id_token.matches(seat.transaction.id_token):
            return
        if info.accepted:
            self._accepted(seat, seat.transaction, info)
        else:
            self._refused(seat, seat.transaction, info, now)

    def _tell_driver(self, transaction_id: str, text: str) -> None:
        """The CSMS has something new to say to who charges."""
        seat = self._context.seat_of(transaction_id)
        if seat and seat.authorization:
            seat.authorization = replace(seat.authorization, personal_message=text)

    def _accepted(self, seat: Seat, transaction: Transaction, info: TokenInfo) -> None:
        if seat.authorization is None:
            return
        if info.group_id_token and not info.group_id_token.matches(transaction.group_id_token):
            transaction.group_id_token = info.group_id_token
            self._save(transaction)
        seat.authorization = replace(
            seat.authorization,
            group_id_token=info.group_id_token or seat.authorization.group_id_token,
            languages=info.languages or seat.authorization.languages,
            personal_message=info.personal_message or seat.authorization.personal_message,
        )

    def _refused(self, seat: Seat, transaction: Transaction, info: TokenInfo, now: Moment) -> None:
        if seat.authorization is None:
            return
        self._context.journal(
            now,
            "deauthorized",
            evse_id=seat.evse_id,
            transaction_id=transaction.transaction_id,
            status=info.status,
        )
        seat.refused = info.status
        if self._context.model[TxCtrlr.StopTxOnInvalidId]:  # E05.FR.09, E05.FR.10, C15.FR.03, C15.FR.04
            self._deauthorize(AuthorizationEnded(seat.evse_id, "Deauthorized", "DeAuthorized"), now)
            return
        # E05.FR.02, E05.FR.03, C15.FR.06, C15.FR.07; where no EVSE is known yet, it counts from the cable on
        transaction.extra[MAX_ENERGY] = self._context.model[TxCtrlr.MaxEnergyOnInvalidId] * 1000
        self._save(transaction)
        if isinstance(seat, Evse):
            self.watch(seat)

    def _save(self, transaction: Transaction) -> None:
        self._context.emit(SaveTransaction(replace(transaction, extra=dict(transaction.extra))))
