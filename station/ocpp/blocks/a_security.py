"""Functional block A, Security: security events (A04)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from station.device_model.components import ClockCtrlr, SecurityCtrlr
from station.domain import security
from station.domain.board import BoardSnapshot
from station.domain.effects import FinishCommand, LogSecurity, TrimSecurityLog
from station.domain.events import LinkUp, OperatorCommand, SecurityObserved, Started
from station.domain.moment import Moment, rfc3339
from station.domain.signals import SecurityEvent
from station.ocpp.block import Block
from station.ocpp.context import Context

TECH_INFO_LENGTH = 255
NOTIFICATION = "SecurityEventNotification"
QUEUED_MOST = 1000  # notifications that wait for a CSMS; the log has the others
TRIM_EVERY = 50  # entries between two looks at the log's length
MANY = 10  # different events of a quiet kind that are told within its quiet time; the others are counted

# What a connection that came about has settled: the next refusal is news again.
_OF_THE_LINK = (
    "FailedToAuthenticateAtCsms",
    "CsmsFailedToAuthenticate",
    "InvalidCsmsCertificate",
    "InvalidTLSVersion",
    "InvalidTLSCipherSuite",
)


@dataclass(slots=True)
class _Lately:
    """What was told of a quiet kind within its quiet time, and how many more there were."""

    told: deque[tuple[float, str]] = field(default_factory=deque)  # monotonic seconds, techInfo
    more: int = 0


class Security(Block):
    """Writes every event to the security log; critical ones go through the durable queue, too (A04.FR.02)."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._written = 0
        self._lately: dict[str, _Lately] = {}

    def on(self, event: object, now: Moment) -> None:
        match event:
            case Started():
                self._started(now)
            case SecurityEvent() | SecurityObserved():
                self._observe(event, now)
            case OperatorCommand(action="login"):
                self._login(event, now)
            case OperatorCommand(action="web_security"):
                self._web_security(event, now)
            case OperatorCommand(action="clear_security_log"):
                self._clear(event, now)
            case LinkUp():
                for name in _OF_THE_LINK:
                    if name in self._lately:
                        self._lately[name].told.clear()
            case BoardSnapshot(online=True):
                self._watch_door(event.door_open, now)
        self._watch_clock(now)
        self._sum_up(now)

    def deadline(self) -> float | None:
        ends = [self._ends(name, lately) for name, lately in self._lately.items() if lately.more]
        return min(ends, default=None)

    # ------------------------------------------------------------------ what is seen here

    def _started(self, now: Moment) -> None:
        """Told at the next connection, however long that takes, and whatever else happens until then."""
        reason = str(self._context.remembered.get("boot_reason") or "PowerUp")
        kind = "StartupOfTheDevice" if reason == "PowerUp" else "ResetOrReboot"
        self._report(kind, f"boot reason {reason}", now)

    def _watch_door(self, door_open: bool, now: Moment) -> None:
        known = self._context.remembered.get("door_open", False)
        if door_open == known:
            return
        self._context.remember("door_open", door_open)
        self._context.journal(now, "door_opened" if door_open else "door_closed")
        if door_open:
            self._report("TamperDetectionActivated", "the station's door was opened", now)

    def _watch_clock(self, now: Moment) -> None:
        utc = self._context.clock.utc(now)  # which looks at the machine's clock
        moved = self._context.clock.take_moved().total_seconds()
        if moved and abs(moved) > self._context.model[ClockCtrlr.TimeAdjustmentReportingThreshold]:
            self._report("SettingSystemTime", f"moved by {moved:.0f} s to {rfc3339(utc)}", now)

    # ------------------------------------------------------------------ at the web interface

    def _login(self, command: OperatorCommand, now: Moment) -> None:
        asked = command.arguments
        # the form that the appendix recommends
        info = f"{{'user': '{_plain(asked.get('user'))}', 'origin': '{_plain(asked.get('origin'))}'}}"
        if asked.get("locked"):
            info += f" locked out for {int(asked['locked'])} s"
        name = "MaintenanceLoginAccepted" if asked.get("accepted") else "MaintenanceLoginFailed"
        self._observe(SecurityEvent(name, info), now)
        self._context.emit(FinishCommand(command.command_id, "Accepted"))

    def _web_security(self, command: OperatorCommand, now: Moment) -> None:
        """What an administrator changed of the web interface's own security, where no variable of ours has it."""
        info = f"{_plain(command.arguments.get('what'))} by {_plain(command.who) or 'the station'}"
        self._observe(SecurityEvent("ReconfigurationOfSecurityParameters", info), now)
        self._context.emit(FinishCommand(command.command_id, "Accepted"))

    def _clear(self, command: OperatorCommand, now: Moment) -> None:
        self._context.emit(TrimSecurityLog(0))
        self._lately.clear()
        self._report("SecurityLogWasCleared", f"by {_plain(command.who)}", now)
        self._context.emit(FinishCommand(command.command_id, "Accepted"))

    # ------------------------------------------------------------------ reporting

    def _observe(self, event: SecurityEvent | SecurityObserved, now: Moment) -> None:
        critical = event.critical if isinstance(event, SecurityEvent) else None
        if not self._is_news(event.type, event.tech_info, now):
            return
        self._report(event.type, event.tech_info, now, critical)
        if event.type == "InvalidCsmsCertificate":
            self._observe(SecurityEvent("CsmsFailedToAuthenticate", event.tech_info), now)

    def _is_news(self, name: str, tech_info: str, now: Moment) -> bool:
        quiet = security.kind_of(name).quiet
        if not quiet:
            return True
        lately = self._lately.setdefault(name, _Lately())
        while lately.told and now.monotonic - lately.told[0][0] >= quiet:
            lately.told.popleft()
        if len(lately.told) >= MANY or any(told == tech_info for _, told in lately.told):
            lately.more += 1
            return False
        lately.told.append((now.monotonic, tech_info))
        return True

    def _ends(self, name: str, lately: _Lately) -> float:
        return lately.told[0][0] + security.kind_of(name).quiet if lately.told else 0.0

    def _sum_up(self, now: Moment) -> None:
        """What was only counted is logged as one when the quiet time is over; the CSMS knows of its kind already."""
        for name, lately in self._lately.items():
            if lately.more and now.monotonic >= self._ends(name, lately):
                count, lately.more = lately.more, 0
                lately.told.clear()
                self._report(name, f"{count} more like those before", now, critical=False)

    def _report(self, name: str, tech_info: str, now: Moment, critical: bool | None = None) -> None:
        kind = security.kind_of(name)
        critical = kind.critical if critical is None else critical
        at, tech_info = self._context.clock.utc(now), tech_info[:TECH_INFO_LENGTH]
        if self._written % TRIM_EVERY == 0:
            self._context.emit(TrimSecurityLog(self._context.model[SecurityCtrlr.SecurityLogEntries]))
        self._written += 1
        self._context.emit(LogSecurity(at, name, tech_info, critical))  # A04.FR.04
        if not critical or kind.own or self._context.outbox.waiting_of(NOTIFICATION) >= QUEUED_MOST:
            return
        payload = {"type": name, "timestamp": rfc3339(at)}
        if tech_info:
            payload["techInfo"] = tech_info
        self._context.outbox.enqueue(NOTIFICATION, payload, now)  # A04.FR.01


def _plain(text: object) -> str:
    """A name from outside, within the quotation marks of techInfo."""
    return "".join(sign if sign.isprintable() and sign not in "'{}" else "?" for sign in str(text or "")[:100])
