"""Functional block A, Security: what came of the attempts to connect (A00.FR.310, .316, .323 and their like)."""

from __future__ import annotations

from typing import Any

from station.domain.events import ConnectionFailed, LinkUp
from station.domain.moment import Moment, rfc3339
from station.domain.network import FailureCause
from station.domain.signals import SecurityEvent
from station.ocpp.block import Block
from station.ocpp.context import Context

FAILURES = "connection_failures"  # remembered; the page Network reads it
KEPT = 20  # failures

EVENTS = {
    FailureCause.CSMS_CERTIFICATE: "InvalidCsmsCertificate",  # A00.FR.310, A00.FR.413
    FailureCause.TLS_VERSION: "InvalidTLSVersion",  # A00.FR.316, A00.FR.419
    FailureCause.TLS_CIPHER_SUITE: "InvalidTLSCipherSuite",  # A00.FR.323, A00.FR.426
    FailureCause.CREDENTIALS: "FailedToAuthenticateAtCsms",
    FailureCause.STATION_CERTIFICATE: "FailedToAuthenticateAtCsms",
}


class ConnectionFailures(Block):
    """Keeps the last failures, and tells each once: a CSMS that stays wrong fills neither journal nor queue.

    What a slot fails with is new where it did not fail so since the last connection, also before a power cut
    (A00.FR.316, note). Remembered are dictionaries with ``slot``, ``security_profile``, ``cause``, ``detail``,
    ``first`` and ``last`` (when), ``attempts``, and ``over``: there has been a connection since. The count is written
    at 1, 2, 4, 8 … and with the next connection, for the flash.
    """

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        kept = context.remembered.get(FAILURES)
        self._kept: list[dict[str, Any]] = [dict(one) for one in kept] if isinstance(kept, list) else []

    def on(self, event: object, now: Moment) -> None:
        match event:
            case ConnectionFailed():
                self._failed(event, now)
            case LinkUp():
                self._connected()

    def _failed(self, event: ConnectionFailed, now: Moment) -> None:
        at = rfc3339(self._context.clock.utc(now))
        same = {
            "slot": event.slot,
            "security_profile": event.security_profile,
            "cause": str(event.cause),
            "over": False,
        }
        known = next((one for one in self._kept if same.items() <= one.items()), None)
        if known is None:
            self._kept.append({**same, "detail": event.detail, "first": at, "last": at, "attempts": 1})
            del self._kept[:-KEPT]
            self._write()
            self._tell(event, now)
            return
        known |= {"detail": event.detail, "last": at, "attempts": known["attempts"] + 1}
        if known["attempts"] & (known["attempts"] - 1) == 0:
            self._write()

    def _tell(self, event: ConnectionFailed, now: Moment) -> None:
        self._context.journal(
            now,
            "connection_failed",
            slot=event.slot,
            security_profile=event.security_profile,
            cause=str(event.cause),
            detail=event.detail,
        )
        if kind := EVENTS.get(event.cause):
            self._context.raise_signal(SecurityEvent(kind, f"network slot {event.slot}: {event.detail}"))

    def _connected(self) -> None:
        if all(one["over"] for one in self._kept):
            return
        for one in self._kept:
            one["over"] = True
        self._write()

    def _write(self) -> None:
        self._context.remember(FAILURES, [dict(one) for one in self._kept])
