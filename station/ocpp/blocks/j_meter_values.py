"""Functional block J, Meter values: clock-aligned (J01) and sampled in a transaction (J02)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from station.device_model.components import AlignedDataCtrlr, EvseAlignedDataCtrlr, SampledDataCtrlr
from station.domain.board import BoardSnapshot
from station.domain.events import Tick
from station.domain.evse import Evse
from station.domain.moment import Moment
from station.domain.signals import MeterDue, TransactionEnded, TriggerRequested, VariableChanged
from station.ocpp import measurands
from station.ocpp.block import Block
from station.ocpp.context import Context

RATE_CHANGE = 0.05  # of the EVSE's rating: a change of power worth telling (RateChangedInterval)
PUNCTUAL = 2.0  # s: how late a clock-aligned value may be taken and still carry the even time
KEPT_SAMPLES = 200  # for the Ended event; beyond that every second one in between goes (E06.FR.13)


class MeterValues(Block):
    """Keeps the due times; a running transaction's values travel in its events, the others as MeterValues."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._periodic: dict[int, float] = {}  # EVSE id -> monotonic time of the next TxUpdated sample
        self._collect: dict[int, float] = {}  # EVSE id -> the same for TxEndedInterval
        self._rate: dict[int, tuple[float, float]] = {}  # EVSE id -> (W told, monotonic time of telling)
        self._aligned_at: datetime | None = None
        self._aligned_ended_at: datetime | None = None
        self._now: Moment | None = None

    def on(self, event: object, now: Moment) -> None:
        match event:
            case VariableChanged(component="SampledDataCtrlr" | "AlignedDataCtrlr"):
                self._periodic.clear()
                self._collect.clear()
                self._aligned_at = self._aligned_ended_at = None
            case TransactionEnded(evse_id=int() as evse_id):
                self._periodic.pop(evse_id, None)
                self._collect.pop(evse_id, None)
                self._rate.pop(evse_id, None)
            case BoardSnapshot():
                self._watch_rate(now)
            case Tick():
                self._due(now)
            case TriggerRequested(message="MeterValues"):
                self._send_aligned("Trigger", now, only=event.evse_id, requested=True)  # F06.FR.06
        self._schedule(now)

    def deadline(self) -> float | None:
        waits = [*self._periodic.values(), *self._collect.values()]
        if self._now is not None:
            for at in (self._aligned_at, self._aligned_ended_at):
                if at is not None:
                    left = (at - self._context.clock.utc(self._now)).total_seconds()
                    waits.append(self._now.monotonic + max(0.0, left))
        return min(waits, default=None)

    # ------------------------------------------------------------------ when

    def _schedule(self, now: Moment) -> None:
        model = self._context.model
        self._now = now
        for evse in self._context.evses.values():
            running = evse.transaction is not None and model[SampledDataCtrlr.Enabled]
            for due, variable in (
                (self._periodic, SampledDataCtrlr.TxUpdatedInterval),
                (self._collect, SampledDataCtrlr.TxEndedInterval),
            ):
                interval = float(model[variable])
                if not running or interval <= 0:
                    due.pop(evse.id, None)
                elif evse.id not in due:
                    due[evse.id] = now.monotonic + interval
        at = self._context.clock.utc(now)
        enabled = model[AlignedDataCtrlr.Enabled]
        self._aligned_at = _sooner(self._aligned_at, at, model[AlignedDataCtrlr.Interval] if enabled else 0)
        ended = model[AlignedDataCtrlr.TxEndedInterval] if enabled else 0
        self._aligned_ended_at = _sooner(self._aligned_ended_at, at, ended)

    def _due(self, now: Moment) -> None:
        model = self._context.model
        for evse_id, at in list(self._periodic.items()):
            if now.monotonic >= at:
                self._periodic[evse_id] = _after(at, float(model[SampledDataCtrlr.TxUpdatedInterval]), now)
                self._sample_updated(self._context.evses[evse_id], now)
        for evse_id, at in list(self._collect.items()):
            if now.monotonic >= at:
                self._collect[evse_id] = _after(at, float(model[SampledDataCtrlr.TxEndedInterval]), now)
                names = model[SampledDataCtrlr.TxEndedMeasurands]
                self._collect_sample(self._context.evses[evse_id], names, "Sample.Periodic", now)
        utc = self._context.clock.utc(now)
        if self._aligned_at is not None and utc >= self._aligned_at:
            stamp, self._aligned_at = _stamp(self._aligned_at, utc), None
            self._send_aligned("Sample.Clock", now, at=stamp)
        if self._aligned_ended_at is not None and utc >= self._aligned_ended_at:
            stamp, self._aligned_ended_at = _stamp(self._aligned_ended_at, utc), None
            for evse in self._context.evses.values():
                self._collect_sample(evse, model[AlignedDataCtrlr.TxEndedMeasurands], "Sample.Clock", now, at=stamp)

    # ------------------------------------------------------------------ what

    def _sample_updated(self, evse: Evse, now: Moment) -> None:
        meter = self._sample(evse, self._context.model[SampledDataCtrlr.TxUpdatedMeasurands], "Sample.Periodic", now)
        if meter:
            self._context.raise_signal(MeterDue(evse.id, "MeterValuePeriodic", meter))  # J02.FR.11

    def _watch_rate(self, now: Moment) -> None:
        interval = float(self._context.model[SampledDataCtrlr.RateChangedInterval])
        for evse in self._context.evses.values():
            if interval <= 0 or evse.transaction is None:
                self._rate.pop(evse.id, None)
                continue
            told, at = self._rate.setdefault(evse.id, (evse.meter.power, now.monotonic - interval))
            changed = abs(evse.meter.power - told) >= RATE_CHANGE * evse.meter.max_power
            if not changed or now.monotonic - at < interval:
                continue
            self._rate[evse.id] = (evse.meter.power, now.monotonic)
            meter = self._sample(evse, self._context.model[SampledDataCtrlr.TxUpdatedMeasurands], "Other", now)
            if meter:
                self._context.raise_signal(MeterDue(evse.id, "ChargingRateChanged", meter))

    def _send_aligned(
        self,
        reading_context: str,
        now: Moment,
        *,
        at: datetime | None = None,
        only: int | None = None,
        requested: bool = False,
    ) -> None:
        model = self._context.model
        names = model[AlignedDataCtrlr.Measurands]
        busy = any(seat.transaction for seat in self._context.seats())
        if busy and model[AlignedDataCtrlr.SendDuringIdle] and not requested:
            return  # J01.FR.20
        for evse in self._context.evses.values():
            if only not in (None, 0, evse.id):
                continue
            if evse.transaction and model[EvseAlignedDataCtrlr.SendDuringIdle.at(evse.id)] and not requested:
                continue  # J01.FR.19
            meter = self._sample(evse, names, reading_context, now, at=at)
            if meter is None:
                continue
            if evse.transaction and not requested:
                self._context.raise_signal(MeterDue(evse.id, "MeterValueClock", meter))  # J01.FR.22
            elif requested or self._context.outbox.registered or self._context.outbox.keeps_all:  # J01.FR.14
                self._context.call("MeterValues", {"evseId": evse.id, "meterValue": [meter]}, requested=requested)

    def _collect_sample(
        self, evse: Evse, names: tuple[str, ...], reading_context: str, now: Moment, *, at: datetime | None = None
    ) -> None:
        """Keep a sample for the Ended event; it is stored with the transaction's next event."""
        if evse.transaction is None:
            return
        meter = self._sample(evse, names, reading_context, now, at=at)
        if meter is None:
            return
        kept = evse.transaction.extra.get("samples")
        samples = [*kept, meter] if isinstance(kept, list) else [meter]
        evse.transaction.extra["samples"] = measurands.thin(samples, KEPT_SAMPLES)

    def _sample(
        self, evse: Evse, names: tuple[str, ...], reading_context: str, now: Moment, *, at: datetime | None = None
    ) -> dict[str, Any] | None:
        at = at or self._context.clock.utc(now)
        total_only = self._context.model[SampledDataCtrlr.RegisterValuesWithoutPhases]
        return measurands.sample(evse, names, reading_context, at, self._context.signing.signed, total_only=total_only)


def _stamp(due: datetime, utc: datetime) -> datetime:
    """The even time itself, which all values of that time share, unless the station came much too late for it."""
    return due if utc - due < timedelta(seconds=PUNCTUAL) else utc


def _after(due: float, interval: float, now: Moment) -> float:
    """The next due time on the same grid, in the future; missed ones are not made up for."""
    if interval <= 0:
        return now.monotonic
    missed = int((now.monotonic - due) // interval)
    return due + (missed + 1) * interval


def _sooner(due: datetime | None, at: datetime, interval: int) -> datetime | None:
    """``due``, or the next aligned time where none is due or the clock was set back behind the one before."""
    following = _next_aligned(at, interval)
    return following if due is None or following is None else min(due, following)


def _next_aligned(at: datetime, interval: int) -> datetime | None:
    """The next multiple of ``interval`` seconds since midnight UTC, or None for 0."""
    if interval <= 0:
        return None
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = int((at - midnight).total_seconds() // interval)
    tomorrow = midnight + timedelta(days=1)
    return min(midnight + timedelta(seconds=(passed + 1) * interval), tomorrow)
