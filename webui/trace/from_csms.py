"""What each call of the CSMS asks for, in one line; the names are those of part 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.utils.translation import ngettext

from webui.trace import parts
from webui.trace.parts import Payload, at_evse, count, host, items, part, text, token, variable

_CERTIFICATES: Mapping[str, Any] = {
    "V2GRootCertificate": later("a V2G root"),
    "MORootCertificate": later("a mobility operator's root"),
    "CSMSRootCertificate": later("a root of the operator's system"),
    "ManufacturerRootCertificate": later("a root of the manufacturer"),
    "OEMRootCertificate": later("a car maker's root"),
}

_BASES: Mapping[str, Any] = {
    "ConfigurationInventory": later("all that can be set"),
    "FullInventory": later("the whole device model"),
    "SummaryInventory": later("a summary of its state"),
    "All": later("all of them"),
    "FactoryDefault": later("those from the factory"),
    "HardWiredOnly": later("only those that are fixed"),
}

_PURPOSES: Mapping[str, Any] = {
    "ChargingStationExternalConstraints": later("a limit from outside"),
    "ChargingStationMaxProfile": later("the limit of the whole station"),
    "TxDefaultProfile": later("the limit of every session"),
    "TxProfile": later("the limit of this session"),
}


def _numbered(name: str) -> Callable[[Payload], str]:
    """The station is asked for so many variables."""

    def said(payload: Payload) -> str:
        total, first = count(payload, name), items(payload, name)[:1]
        if total == 1 and first:
            return _("The operator's system asks for %(variable)s.") % {"variable": variable(first[0])}
        return ngettext(
            "The operator's system asks for %(count)s variable.",
            "The operator's system asks for %(count)s variables.",
            total,
        ) % {"count": total}

    return said


def _set(payload: Payload) -> str:
    total, first = count(payload, "setVariableData"), items(payload, "setVariableData")[:1]
    if total == 1 and first:
        return _("The operator's system sets %(variable)s to %(value)s.") % {
            "variable": variable(first[0]),
            "value": text(first[0].get("attributeValue")) or "–",
        }
    return ngettext(
        "The operator's system sets %(count)s variable.", "The operator's system sets %(count)s variables.", total
    ) % {"count": total}


def _availability(payload: Payload) -> str:
    works = payload.get("operationalStatus") == "Operative"
    if not parts.evse_of(payload):
        return _("The station is to be put into service.") if works else _("The station is to go out of service.")
    return at_evse(payload, _("to be put into service") if works else _("to go out of service"))


def _reset(payload: Payload) -> str:
    told = {"when": _("at once") if payload.get("type") == "Immediate" else _("when nobody charges any more")}
    if parts.evse_of(payload):
        return at_evse(payload, _("to be restarted %(when)s") % told)
    return _("The operator's system asks for a restart, %(when)s.") % told


def _start(payload: Payload) -> str:
    said = _("the operator's system starts charging for %(card)s") % {"card": token(payload, "idToken")}
    return at_evse(payload, said[:1].upper() + said[1:] if not parts.evse_of(payload) else said)


def _reserve(payload: Payload) -> str:
    told = {
        "card": token(payload, "idToken"),
        "until": text(payload.get("expiryDateTime"))[:16].replace("T", " "),
        "id": text(payload.get("id")),
    }
    return at_evse(payload, _("to be kept for %(card)s until %(until)s (reservation %(id)s)") % told)


def _profile(payload: Payload) -> str:
    word = text(part(payload, "chargingProfile", "chargingProfilePurpose"))
    periods = [
        period
        for schedule in items(payload, "chargingProfile", "chargingSchedule")
        for period in items(schedule, "chargingSchedulePeriod")
    ]
    limits = [limit for period in periods if (limit := parts.number(period.get("limit"))) is not None]
    unit = text(part(next(iter(items(payload, "chargingProfile", "chargingSchedule")), {}), "chargingRateUnit"))
    told = {"what": _PURPOSES.get(word, word), "unit": unit}
    if not limits:
        return at_evse(payload, _("%(what)s is set") % told)
    low, high = parts.number_format(min(limits)), parts.number_format(max(limits))
    if low == high:
        return at_evse(payload, _("%(what)s is set to %(limit)s %(unit)s") % {**told, "limit": high})
    return at_evse(payload, _("%(what)s is set to %(low)s to %(high)s %(unit)s") % {**told, "low": low, "high": high})


def _update(payload: Payload) -> str:
    told = {"host": host(part(payload, "firmware", "location")), "request": text(payload.get("requestId"))}
    if part(payload, "firmware", "signature"):
        return _("The operator's system asks for a firmware update from %(host)s (request %(request)s).") % told
    return _("The operator's system asks for an unsigned firmware update from %(host)s (request %(request)s).") % told


def _log(payload: Payload) -> str:
    told = {"host": host(part(payload, "log", "remoteLocation")), "request": text(payload.get("requestId"))}
    if payload.get("logType") == "SecurityLog":
        return _("The operator's system asks for the security log, sent to %(host)s (request %(request)s).") % told
    return _("The operator's system asks for the diagnostics, sent to %(host)s (request %(request)s).") % told


def _customer(payload: Payload) -> str:
    if payload.get("clear") is True:
        return _("The operator's system has a customer's data erased.")
    return _("The operator's system asks what is kept about a customer.")


def _list(payload: Payload) -> str:
    told = {"count": count(payload, "localAuthorizationList"), "version": text(payload.get("versionNumber"))}
    if payload.get("updateType") == "Full":
        return _("The operator's system sends a new list of cards: %(count)s, version %(version)s.") % told
    return _("The operator's system changes the list of cards: %(count)s, version %(version)s.") % told


def _network(payload: Payload) -> str:
    return _("The operator's system sets network slot %(slot)s to %(host)s, security profile %(profile)s.") % {
        "slot": text(payload.get("configurationSlot")),
        "host": host(part(payload, "connectionData", "ocppCsmsUrl")),
        "profile": text(part(payload, "connectionData", "securityProfile")),
    }


def _status(payload: Payload) -> str:
    if payload.get("transactionId"):
        return _("The operator's system asks whether messages of a session still wait.")
    return _("The operator's system asks whether any messages still wait.")


def _install(payload: Payload) -> str:
    word = text(payload.get("certificateType"))
    return _("The operator's system installs %(what)s.") % {"what": _CERTIFICATES.get(word, word)}


def _based(sentence: Any, name: str) -> Callable[[Payload], str]:
    return lambda p: str(sentence) % {"what": _BASES.get(text(p.get(name)), text(p.get(name)))}


SENTENCES: Mapping[str, Callable[[Payload], str]] = {
    "CancelReservation": lambda p: (
        _("The operator's system cancels reservation %(id)s.") % {"id": text(p.get("reservationId"))}
    ),
    "CertificateSigned": lambda p: _("The operator's system sends the station's new certificate."),
    "ChangeAvailability": _availability,
    "ClearCache": lambda p: _("The station is to forget the cards that it has seen."),
    "ClearChargingProfile": lambda p: at_evse(p, _("charging limits are to be dropped")),
    "ClearDisplayMessage": lambda p: _("Message %(id)s is to leave the display.") % {"id": text(p.get("id"))},
    "ClearVariableMonitoring": lambda p: _("%(count)s monitors are to be removed.") % {"count": count(p, "id")},
    "CostUpdated": lambda p: _("The running session has cost %(cost)s so far.") % {"cost": text(p.get("totalCost"))},
    "CustomerInformation": _customer,
    "DataTransfer": lambda p: (
        _("The operator's system sends data as agreed with %(vendor)s: %(message)s")
        % {
            "vendor": text(p.get("vendorId")),
            "message": text(p.get("messageId")) or "–",
        }
    ),
    "DeleteCertificate": lambda p: _("The operator's system has a certificate deleted."),
    "GetBaseReport": _based(later("The operator's system asks for a report on %(what)s."), "reportBase"),
    "GetChargingProfiles": lambda p: at_evse(p, _("which charging profiles are there?")),
    "GetCompositeSchedule": lambda p: at_evse(
        p,
        _("what limit holds in the next %(seconds)s s?")
        % {
            "seconds": text(p.get("duration")),
        },
    ),
    "GetDisplayMessages": lambda p: _("The operator's system asks what is to be shown on the display."),
    "GetInstalledCertificateIds": lambda p: _("The operator's system asks which certificates are installed."),
    "GetLocalListVersion": lambda p: _("The operator's system asks for the version of the list of cards."),
    "GetLog": _log,
    "GetMonitoringReport": lambda p: _("The operator's system asks for a report on the monitors."),
    "GetReport": lambda p: (
        _("The operator's system asks for a report on some variables (request %(request)s).")
        % {"request": text(p.get("requestId"))}
    ),
    "GetTransactionStatus": _status,
    "GetVariables": _numbered("getVariableData"),
    "InstallCertificate": _install,
    "PublishFirmware": lambda p: _("The station is to fetch firmware for its neighbours."),
    "RequestStartTransaction": _start,
    "RequestStopTransaction": lambda p: _("The operator's system ends a session."),
    "ReserveNow": _reserve,
    "Reset": _reset,
    "SendLocalList": _list,
    "SetChargingProfile": _profile,
    "SetDisplayMessage": lambda p: (
        _("The display is to show: %(message)s")
        % {
            "message": text(part(p, "message", "message", "content")),
        }
    ),
    "SetMonitoringBase": _based(later("The monitors are to be %(what)s."), "monitoringBase"),
    "SetMonitoringLevel": lambda p: (
        _("Events are to be reported up to severity %(severity)s.") % {"severity": text(p.get("severity"))}
    ),
    "SetNetworkProfile": _network,
    "SetVariableMonitoring": lambda p: (
        _("The operator's system sets monitors: %(count)s.") % {"count": count(p, "setMonitoringData")}
    ),
    "SetVariables": _set,
    "TriggerMessage": lambda p: at_evse(
        p,
        _("a %(message)s is asked for")
        % {
            "message": text(p.get("requestedMessage")),
        },
    ),
    "UnlockConnector": lambda p: at_evse(p, _("the connector is to be unlocked")),
    "UnpublishFirmware": lambda p: _("The station is to stop offering firmware to its neighbours."),
    "UpdateFirmware": _update,
}
