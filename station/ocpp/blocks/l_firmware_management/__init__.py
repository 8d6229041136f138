"""Functional block L, Firmware management: secure updates (L01)."""

from station.ocpp.blocks.l_firmware_management.update import FirmwareManagement

__all__ = ["FirmwareManagement"]
