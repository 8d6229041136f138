"""B01 to B04: booting, being accepted, pending or rejected, and coming back online."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from station.device_model.components import ChargingStation, ClockCtrlr, OCPPCommCtrlr
from station.domain.events import LinkDown, LinkUp, Started, Tick
from station.domain.moment import Moment, parse_rfc3339
from station.domain.signals import (
    BackOnline,
    ConnectionChanged,
    RegistrationChanged,
    TriggerRequested,
    VariableChanged,
)
from station.ocpp.block import Block
from station.ocpp.context import Context

OWN_INTERVAL = 60.0  # s between attempts where the CSMS names none (B02.FR.07, B03.FR.05) or does not answer
POWER_UP = "PowerUp"
MOVED = "Unknown"  # BootReasonEnumType has no word for a station that went to another CSMS without a boot
OFFSET_KEPT = 2.0  # s that the kept clock offset may be wrong by (flash wear)


class Boot(Block):
    """Registers with the CSMS, once for each boot; a mere reconnection needs no new BootNotification."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._reason = str(context.remembered.get("boot_reason") or POWER_UP)
        self._asked = False
        self._again_at: float | None = None  # monotonic
        self._down_since: float | None = None
        self._first = True
        self._slot: int | None = None  # the network configuration slot of the last link
        self._moved = False  # what the next link leads to has not accepted anybody yet

    @property
    def _registration(self) -> str | None:
        return self._context.outbox.registration

    def on(self, event: object, now: Moment) -> None:
        match event:
            case Started():
                self._context.journal(now, "started", reason=self._reason)
            case LinkUp():
                self._link_up(event, now)
            case LinkDown():
                self._link_down(event, now)
            case Tick():
                if self._again_at is not None and now.monotonic >= self._again_at:
                    self._again_at = None
                    self._notify(self._reason)
            case TriggerRequested(message="BootNotification"):
                self._notify("Triggered")  # B02.FR.04: earlier than the interval, as it was asked for
            case ConnectionChanged():
                self._moved = True
                self._context.outbox.registration = None  # nothing more is said there
            case VariableChanged(component="ClockCtrlr", variable="TimeSource"):
                self._context.clock.follow_machine = self._context.model[ClockCtrlr.TimeSource][0] != "Heartbeat"
            case _Settled():
                self._context.remember("boot_reason", None)  # the next boot is a power-up unless somebody says else
        self._keep_clock_offset(now)

    def deadline(self) -> float | None:
        return self._again_at if self._context.outbox.online else None

    def _link_up(self, event: LinkUp, now: Moment) -> None:
        self._context.outbox.link_up()
        self._context.model.assign(OCPPCommCtrlr.ActiveNetworkProfile, event.slot)
        self._context.journal(now, "link_up", slot=event.slot, security_profile=event.security_profile)
        if self._moved or self._slot not in (None, event.slot):
            # B10.FR.10: another CSMS, as far as the station can know; it has not accepted anybody yet
            self._context.outbox.registration = None
            self._reason = self._reason if self._first else MOVED
            self._again_at = None
        self._slot, self._moved = event.slot, False
        if self._registration == "Accepted":
            self._context.raise_signal(BackOnline(now.monotonic - (self._down_since or now.monotonic)))
        elif self._again_at is None or now.monotonic >= self._again_at:
            self._notify(self._reason)
        self._down_since = None

    def _link_down(self, event: LinkDown, now: Moment) -> None:
        if self._down_since is None:
            self._down_since = now.monotonic
            self._context.journal(now, "link_down", reason=event.reason)
        self._asked = False

    def _notify(self, reason: str) -> None:
        if self._asked or not self._context.outbox.online:
            return
        self._asked = True
        model = self._context.model
        station = {
            "model": model[ChargingStation.Model],
            "vendorName": model[ChargingStation.VendorName],
            "serialNumber": model[ChargingStation.SerialNumber],
            "firmwareVersion": model[ChargingStation.FirmwareVersion],
        }
        self._context.outbox.call(
            "BootNotification",
            {"reason": reason, "chargingStation": {name: value for name, value in station.items() if value}},
            answered=self._answered,
            failed=self._failed,
            boot=True,
        )

    def _answered(self, response: Mapping[str, Any], now: Moment) -> None:
        self._asked = False
        status, interval = response["status"], response["interval"]
        self._set_clock(response["currentTime"], now)
        self._context.outbox.registration = status
        self._context.journal(now, "registration", status=status, interval=interval)
        if status == "Accepted":
            self._again_at = None
            if interval > 0:  # B01.FR.04
                effect = self._context.model.assign(OCPPCommCtrlr.HeartbeatInterval, interval)
                if effect:
                    self._context.emit(effect)
        else:
            # B02.FR.07 and .08, B03.FR.05 and .06
            self._again_at = now.monotonic + (float(interval) if interval > 0 else OWN_INTERVAL)
        self._context.raise_signal(RegistrationChanged(status, first=self._first))
        if status == "Accepted" and self._first:
            self._first = False
            self._context.raise_signal(_Settled())

    def _failed(self, code: str, now: Moment) -> None:
        self._asked = False
        if code != "LinkDown":
            self._again_at = now.monotonic + OWN_INTERVAL

    def _set_clock(self, told: str, now: Moment) -> None:
        if "Heartbeat" not in self._context.model[ClockCtrlr.TimeSource]:
            return
        self._context.clock.synchronize(parse_rfc3339(told), now)  # B01.FR.06

    def _keep_clock_offset(self, now: Moment) -> None:
        """The next life starts with the right time, also where the machine's own clock jumped meanwhile."""
        kept = float(self._context.remembered.get("clock_offset") or 0.0)
        if not (self._context.clock.synchronized or kept):
            return
        offset = self._context.clock.offset(now).total_seconds()
        if abs(offset - kept) > OFFSET_KEPT:
            self._context.remember("clock_offset", round(offset) or None)


class _Settled:
    """Raised behind the first acceptance, when every block has used the boot reason."""
