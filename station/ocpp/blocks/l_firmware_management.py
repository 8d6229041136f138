"""Functional block L, Firmware management: what is told of an update (L01)."""

from __future__ import annotations

from station.domain.moment import Moment
from station.domain.signals import TriggerRequested
from station.ocpp.block import Block
from station.ocpp.context import Context


class FirmwareManagement(Block):
    """Over OCPP no firmware comes yet (UpdateFirmware is answered NotSupported), so none is ever on its way."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def on(self, event: object, now: Moment) -> None:
        match event:
            case TriggerRequested(message="FirmwareStatusNotification"):
                self._context.call("FirmwareStatusNotification", {"status": "Idle"}, requested=True)  # F06.FR.16
