"""B11 and B12: Reset of the station or of one EVSE, at once or when the last transaction has ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from station.device_model.components import EVSE, OCPPCommCtrlr
from station.domain.effects import FinishCommand, Reboot
from station.domain.events import OperatorCommand
from station.domain.evse import Evse
from station.domain.moment import Moment
from station.domain.signals import EndTransactions, EvseChanged, EvseReset, RebootWanted
from station.ocpp.block import Block, Payload
from station.ocpp.context import Context

REBOOTS_WITHIN = 30.0  # s; a station that still runs then was not rebooted (ResetRetries)
EVSE_RESETS_WITHIN = 10.0  # s; the same for one EVSE
EVSE_OUT = 3.0  # s for which an EVSE's offer and contactor stay off, so that EV and board begin anew


@dataclass(slots=True)
class _EvseReset:
    """The reset of one EVSE. ``until`` (monotonic) is set once it is under way; ``tries`` counts its repetitions.

    ``late``: the time is over, and the board does not say yet that the contactor is open.
    """

    evse: Evse
    until: float | None = None
    late: bool = False
    tries: int = 0


class Reset(Block):
    """Waits until the Ended events are with the CSMS, or the CSMS had its time to answer, then reboots.

    An EVSE that is reset by itself ends its transaction, is Unavailable with everything off for ``EVSE_OUT``, and then
    begins anew with what the board says; what was set over OCPP stays (B12.FR.06).
    """

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._reason = ""  # BootReasonEnumType of the reboot to come; empty: none
        self._scheduled = False  # OnIdle, and a transaction still runs
        self._keeps = False  # what runs goes on after the reboot
        self._at_latest: float | None = None
        self._retry_at: float | None = None  # monotonic: when the reboot that was ordered counts as failed
        self._tries = 0
        self._gone = False
        self._evses: dict[int, _EvseReset] = {}
        self.actions = {"Reset": self.reset}

    # ------------------------------------------------------------------ asked

    def reset(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer ResetRequest."""
        on_idle = request["type"] == "OnIdle"
        if request.get("evseId"):
            return self._reset_evse(request["evseId"], on_idle, now)
        if self._reason and not self._scheduled:
            return {"status": "Accepted"}  # it is under way
        if not on_idle and self._context.installing:
            return _rejected("FwUpdateInProgress", "a firmware is being installed")  # B11.FR.06
        if on_idle and not self._idle():
            self._prepare("ScheduledReset", now, scheduled=True)
            return {"status": "Scheduled"}  # B12.FR.01
        self._context.raise_signal(EndTransactions("ResetCommand", "ImmediateReset"))  # B12.FR.04
        self._prepare("RemoteReset", now)
        return {"status": "Accepted"}

    def _reset_evse(self, evse_id: int, on_idle: bool, now: Moment) -> dict[str, object]:
        evse = self._context.evses.get(evse_id)
        if evse is None:
            return _rejected("UnknownEvse", f"there is no EVSE {evse_id}")
        if not self._context.model[EVSE.AllowReset.at(evse_id)]:
            return _rejected("UnsupportedParam", "an EVSE cannot be reset alone")  # B11.FR.09, B12.FR.09
        if self._reason:
            return _rejected("NotEnabled", "the whole station is about to restart")  # B11.FR.06
        scheduled = on_idle and evse.transaction is not None
        self._evses.setdefault(evse_id, _EvseReset(evse))
        self._withdraw([evse])
        self._context.journal(now, "reset", evse_id=evse_id, scheduled=scheduled)
        if scheduled:
            return {"status": "Scheduled"}  # B12.FR.01, B12.FR.07
        self._context.raise_signal(EndTransactions("ResetCommand", "ImmediateReset", evse_id))  # B12.FR.08
        return {"status": "Accepted"}

    def on(self, event: object, now: Moment) -> None:
        if isinstance(event, RebootWanted):
            self._prepare(event.reason, now)
            self._keeps = True
        elif isinstance(event, OperatorCommand) and event.action == "restart":
            self._context.raise_signal(EndTransactions("AbnormalCondition", "Reboot"))
            self._prepare("LocalReset", now)
            self._context.emit(FinishCommand(event.command_id, "Accepted", "The station restarts."))

    def _prepare(self, reason: str, now: Moment, *, scheduled: bool = False) -> None:
        self._reason = reason
        self._scheduled = scheduled
        self._context.restarting = True
        waited_for = self._context.lobby.authorization or self._context.reservations.entries
        if scheduled and not waited_for:  # B12, 3a: who comes now cannot be served
            self._withdraw(
                evse
                for evse in self._context.evses.values()
                if not (evse.plugged or evse.transaction or evse.authorization)
            )
        self._at_latest = None if scheduled else self._deadline_from(now)
        self._context.journal(now, "reset", reason=reason, scheduled=scheduled)

    def _withdraw(self, evses: Iterable[Evse]) -> None:
        for evse in evses:
            self._context.availability.resetting.add(evse.id)
            self._context.raise_signal(EvseChanged(evse.id))

    def _give_back(self, evse: Evse) -> None:
        if evse.id not in self._evses and not self._reason:
            self._context.availability.resetting.discard(evse.id)
            self._context.raise_signal(EvseChanged(evse.id))

    def _idle(self) -> bool:
        """No transaction, no installation and no reservation would be disturbed (errata 2025-09); a download pauses."""
        context = self._context
        busy = context.installing or context.reservations.entries
        return not busy and not any(seat.transaction for seat in context.seats())

    def _deadline_from(self, now: Moment) -> float:
        return now.monotonic + float(self._context.model[OCPPCommCtrlr.MessageTimeout])  # B12.FR.05

    # ------------------------------------------------------------------ done

    def settle(self, now: Moment) -> None:
        """Called before the end of every step: reset once all that has to be said is said."""
        for reset in list(self._evses.values()):
            self._settle_evse(reset, now)
        if self._gone:
            self._retry(now)
            return
        if not self._reason:
            return
        if self._scheduled:
            if not self._idle():
                return
            self._scheduled = False
            self._at_latest = self._deadline_from(now)
        outbox = self._context.outbox
        ending = not self._keeps and any(seat.transaction for seat in self._context.seats())
        waiting = ending or (outbox.online and outbox.registration == "Accepted" and not outbox.idle)
        if waiting and self._at_latest is not None and now.monotonic < self._at_latest:
            return
        self._gone = True
        self._context.remember("boot_reason", self._reason)
        self._reboot(now)

    def _reboot(self, now: Moment) -> None:
        self._retry_at = now.monotonic + REBOOTS_WITHIN
        self._context.emit(Reboot(self._reason))

    def _retry(self, now: Moment) -> None:
        """Still alive: the shell failed to reboot (ResetRetries). When it has failed for good, the station goes on."""
        if self._retry_at is None or now.monotonic < self._retry_at:
            return
        if self._tries < self._context.model[OCPPCommCtrlr.ResetRetries]:
            self._tries += 1
            self._reboot(now)
            return
        self._context.journal(now, "reset_failed", reason=self._reason)
        self._context.remember("boot_reason", None)
        self._context.restarting = self._gone = self._keeps = False
        self._reason, self._tries, self._retry_at = "", 0, None
        for evse in self._context.evses.values():
            self._give_back(evse)

    def _settle_evse(self, reset: _EvseReset, now: Moment) -> None:
        evse = reset.evse
        if reset.until is None:
            if evse.transaction is None:
                evse.authorization = None
                reset.until = now.monotonic + EVSE_OUT
            return
        if now.monotonic < reset.until:
            return
        off = evse.board_online and evse.snapshot is not None and not evse.snapshot.contactor_closed
        reset.late = not off
        if reset.late and now.monotonic < reset.until + EVSE_RESETS_WITHIN:
            return
        if reset.late and reset.tries < self._context.model[OCPPCommCtrlr.ResetRetries]:
            reset.tries += 1
            reset.until, reset.late = now.monotonic + EVSE_OUT, False
            return
        self._context.journal(now, "evse_reset" if off else "reset_failed", evse_id=evse.id)
        evse.begin_anew()
        del self._evses[evse.id]
        self._give_back(evse)
        self._context.raise_signal(EvseReset(evse.id))

    def deadline(self) -> float | None:
        waits = [self._retry_at if self._gone else self._at_latest if self._reason else None]
        waits += [
            reset.until + EVSE_RESETS_WITHIN if reset.late else reset.until
            for reset in self._evses.values()
            if reset.until is not None
        ]
        return min((at for at in waits if at is not None), default=None)


def _rejected(reason_code: str, info: str) -> dict[str, object]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason_code, "additionalInfo": info}}
