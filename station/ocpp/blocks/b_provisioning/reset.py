"""B11 and B12: Reset, at once or when the last transaction has ended."""

from __future__ import annotations

from station.device_model.components import OCPPCommCtrlr
from station.domain.effects import FinishCommand, Reboot
from station.domain.events import OperatorCommand
from station.domain.moment import Moment
from station.domain.signals import EndTransactions
from station.ocpp.block import Block, Payload
from station.ocpp.context import Context


class Reset(Block):
    """Waits until the Ended events are with the CSMS, or the CSMS had its time to answer, then reboots."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._reason = ""  # BootReasonEnumType of the reboot to come; empty: none
        self._scheduled = False  # OnIdle, and a transaction still runs
        self._at_latest: float | None = None
        self._gone = False
        self.actions = {"Reset": self.reset}

    def reset(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer ResetRequest. Resetting one EVSE alone is not supported (EVSE.AllowReset is false)."""
        if request.get("evseId"):
            reason = {"reasonCode": "UnsupportedParam", "additionalInfo": "an EVSE cannot be reset alone"}
            return {"status": "Rejected", "statusInfo": reason}  # B11.FR.09, B12.FR.09
        busy = any(seat.transaction for seat in self._context.seats())
        if request["type"] == "OnIdle" and busy:
            self._prepare("ScheduledReset", now, scheduled=True)
            return {"status": "Scheduled"}  # B12.FR.01
        self._context.raise_signal(EndTransactions("ResetCommand", "ImmediateReset"))  # B12.FR.04
        self._prepare("RemoteReset", now)
        return {"status": "Accepted"}

    def on(self, event: object, now: Moment) -> None:
        if isinstance(event, OperatorCommand) and event.action == "restart":
            self._context.raise_signal(EndTransactions("AbnormalCondition", "Reboot"))
            self._prepare("LocalReset", now)
            self._context.emit(FinishCommand(event.command_id, "Accepted", "The station restarts."))

    def _prepare(self, reason: str, now: Moment, *, scheduled: bool = False) -> None:
        self._reason = reason
        self._scheduled = scheduled
        self._context.restarting = True
        self._at_latest = None if scheduled else self._deadline_from(now)
        self._context.journal(now, "reset", reason=reason, scheduled=scheduled)

    def _deadline_from(self, now: Moment) -> float:
        return now.monotonic + float(self._context.model[OCPPCommCtrlr.MessageTimeout])  # B12.FR.05

    def settle(self, now: Moment) -> None:
        """Called at the end of every step: reboot once all that has to be said is said."""
        if not self._reason or self._gone:
            return
        if self._scheduled:
            if any(seat.transaction for seat in self._context.seats()):
                return
            self._scheduled = False
            self._at_latest = self._deadline_from(now)
        outbox = self._context.outbox
        ending = any(seat.transaction for seat in self._context.seats())
        waiting = ending or (outbox.online and outbox.registration == "Accepted" and not outbox.idle)
        if waiting and self._at_latest is not None and now.monotonic < self._at_latest:
            return
        self._gone = True
        self._context.remember("boot_reason", self._reason)
        self._context.emit(Reboot(self._reason))

    def deadline(self) -> float | None:
        return self._at_latest if self._reason and not self._gone else None
