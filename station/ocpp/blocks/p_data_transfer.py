"""Functional block P, DataTransfer: no vendor extension is implemented, and that is what the CSMS is told."""

from __future__ import annotations

from station.domain.moment import Moment
from station.ocpp.block import Block, Payload
from station.ocpp.context import Context


class DataTransfer(Block):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.actions = {"DataTransfer": self.data_transfer}

    def data_transfer(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer DataTransferRequest."""
        return {"status": "UnknownVendorId"}  # P01.FR.05
