"""TransactionEventRequest: seqNo, what is told once, and what each event carries (part 2, block E, 1.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from station.device_model.components import SampledDataCtrlr
from station.domain.effects import SaveTransaction
from station.domain.evse import Evse, Seat
from station.domain.moment import Moment, rfc3339
from station.domain.transaction import ChargingState, IdToken, Transaction
from station.ocpp import measurands
from station.ocpp.context import Context

STARTED, UPDATED, ENDED = "Started", "Updated", "Ended"
ENDED_SAMPLES = 200  # meterValue elements in an Ended event at most


class Events:
    """Writes events of a seat's transaction into the durable queue, and the transaction into the store with them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def started(self, seat: Seat, trigger: str, now: Moment) -> None:
        """The first event; the transaction is on the seat already."""
        self._send(seat, STARTED, trigger, now)

    def updated(
        self,
        seat: Seat,
        trigger: str,
        now: Moment,
        *,
        meter: dict[str, Any] | None = None,
        id_token: IdToken | None = None,
    ) -> None:
        """Something happened. ``id_token`` is the one that ended the authorization (E07.FR.02)."""
        self._send(seat, UPDATED, trigger, now, meter=meter, id_token=id_token)

    def ended(self, seat: Seat, trigger: str, reason: str, now: Moment, *, id_token: IdToken | None = None) -> None:
        """The last event; the caller takes the transaction off the seat."""
        transaction = _of(seat)
        transaction.active = False
        transaction.ended_at = self._context.clock.utc(now)
        transaction.stopped_reason = reason
        if isinstance(seat, Evse):
            transaction.meter_stop = seat.meter.energy
            _keep_phases(transaction, seat)
            transaction.soc_stop = seat.snapshot.soc if seat.snapshot else None
        self._send(seat, ENDED, trigger, now, id_token=id_token)

    def current(self, evse: Evse, now: Moment) -> dict[str, Any] | None:
        """The most recent TxUpdatedMeasurands, for a triggered event (F06.FR.07)."""
        return self._sample(evse, SampledDataCtrlr.TxUpdatedMeasurands, "Trigger", now)

    # ------------------------------------------------------------------ one event

    def _send(
        self,
        seat: Seat,
        event_type: str,
        trigger: str,
        now: Moment,
        *,
        meter: dict[str, Any] | None = None,
        id_token: IdToken | None = None,
    ) -> None:
        transaction = _of(seat)
        at = self._context.clock.utc(now)
        trigger = seat.announce if seat.announce and event_type != ENDED else trigger
        state = seat.charging_state(now.monotonic)
        payload: dict[str, Any] = {
            "eventType": event_type,
            "timestamp": rfc3339(at),
            "triggerReason": trigger,
            "seqNo": transaction.seq_no,  # E01.FR.07
            "transactionInfo": self._info(transaction, state, event_type),
        }
        transaction.seq_no += 1
        transaction.extra["told_at"] = rfc3339(at)
        if not self._context.outbox.online:
            payload["offline"] = True  # E04.FR.03
        if transaction.reservation_id is not None and "reservation_told" not in transaction.extra:
            payload["reservationId"] = transaction.reservation_id  # E01.FR.13, E03.FR.03, F02.FR.06, H01.FR.15
            transaction.extra["reservation_told"] = True
        self._put_token(payload, seat, transaction, id_token)
        self._put_evse(payload, seat, transaction, event_type)
        if isinstance(seat, Evse) and seat.meter.energy is not None:
            transaction.extra["register"] = seat.meter.energy  # what the next life's meter must not fall behind
        values = self._meter_values(seat, transaction, event_type, now, meter)
        if values:
            payload["meterValue"] = values
        self._put_phases(payload, seat, transaction, state)
        transaction.charging_state = state
        seat.announce = ""
        self._context.outbox.enqueue("TransactionEvent", payload, now)
        self._context.emit(SaveTransaction(replace(transaction, extra=dict(transaction.extra))))

    def _info(self, transaction: Transaction, state: ChargingState, event_type: str) -> dict[str, Any]:
        info: dict[str, Any] = {"transactionId": transaction.transaction_id, "chargingState": str(state)}
        if transaction.seconds_charging or event_type == ENDED:
            info["timeSpentCharging"] = int(transaction.seconds_charging)
        if event_type == ENDED:
            info["stoppedReason"] = transaction.stopped_reason  # E06.FR.08
        if transaction.remote_start_id is not None and "remote_told" not in transaction.extra:
            info["remoteStartId"] = transaction.remote_start_id  # F01.FR.25, F02.FR.01: once, in the next event
            transaction.extra["remote_told"] = True
        return info

    def _put_token(self, payload: dict[str, Any], seat: Seat, transaction: Transaction, ending: IdToken | None) -> None:
        token = ending
        if token is None and transaction.id_token and "token_told" not in transaction.extra:
            token = transaction.id_token  # E03.FR.01: once, in the first event after the authorization
        if token is None:
            return
        payload["idToken"] = {"idToken": token.id_token, "type": token.type}
        transaction.extra["token_told"] = True

    def _put_evse(self, payload: dict[str, Any], seat: Seat, transaction: Transaction, event_type: str) -> None:
        if not isinstance(seat, Evse):
            return
        known = transaction.evse_id is not None
        if event_type == STARTED or not known or (seat.plugged and "evse_told" not in transaction.extra):
            payload["evse"] = {"id": seat.id, "connectorId": 1}  # E01.FR.16
        transaction.evse_id, transaction.connector_id = seat.id, 1
        if seat.plugged:
            transaction.extra["evse_told"] = True

    def _put_phases(self, payload: dict[str, Any], seat: Seat, transaction: Transaction, state: ChargingState) -> None:
        if not isinstance(seat, Evse) or state != ChargingState.CHARGING:
            return
        if seat.phases_used != transaction.phases_used:  # E02.FR.18, E02.FR.19
            transaction.phases_used = seat.phases_used
            payload["numberOfPhasesUsed"] = seat.phases_used

    # ------------------------------------------------------------------ meter values

    def _meter_values(
        self, seat: Seat, transaction: Transaction, event_type: str, now: Moment, meter: dict[str, Any] | None
    ) -> list[dict[str, Any]]:
        values = [meter] if meter else []
        if not isinstance(seat, Evse) or seat.meter.energy is None:
            return values
        if transaction.meter_start is None:
            transaction.meter_start = seat.meter.energy
            _keep_phases(transaction, seat)
            transaction.soc_start = seat.snapshot.soc if seat.snapshot else None
            # E01.FR.09; E01.FR.17 where the EVSE was not known at the start
            begin = self._sample(seat, SampledDataCtrlr.TxStartedMeasurands, "Transaction.Begin", now)
            self._keep_signed(transaction, begin)
            values = [begin, *values] if begin else values
            # TC_J_10: at an interval, the first is one of the periodic values, too
            periodic = self._context.model[SampledDataCtrlr.TxEndedInterval] > 0
            context = "Sample.Periodic" if periodic else "Transaction.Begin"
            first = self._sample(seat, SampledDataCtrlr.TxEndedMeasurands, context, now)
            if first:
                transaction.extra["samples"] = [first]
        if event_type == ENDED:
            last = self._sample(seat, SampledDataCtrlr.TxEndedMeasurands, "Transaction.End", now)  # E06.FR.11
            self._keep_signed(transaction, last)
            kept = transaction.extra.pop("samples", None)
            collected = kept if isinstance(kept, list) else []
            return measurands.thin([*collected, *([last] if last else [])], ENDED_SAMPLES)
        return values

    def _keep_signed(self, transaction: Transaction, sample: dict[str, Any] | None) -> None:
        """The signed readings of the beginning and the end, for whoever wants to verify them later."""
        for value in (sample or {}).get("sampledValue", ()):
            signed = value.get("signedMeterValue")
            if signed:
                kept = transaction.extra.get("signed")
                transaction.extra["signed"] = [*(kept if isinstance(kept, list) else [])[:1], signed["signedMeterData"]]
                transaction.extra["signed_key"] = self._context.signing.public_key

    def _sample(self, evse: Evse, names: Any, context: str, now: Moment) -> dict[str, Any] | None:
        model = self._context.model
        if not model[SampledDataCtrlr.Enabled]:
            return None
        at, signed = self._context.clock.utc(now), self._context.signing.signed
        total_only = model[SampledDataCtrlr.RegisterValuesWithoutPhases]
        return measurands.sample(evse, model[names], context, at, signed, total_only=total_only)


def _keep_phases(transaction: Transaction, evse: Evse) -> None:
    """The registers of the phases at the beginning and at the end, for the history; in mWh."""
    registers = evse.meter.reading.energy_phases if evse.meter.reading else ()
    if len(registers) > 1:
        kept = transaction.extra.get("phase_energy")
        transaction.extra["phase_energy"] = [*(kept if isinstance(kept, list) else [])[:1], list(registers)]


def _of(seat: Seat) -> Transaction:
    if seat.transaction is None:
        raise ValueError("no transaction on this seat")
    return seat.transaction
