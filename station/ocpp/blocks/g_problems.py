"""Functional block G, Availability: what is broken, told as NotifyEvent (G05, N07): faults and failed locks."""

from __future__ import annotations

from typing import Any

from station.domain.board import BoardSnapshot
from station.domain.events import Tick
from station.domain.evse import Evse
from station.domain.moment import Moment, rfc3339
from station.ocpp.block import Block
from station.ocpp.context import Context

LOCK_PATIENCE = 3.0  # s that a lock may take to shut
LOCK_FAILURE = "ConnectorLockFailure"


class Problems(Block):
    """Compares what is wrong with what the CSMS was told of it. Kept across a restart; told in order, never lost."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._told: dict[str, list[str]] = dict(context.remembered.get("problems") or {})  # EVSE id -> codes
        self._open_since: dict[int, float] = {}  # EVSE id -> monotonic: a lock that should be shut

    def on(self, event: object, now: Moment) -> None:
        match event:
            case BoardSnapshot(online=True):
                for evse in self._context.evses.values():
                    self._watch_lock(evse, now)
                    self._compare(evse, now)
            case Tick():
                for evse in self._context.evses.values():
                    self._watch_lock(evse, now)
                    self._compare(evse, now)

    def deadline(self) -> float | None:
        waits = [
            since + LOCK_PATIENCE
            for evse_id, since in self._open_since.items()
            if not self._context.evses[evse_id].lock_failed
        ]
        return min(waits, default=None)

    def _watch_lock(self, evse: Evse, now: Moment) -> None:
        """G05: somebody is authorized and a cable is in, and the lock does not hold it."""
        wanted = evse.cable_in and evse.plugged and evse.authorization is not None
        if not wanted or evse.locked:
            self._open_since.pop(evse.id, None)
            evse.lock_failed = False
            return
        since = self._open_since.setdefault(evse.id, now.monotonic)
        if now.monotonic >= since + LOCK_PATIENCE and not evse.lock_failed:
            evse.lock_failed = True
            self._context.journal(now, "lock_failed", evse_id=evse.id)

    def _compare(self, evse: Evse, now: Moment) -> None:
        told = self._told.get(str(evse.id), [])
        codes = sorted({*map(str, evse.faults), *([LOCK_FAILURE] if evse.lock_failed else [])})
        if codes == told:
            return
        for code in codes:
            if code not in told:
                self._notify(evse, code, now, wrong=True)
        for code in told:
            if code not in codes:
                self._notify(evse, code, now, wrong=False)
        self._told = {key: value for key, value in {**self._told, str(evse.id): codes}.items() if value}
        self._context.remember("problems", self._told or None)

    def _notify(self, evse: Evse, code: str, now: Moment, *, wrong: bool) -> None:
        component: dict[str, Any] = {"name": "EVSE", "evse": {"id": evse.id}}
        if code == LOCK_FAILURE:
            component = {"name": "ConnectorPlugRetentionLock", "evse": {"id": evse.id, "connectorId": 1}}  # G05.FR.02
        at = rfc3339(self._context.clock.utc(now))
        event: dict[str, Any] = {
            "eventId": self._next_id(),
            "timestamp": at,
            "trigger": "Delta",
            "actualValue": "true" if wrong else "false",
            "techCode": code,
            "eventNotificationType": "HardWiredNotification",
            "component": component,
            "variable": {"name": "Problem"},
        }
        if not wrong:
            event["cleared"] = True
        if evse.transaction:
            event["transactionId"] = evse.transaction.transaction_id
        self._context.outbox.enqueue("NotifyEvent", {"generatedAt": at, "seqNo": 0, "eventData": [event]}, now)

    def _next_id(self) -> int:
        number = int(self._context.remembered.get("event_id") or 0) + 1
        self._context.remember("event_id", number)
        return number
