"""Every OCPP 2.0.1 payload against its JSON schema, both ways.

The schemas are those of part 3, shipped inside the ``ocpp`` distribution. They were compared with Edition 3: but
for the maximum length of ``Get15118EVCertificateResponse.exiResponse`` they say the same. A validator is compiled
when its message is first met (0.2 ms) and kept; all 128 together take 3 MB.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

from station.domain.moment import parse_rfc3339

DESCRIPTION_LENGTH = 255  # part 4, table 7

ACTIONS_TO_STATION = frozenset(
    {
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "ClearCache",
        "ClearChargingProfile",
        "ClearDisplayMessage",
        "ClearVariableMonitoring",
        "CostUpdated",
        "CustomerInformation",
        "DataTransfer",
        "DeleteCertificate",
        "GetBaseReport",
        "GetChargingProfiles",
        "GetCompositeSchedule",
        "GetDisplayMessages",
        "GetInstalledCertificateIds",
        "GetLocalListVersion",
        "GetLog",
        "GetMonitoringReport",
        "GetReport",
        "GetTransactionStatus",
        "GetVariables",
        "InstallCertificate",
        "PublishFirmware",
        "RequestStartTransaction",
        "RequestStopTransaction",
        "ReserveNow",
        "Reset",
        "SendLocalList",
        "SetChargingProfile",
        "SetDisplayMessage",
        "SetMonitoringBase",
        "SetMonitoringLevel",
        "SetNetworkProfile",
        "SetVariableMonitoring",
        "SetVariables",
        "TriggerMessage",
        "UnlockConnector",
        "UnpublishFirmware",
        "UpdateFirmware",
    }
)

ACTIONS_FROM_STATION = frozenset(
    {
        "Authorize",
        "BootNotification",
        "ClearedChargingLimit",
        "DataTransfer",
        "FirmwareStatusNotification",
        "Get15118EVCertificate",
        "GetCertificateStatus",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
        "SignCertificate",
        "StatusNotification",
        "TransactionEvent",
    }
)

# Which error code of part 4, table 8 a broken schema keyword means. What is not named here is an invalid value.
_CODE_OF_KEYWORD = {
    "required": "OccurrenceConstraintViolation",
    "minItems": "OccurrenceConstraintViolation",
    "maxItems": "OccurrenceConstraintViolation",
    "type": "TypeConstraintViolation",
    "additionalProperties": "FormatViolation",
    "format": "FormatViolation",
}
_INVALID_VALUE = "PropertyConstraintViolation"


class SchemaViolation(ValueError):
    """A payload that its schema refuses. ``code`` is the CALLERROR's code, ``description`` names place and reason."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


def known(action: str) -> bool:
    """True where OCPP 2.0.1 has the action, in either direction."""
    return action in ACTIONS_TO_STATION or action in ACTIONS_FROM_STATION


def validate_request(action: str, payload: Mapping[str, Any]) -> None:
    """Raise SchemaViolation where ``payload`` is no valid request of ``action``, KeyError for no action."""
    _validate(action, "Request", payload)


def validate_response(action: str, payload: Mapping[str, Any]) -> None:
    """Raise SchemaViolation where ``payload`` is no valid response of ``action``, KeyError for no action."""
    _validate(action, "Response", payload)


def _validate(action: str, kind: str, payload: Mapping[str, Any]) -> None:
    if not known(action):
        raise KeyError(action)
    try:
        _validator(action + kind).validate(payload)
    except jsonschema_rs.ValidationError as error:
        keyword = error.kind.name
        place = ".".join(str(step) for step in error.instance_path) or action + kind
        raise SchemaViolation(
            _CODE_OF_KEYWORD.get(keyword, _INVALID_VALUE), f"{place}: {error.message}"[:DESCRIPTION_LENGTH]
        ) from None


@cache
def _validator(message: str) -> jsonschema_rs.Validator:
    source = files("ocpp").joinpath("v201", "schemas", f"{message}.json").read_text(encoding="utf-8-sig")
    return jsonschema_rs.Draft6Validator(
        json.loads(source),
        formats={"date-time": _is_date_time},
        validate_formats=True,
        mask="value",  # what is refused may be a password; descriptions end up in logs
        offline=True,
    )


def _is_date_time(text: str) -> bool:
    """True for an RFC 3339 date-time, also without a zone: some CSMSs leave it out, and it can only mean UTC."""
    if len(text) < 19 or text[10] not in "Tt ":
        return False
    try:
        parse_rfc3339(text)
    except ValueError:
        return False
    return True
