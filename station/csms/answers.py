"""What the demonstration CSMS answers: it accepts every station and every card. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from station.domain.moment import rfc3339

Payload: TypeAlias = Mapping[str, Any]

HEARTBEAT_INTERVAL = 60  # s

_ACCEPTED_TOKEN = {"idTokenInfo": {"status": "Accepted"}}


def answer(action: str, request: Payload, now: datetime) -> dict[str, Any] | None:
    """The response to a station's request, or None where a CSMS handles no such action."""
    handler = _ANSWERS.get(action)
    return None if handler is None else handler(request, now)


def _boot_notification(_: Payload, now: datetime) -> dict[str, Any]:
    return {"currentTime": rfc3339(now), "interval": HEARTBEAT_INTERVAL, "status": "Accepted"}


def _heartbeat(_: Payload, now: datetime) -> dict[str, Any]:
    return {"currentTime": rfc3339(now)}


def _authorize(_: Payload, __: datetime) -> dict[str, Any]:
    return dict(_ACCEPTED_TOKEN)


def _transaction_event(request: Payload, _: datetime) -> dict[str, Any]:
    return dict(_ACCEPTED_TOKEN) if "idToken" in request else {}  # E01.FR.12


def _data_transfer(_: Payload, __: datetime) -> dict[str, Any]:
    return {"status": "UnknownVendorId"}


def _noted(_: Payload, __: datetime) -> dict[str, Any]:
    return {}


def _rejected(_: Payload, __: datetime) -> dict[str, Any]:
    return {"status": "Rejected"}


_ANSWERS: dict[str, Callable[[Payload, datetime], dict[str, Any]]] = {
    "BootNotification": _boot_notification,
    "Heartbeat": _heartbeat,
    "Authorize": _authorize,
    "TransactionEvent": _transaction_event,
    "DataTransfer": _data_transfer,
    "SignCertificate": _rejected,  # no certificate authority at hand
    "NotifyEVChargingNeeds": _rejected,
    "NotifyEVChargingSchedule": _rejected,
    **dict.fromkeys(
        (
            "ClearedChargingLimit",
            "FirmwareStatusNotification",
            "LogStatusNotification",
            "MeterValues",
            "NotifyChargingLimit",
            "NotifyCustomerInformation",
            "NotifyDisplayMessages",
            "NotifyEvent",
            "NotifyMonitoringReport",
            "NotifyReport",
            "PublishFirmwareStatusNotification",
            "ReportChargingProfiles",
            "ReservationStatusUpdate",
            "SecurityEventNotification",
            "StatusNotification",
        ),
        _noted,
    ),
}
