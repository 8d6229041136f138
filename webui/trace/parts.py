"""Bits of sentences about OCPP payloads, from whatever stands there: every payload is a stranger's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from webui.templatetags.quantities import ampere, kw, kwh, percent
from webui.templatetags.quantities import number as quantity

Payload = Mapping[str, Any]
NAME_LENGTH = 80  # characters of a stranger's word within a sentence

STATUSES: Mapping[str, Any] = {
    "Accepted": later("accepted"),
    "AcceptedCanceled": later("accepted; the one before is left"),
    "AlreadyInstalled": later("installed already"),
    "Assigned": later("assigned already"),
    "Blocked": later("refused: blocked"),
    "CertChainError": later("refused: the certificates do not fit together"),
    "CertificateExpired": later("refused: the certificate has expired"),
    "CertificateRevoked": later("refused: the certificate was revoked"),
    "ConcurrentTx": later("refused: it charges elsewhere already"),
    "ConflictWithExisting": later("refused: it contradicts another one"),
    "ContractCancelled": later("refused: the contract has ended"),
    "Downloaded": later("downloaded"),
    "DownloadOngoing": later("refused: a download is under way"),
    "Duplicate": later("refused: there is one like it"),
    "EmptyResultSet": later("there is nothing of that kind"),
    "Expired": later("refused: expired"),
    "Failed": later("failed"),
    "Faulted": later("refused: there is a fault"),
    "Idle": later("idle"),
    "Installed": later("installed"),
    "InstallationFailed": later("the installation failed"),
    "Invalid": later("refused: not valid"),
    "InvalidCertificate": later("refused: the certificate is not valid"),
    "InvalidURL": later("refused: the address is not valid"),
    "LanguageNotSupported": later("refused: not in this language"),
    "NoCertificateAvailable": later("there is no such certificate"),
    "NoCredit": later("refused: no credit left"),
    "NoFirmware": later("there is no such firmware"),
    "NoProfile": later("there is no such profile"),
    "NoProfiles": later("there is no such profile"),
    "NoTransaction": later("there is no such session"),
    "NotAllowedTypeEVSE": later("refused: not at this EVSE"),
    "NotAtThisLocation": later("refused: not here"),
    "NotAtThisTime": later("refused: not at this time"),
    "NotFound": later("not found"),
    "NotImplemented": later("the station cannot do that"),
    "NotReady": later("not ready"),
    "NotSupported": later("not supported"),
    "NotSupportedAttributeType": later("there is no such attribute"),
    "NotSupportedMessageFormat": later("refused: not in this format"),
    "NotSupportedPriority": later("refused: not with this priority"),
    "NotSupportedState": later("refused: not for this state"),
    "Occupied": later("refused: occupied"),
    "OngoingAuthorizedTransaction": later("refused: somebody is charging"),
    "Pending": later("to wait"),
    "Processing": later("under way"),
    "PublishFailed": later("could not be published"),
    "RebootRequired": later("accepted, and takes a restart"),
    "Rejected": later("refused"),
    "RetryCertificateUpdate": later("to be tried again"),
    "Revoked": later("refused: revoked"),
    "Scheduled": later("accepted, and done later"),
    "RevokedCertificate": later("refused: the certificate was revoked"),
    "SignatureError": later("refused: the signature is wrong"),
    "Signed": later("signed"),
    "TxNotFound": later("there is no such session"),
    "Unavailable": later("refused: out of service"),
    "Unknown": later("refused: not known"),
    "UnknownComponent": later("there is no such component"),
    "UnknownConnector": later("there is no such connector"),
    "UnknownMessageId": later("refused: this message is not known"),
    "UnknownTransaction": later("there is no such session"),
    "UnknownVariable": later("there is no such variable"),
    "UnknownVendorId": later("refused: this vendor is not known"),
    "Unlocked": later("unlocked"),
    "UnlockFailed": later("could not be unlocked"),
    "Unpublished": later("no longer published"),
    "UnsupportedMonitorType": later("refused: no monitor of this kind"),
    "VersionMismatch": later("refused: the version does not follow"),
}

# Statuses that mean: it went as the asker wished, or as it should.
GOOD = frozenset(
    {
        "Accepted",
        "AcceptedCanceled",
        "AlreadyInstalled",
        "Downloaded",
        "EmptyResultSet",
        "Idle",
        "Installed",
        "Processing",
        "RebootRequired",
        "Scheduled",
        "Signed",
        "Unlocked",
        "Unpublished",
    }
)

CONNECTOR_STATUSES: Mapping[str, Any] = {
    "Available": later("free"),
    "Occupied": later("occupied"),
    "Reserved": later("reserved"),
    "Unavailable": later("out of service"),
    "Faulted": later("faulted"),
}


def text(value: Any, length: int = NAME_LENGTH) -> str:
    """A stranger's word as part of a sentence."""
    told = " ".join(str(value).split()) if isinstance(value, str | int | float) else ""
    return told if len(told) <= length else f"{told[:length]}…"


def part(payload: Any, *names: str) -> Any:
    """What is found inside, name by name; None where the way ends."""
    for name in names:
        payload = payload.get(name) if isinstance(payload, Mapping) else None
    return payload


def mapping(payload: Any, *names: str) -> Payload:
    found = part(payload, *names)
    return found if isinstance(found, Mapping) else {}


