"""Every component of the station, group by group. The one table of the device model, in pages."""

from __future__ import annotations

from station.device_model.components.authorization import AuthCacheCtrlr, AuthCtrlr
from station.device_model.components.communication import DeviceDataCtrlr, OCPPCommCtrlr
from station.device_model.components.diagnostics import CustomerInformationCtrlr
from station.device_model.components.firmware import FirmwareCtrlr
from station.device_model.components.metering import AlignedDataCtrlr, EvseAlignedDataCtrlr, SampledDataCtrlr
from station.device_model.components.reservation import ReservationCtrlr
from station.device_model.components.security import SecurityCtrlr
from station.device_model.components.station import (
    EVSE,
    ChargingStation,
    ClockCtrlr,
    Connector,
    ConnectorPlugRetentionLock,
    ElectricalFeed,
)
from station.device_model.components.transactions import TxCtrlr
from station.device_model.definition import Component

COMPONENTS: tuple[type[Component], ...] = (
    ChargingStation,
    ElectricalFeed,
    EVSE,
    Connector,
    ConnectorPlugRetentionLock,
    AlignedDataCtrlr,
    EvseAlignedDataCtrlr,
    AuthCacheCtrlr,
    AuthCtrlr,
    ClockCtrlr,
    CustomerInformationCtrlr,
    DeviceDataCtrlr,
    FirmwareCtrlr,
    OCPPCommCtrlr,
    ReservationCtrlr,
    SampledDataCtrlr,
    SecurityCtrlr,
    TxCtrlr,
)

__all__ = [
    "COMPONENTS",
    "EVSE",
    "AlignedDataCtrlr",
    "AuthCacheCtrlr",
    "AuthCtrlr",
    "ChargingStation",
    "ClockCtrlr",
    "Connector",
    "ConnectorPlugRetentionLock",
    "CustomerInformationCtrlr",
    "DeviceDataCtrlr",
    "ElectricalFeed",
    "EvseAlignedDataCtrlr",
    "FirmwareCtrlr",
    "OCPPCommCtrlr",
    "ReservationCtrlr",
    "SampledDataCtrlr",
    "SecurityCtrlr",
    "TxCtrlr",
]
