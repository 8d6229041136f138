"""Functional block A, Security: security events (A04)."""

from __future__ import annotations

from station.domain.board import BoardSnapshot
from station.domain.effects import Reconnect
from station.domain.moment import Moment, rfc3339
from station.domain.signals import RegistrationChanged, SecurityEvent, VariableChanged
from station.ocpp.block import Block
from station.ocpp.context import Context

TECH_INFO_LENGTH = 255


class Security(Block):
    """Critical security events go through the durable queue, so that none is lost while offline (A04.FR.02)."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def on(self, event: object, now: Moment) -> None:
        match event:
            case SecurityEvent():
                self._report(event, now)
            case RegistrationChanged(status="Accepted", first=True):
                reason = self._context.remembered.get("boot_reason", "PowerUp")
                kind = "StartupOfTheDevice" if reason == "PowerUp" else "ResetOrReboot"
                self._report(SecurityEvent(kind, f"boot reason {reason}"), now)
            case VariableChanged(component="SecurityCtrlr", variable="BasicAuthPassword"):
                # A01.FR.03: from now on the CSMS takes the new one only; the answer goes out before the link is closed
                self._context.emit(Reconnect("a new password was set"))
            case BoardSnapshot(online=True):
                self._watch_door(event.door_open, now)

    def _report(self, event: SecurityEvent, now: Moment) -> None:
        self._context.journal(now, "security_event", type=event.type, tech_info=event.tech_info)
        if not event.critical:
            return
        payload = {"type": event.type, "timestamp": rfc3339(self._context.clock.utc(now))}
        if event.tech_info:
            payload["techInfo"] = event.tech_info[:TECH_INFO_LENGTH]
        self._context.outbox.enqueue("SecurityEventNotification", payload, now)

    def _watch_door(self, door_open: bool, now: Moment) -> None:
        known = self._context.remembered.get("door_open", False)
        if door_open == known:
            return
        self._context.remember("door_open", door_open)
        if door_open:
            self._report(SecurityEvent("TamperDetectionActivated", "the station's door was opened"), now)
        else:
            self._context.journal(now, "door_closed")
