"""What each call of the station says, in one line; the names are those of part 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.utils.translation import ngettext

from webui.logs.security import sentence
from webui.trace import parts
from webui.trace.parts import CONNECTOR_STATUSES, Payload, at_evse, count, items, part, text, token, variable

_BOOT: Mapping[str, Any] = {
    "PowerUp": later("after it was switched on"),
    "RemoteReset": later("after the operator's system restarted it"),
    "ScheduledReset": later("after a restart that was due"),
    "LocalReset": later("after somebody restarted it"),
    "ApplicationReset": later("after its software started anew"),
    "FirmwareUpdate": later("with new firmware"),
    "Watchdog": later("after its watchdog restarted it"),
    "Triggered": later("because it was asked to"),
}

_FIRMWARE: Mapping[str, Any] = {
    "Downloaded": later("The new firmware was downloaded."),
    "DownloadFailed": later("The new firmware could not be downloaded."),
    "Downloading": later("The new firmware is being downloaded."),
    "DownloadScheduled": later("The new firmware will be downloaded later."),
    "DownloadPaused": later("The download of the new firmware pauses."),
    "Idle": later("No firmware update is under way."),
    "InstallationFailed": later("The new firmware could not be installed."),
    "Installing": later("The new firmware is being installed."),
    "Installed": later("The new firmware is installed."),
    "InstallRebooting": later("The station restarts with the new firmware."),
    "InstallScheduled": later("The new firmware will be installed later."),
    "InstallVerificationFailed": later("The new firmware is not fit for this station."),
    "InvalidSignature": later("The new firmware's signature is wrong."),
    "SignatureVerified": later("The new firmware's signature is right."),
}

_LOG: Mapping[str, Any] = {
    "BadMessage": later("The log could not be sent: the request was wrong."),
    "Idle": later("No log is being sent."),
    "NotSupportedOperation": later("The log could not be sent: not in this way."),
    "PermissionDenied": later("The log could not be sent: the server does not take it."),
    "Uploaded": later("The log was sent."),
    "UploadFailure": later("The log could not be sent."),
    "Uploading": later("The log is being sent."),
    "AcceptedCanceled": later("Sending the log was left for a newer request."),
}

_TRIGGERS: Mapping[str, Any] = {
    "AbnormalCondition": later("something is not as it should be"),
    "Authorized": later("a card was accepted"),
    "CablePluggedIn": later("the cable was plugged in"),
    "ChargingRateChanged": later("the charging rate changed"),
    "ChargingStateChanged": later("the charging state changed"),
    "Deauthorized": later("the permission was withdrawn"),
    "EnergyLimitReached": later("the agreed energy was reached"),
    "EVCommunicationLost": later("the car was unplugged, or fell silent"),
    "EVConnectTimeout": later("no car was plugged in in time"),
    "EVDeparted": later("the car left"),
    "EVDetected": later("a car came"),
    "MeterValueClock": later("the clock asks for meter values"),
    "MeterValuePeriodic": later("meter values are due"),
    "RemoteStart": later("the operator's system started it"),
    "RemoteStop": later("the operator's system ended it"),
    "ResetCommand": later("the station restarts"),
    "SignedDataReceived": later("signed meter values came"),
    "StopAuthorized": later("a card ended it"),
    "TimeLimitReached": later("the agreed time was over"),
    "Trigger": later("the operator's system asked for it"),
    "UnlockCommand": later("the connector was unlocked"),
}

_CHARGING: Mapping[str, Any] = {
    "Charging": later("the car charges"),
    "EVConnected": later("the car is connected"),
    "SuspendedEV": later("the car pauses"),
    "SuspendedEVSE": later("the station pauses"),
    "Idle": later("no car is connected"),
}


def _boot(payload: Payload) -> str:
    reason = text(payload.get("reason"))
    return _("The station registers %(why)s: %(vendor)s %(model)s, firmware %(version)s.") % {
        "why": _BOOT.get(reason, reason),
        "vendor": text(part(payload, "chargingStation", "vendorName")),
        "model": text(part(payload, "chargingStation", "model")),
        "version": text(part(payload, "chargingStation", "firmwareVersion")) or "–",
    }


def _transaction(payload: Payload) -> str:
    trigger, state = text(payload.get("triggerReason")), text(part(payload, "transactionInfo", "chargingState"))
    why = _TRIGGERS.get(trigger, trigger)
    charging = _CHARGING.get(state, state)
    kind = payload.get("eventType")
    if kind == "Started":
        said = _("the session began; %(why)s") % {"why": why}
    elif kind == "Ended":
        said = _("the session ended; %(why)s") % {"why": why}
    elif trigger == "ChargingStateChanged" and charging:
        said = str(charging)
    elif trigger in ("MeterValuePeriodic", "MeterValueClock", "Trigger") and (figures := parts.measured(payload)):
        said = figures
    else:
        said = str(why)
    if payload.get("idToken") and kind != "Ended":
        said = _("%(said)s (%(card)s)") % {"said": said, "card": token(payload, "idToken")}
    if payload.get("offline") is True:
        said = _("%(said)s (while offline)") % {"said": said}
    return at_evse(payload, said)


def _status(payload: Payload) -> str:
    word = text(payload.get("connectorStatus"))
    return at_evse(payload, CONNECTOR_STATUSES.get(word, word))


def _event(payload: Payload) -> str:
    total, first = count(payload, "eventData"), items(payload, "eventData")[:1]
    if total != 1 or not first:
        return ngettext("The station reports %(count)s event.", "The station reports %(count)s events.", total) % {
            "count": total
        }
    return _("%(variable)s is now %(value)s.") % {
        "variable": variable(first[0]),
        "value": text(first[0].get("actualValue")),
    }


def _report(payload: Payload) -> str:
    told = {
        "count": count(payload, "reportData"),
        "request": text(payload.get("requestId")),
        "number": (payload.get("seqNo") if isinstance(payload.get("seqNo"), int) else 0) + 1,
    }
    if payload.get("tbc") is True:
        return _("Report %(request)s, part %(number)s: %(count)s variables, more to come.") % told
    return _("Report %(request)s, part %(number)s and the last: %(count)s variables.") % told


def _monitoring(payload: Payload) -> str:
    return _("Report %(request)s: monitors of %(count)s variables.") % {
        "request": text(payload.get("requestId")),
        "count": count(payload, "monitor"),
    }


def _meter(payload: Payload) -> str:
    return at_evse(payload, parts.measured(payload) or _("meter values"))


def _limit(payload: Payload) -> str:
    source = text(part(payload, "chargingLimit", "chargingLimitSource"))
    return at_evse(payload, _("a limit is in force, set by %(source)s") % {"source": source})


def _security(payload: Payload) -> str:
    said = _("Security event: %(kind)s") % {"kind": sentence(text(payload.get("type")))}
    info = text(payload.get("techInfo"))
    return _("%(said)s (%(reason)s)") % {"said": said, "reason": info} if info else said


def _profiles(payload: Payload) -> str:
    return at_evse(
        payload,
        _("%(count)s charging profiles (request %(request)s)")
        % {"count": count(payload, "chargingProfile"), "request": text(payload.get("requestId"))},
    )


def _needs(payload: Payload) -> str:
    energy = parts.number(part(payload, "chargingNeeds", "acChargingParameters", "energyAmount"))
    if energy is None:
        return at_evse(payload, _("the car says what it needs"))
    return at_evse(payload, _("the car needs %(energy)s kWh") % {"energy": parts.kwh(energy, 1)})


def _reservation(payload: Payload) -> str:
    word = text(payload.get("reservationUpdateStatus"))
    told = {"id": text(payload.get("reservationId"))}
    if word == "Expired":
        return _("Reservation %(id)s has expired.") % told
    return _("Reservation %(id)s was taken away.") % told


def _of(words: Mapping[str, Any]) -> Callable[[Payload], str]:
    return lambda payload: str(words.get(text(payload.get("status")), text(payload.get("status"))))


SENTENCES: Mapping[str, Callable[[Payload], str]] = {
    "Authorize": lambda p: _("The station asks whether %(card)s may charge.") % {"card": token(p, "idToken")},
    "BootNotification": _boot,
    "ClearedChargingLimit": lambda p: at_evse(
        p, _("the limit of %(source)s is gone") % {"source": text(p.get("chargingLimitSource"))}
    ),
    "DataTransfer": lambda p: (
        _("The station sends data as agreed with %(vendor)s: %(message)s")
        % {
            "vendor": text(p.get("vendorId")),
            "message": text(p.get("messageId")) or "–",
        }
    ),
    "FirmwareStatusNotification": _of(_FIRMWARE),
    "Get15118EVCertificate": lambda p: _("A car asks for its contract certificate."),
    "GetCertificateStatus": lambda p: _("The station asks whether a contract certificate is still valid."),
    "Heartbeat": lambda p: _("The station is there, and asks for the time."),
    "LogStatusNotification": _of(_LOG),
    "MeterValues": _meter,
    "NotifyChargingLimit": _limit,
    "NotifyCustomerInformation": lambda p: (
        _("The station tells what it keeps about a customer (request %(request)s).")
        % {"request": text(p.get("requestId"))}
    ),
    "NotifyDisplayMessages": lambda p: (
        _("The station tells of %(count)s messages on its display.") % {"count": count(p, "messageInfo")}
    ),
    "NotifyEVChargingNeeds": _needs,
    "NotifyEVChargingSchedule": lambda p: at_evse(p, _("the car tells how it is going to charge")),
    "NotifyEvent": _event,
    "NotifyMonitoringReport": _monitoring,
    "NotifyReport": _report,
    "PublishFirmwareStatusNotification": lambda p: (
        _("Firmware for the neighbours: %(status)s.") % {"status": text(p.get("status"))}
    ),
    "ReportChargingProfiles": _profiles,
    "ReservationStatusUpdate": _reservation,
    "SecurityEventNotification": _security,
    "SignCertificate": lambda p: _("The station asks for a certificate for its new key."),
    "StatusNotification": _status,
    "TransactionEvent": _transaction,
}