def items(payload: Any, *names: str) -> Sequence[Any]:
    """A list, without the note on what was left out of it."""
    found = part(payload, *names)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def count(payload: Any, *names: str) -> int:
    """How long a list was before it was shortened (``"… 90"`` at its end stands for 90 more)."""
    found = part(payload, *names)
    if not isinstance(found, list):
        return 0
    last = found[-1] if found else ""
    if isinstance(last, str) and last.startswith("… ") and last[2:].isdecimal():
        return len(found) - 1 + int(last[2:])
    return len(found)


def number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        figure = Decimal(str(value))
    except InvalidOperation:
        return None
    return figure if figure.is_finite() else None


def number_format(value: Decimal) -> str:
    """A figure as people write it, without decimals that say nothing."""
    plain = value.normalize()
    exponent = plain.as_tuple().exponent
    return quantity(plain, min(3, max(0, -exponent if isinstance(exponent, int) else 0)))


def token(payload: Any, *names: str) -> str:
    """A card, masked at the source."""
    found = mapping(payload, *names)
    kind, shown = text(found.get("type")), text(found.get("idToken"), 40)
    if kind == "NoAuthorization":
        return _("somebody without a card")
    if kind == "Central":
        return _("the token %(token)s of the operator") % {"token": shown}
    if kind == "KeyCode":
        return _("a key code")
    if kind == "eMAID":
        return _("the contract %(token)s") % {"token": shown}
    if kind == "MacAddress":
        return _("the vehicle %(token)s") % {"token": shown}
    return _("the card %(token)s") % {"token": shown or "…"}


def evse_of(payload: Any) -> int | None:
    """The EVSE that a payload names, wherever it does."""
    for way in (("evse", "id"), ("evseId",), ("connector", "evseId"), ("chargingNeeds", "evseId")):
        found = part(payload, *way)
        if isinstance(found, int) and not isinstance(found, bool):
            return found
    for name in ("eventData", "getVariableData", "setVariableData", "reportData", "monitor", "setMonitoringData"):
        evses = {part(item, "component", "evse", "id") for item in items(payload, name)}
        if len(evses) == 1 and isinstance(only := evses.pop(), int):
            return only
    criterion = part(payload, "chargingProfileCriteria", "evseId")
    return criterion if isinstance(criterion, int) else None


def at_evse(payload: Any, said: Any) -> str:
    """A sentence that says at which EVSE, where that is known."""
    evse = evse_of(payload)
    if not evse:
        return str(said)
    connector = part(payload, "evse", "connectorId") or part(payload, "connectorId")
    if isinstance(connector, int) and connector > 1:
        return _("EVSE %(evse)s, connector %(connector)s: %(said)s") % {
            "evse": evse,
            "connector": connector,
            "said": said,
        }
    return _("EVSE %(evse)s: %(said)s") % {"evse": evse, "said": said}


def variable(item: Any) -> str:
    """A variable's name as engineers write it."""
    component, name = mapping(item, "component"), mapping(item, "variable")
    told = text(component.get("name"))
    evse = part(component, "evse", "id")
    if isinstance(evse, int):
        connector = part(component, "evse", "connectorId")
        told += f"@{evse}.{connector}" if isinstance(connector, int) else f"@{evse}"
    told += f".{text(name.get('name'))}"
    return told + (f"[{text(name.get('instance'))}]" if name.get("instance") else "")


def status(payload: Any, *names: str) -> str:
    """The words for a status, with the other side's own reason where it gives one."""
    word = text(part(payload, *names, "status"))
    said = str(STATUSES.get(word, word)) or _("no status")
    reason = text(part(payload, *names, "statusInfo", "additionalInfo")) or text(
        part(payload, *names, "statusInfo", "reasonCode")
    )
    return _("%(said)s (%(reason)s)") % {"said": said, "reason": reason} if reason else said


def sampled(payload: Any) -> Mapping[str, Decimal]:
    """The newest value of each measurand over all phases, in its base unit; a phase's own are left out."""
    found: dict[str, Decimal] = {}
    for meter_value in items(payload, "meterValue"):
        for value in items(meter_value, "sampledValue"):
            figure = number(value.get("value"))
            if figure is None or value.get("phase"):
                continue
            scale = number(part(value, "unitOfMeasure", "multiplier")) or Decimal(0)
            unit = text(part(value, "unitOfMeasure", "unit"))
            factor = Decimal(1000) if unit in ("kWh", "kW") else Decimal(1)
            if abs(scale) <= 12:
                found[text(value.get("measurand")) or "Energy.Active.Import.Register"] = (
                    figure.scaleb(int(scale)) * factor
                )
    return found


def measured(payload: Any) -> str:
    """What a meter said, as figures with units."""
    values = sampled(payload)
    told = []
    if (power := values.get("Power.Active.Import")) is not None:
        told.append(_("%(power)s kW") % {"power": kw(power)})
    if (energy := values.get("Energy.Active.Import.Register")) is not None:
        told.append(_("meter at %(energy)s kWh") % {"energy": kwh(energy, 2)})
    if (current := values.get("Current.Import")) is not None:
        told.append(_("%(current)s A") % {"current": ampere(current)})
    if (charge := values.get("SoC")) is not None:
        told.append(_("battery at %(charge)s %%") % {"charge": percent(charge)})
    return ", ".join(told)


def host(url: Any) -> str:
    """Where a URL leads, without its way."""
    rest = text(url, 300).partition("://")[2] or text(url, 300)
    return text(rest.rpartition("@")[2].partition("/")[0].partition("?")[0])
