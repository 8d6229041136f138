"""What each answer says, in a few words; and whether it is a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from webui.trace import parts
from webui.trace.parts import GOOD, Payload, count, items, part, text

# part 4, table 8, and what the station itself found
ERRORS: Mapping[str, Any] = {
    "FormatViolation": later("the message is not built as OCPP wants it"),
    "GenericError": later("an error"),
    "InternalError": later("the other side failed at it"),
    "InvalidAnswer": later("the answer is not built as OCPP wants it"),
    "MessageTypeNotSupported": later("there is no message of this type"),
    "NotImplemented": later("this action is not known"),
    "NotSupported": later("this action is not supported"),
    "OccurrenceConstraintViolation": later("something is missing, or there is too much of it"),
    "PropertyConstraintViolation": later("a value is not allowed"),
    "ProtocolError": later("the message is incomplete"),
    "RpcFrameworkError": later("this is no message of OCPP"),
    "SecurityError": later("refused for security's sake"),
    "TypeConstraintViolation": later("a value is of the wrong type"),
    "UnexpectedAnswer": later("an answer that nobody waits for (any more)"),
}


def _boot(payload: Payload) -> str:
    told = {"interval": text(payload.get("interval"))}
    word = payload.get("status")
    if word == "Accepted":
        return _("accepted; it is to report every %(interval)s s") % told
    if word == "Pending":
        return _("to wait, and to ask again in %(interval)s s") % told
    if word == "Rejected":
        return _("refused; it may ask again in %(interval)s s") % told
    return parts.status(payload)


def _token_info(payload: Payload) -> str:
    if not part(payload, "idTokenInfo"):
        cost = parts.number(payload.get("totalCost"))
        if cost is not None:
            return _("noted; it costs %(cost)s") % {"cost": parts.number_format(cost)}
        return _("noted")
    return parts.status(payload, "idTokenInfo")


def _each(name: str) -> Callable[[Payload], str]:
    """How many of a list went well, and what became of the others."""

    def said(payload: Payload) -> str:
        total, found = count(payload, name), items(payload, name)
        words = [text(one.get("attributeStatus") or one.get("status")) for one in found]
        bad = [word for word in words if word not in GOOD]
        if total == 1 and found:
            told = parts.status({"status": words[0], "statusInfo": found[0].get("attributeStatusInfo")})
            value = text(found[0].get("attributeValue"))
            return value if value and not bad else told
        if not bad:
            return _("all %(count)s accepted") % {"count": total} if total else _("empty")
        return _("%(good)s of %(count)s accepted; %(bad)s") % {
            "good": total - len(bad),
            "count": total,
            "bad": ", ".join(sorted({str(parts.STATUSES.get(word, word)) for word in bad})),
        }

    return said


def _schedule(payload: Payload) -> str:
    limits = [
        limit
        for period in items(payload, "schedule", "chargingSchedulePeriod")
        if (limit := parts.number(period.get("limit"))) is not None
    ]
    if payload.get("status") != "Accepted" or not limits:
        return parts.status(payload)
    return _("between %(low)s and %(high)s %(unit)s") % {
        "low": parts.number_format(min(limits)),
        "high": parts.number_format(max(limits)),
        "unit": text(part(payload, "schedule", "chargingRateUnit")),
    }


def _certificates(payload: Payload) -> str:
    total = count(payload, "certificateHashDataChain")
    return _("%(count)s certificates") % {"count": total} if total else parts.status(payload)


def _queue(payload: Payload) -> str:
    return _("messages still wait") if payload.get("messagesInQueue") is True else _("no message waits")


WORDS: Mapping[str, Callable[[Payload], str]] = {
    "Authorize": _token_info,
    "BootNotification": _boot,
    "ClearVariableMonitoring": _each("clearMonitoringResult"),
    "GetCompositeSchedule": _schedule,
    "GetInstalledCertificateIds": _certificates,
    "GetLocalListVersion": lambda p: _("version %(version)s") % {"version": text(p.get("versionNumber"))},
    "GetTransactionStatus": _queue,
    "GetVariables": _each("getVariableResult"),
    "Heartbeat": lambda p: _("it is %(time)s") % {"time": text(p.get("currentTime"))[:19].replace("T", " ")},
    "SetVariableMonitoring": _each("setMonitoringResult"),
    "SetVariables": _each("setVariableResult"),
    "TransactionEvent": _token_info,
}


def words(action: str, payload: Payload) -> str:
    """What an answer says; of an unknown action, its status."""
    make = WORDS.get(action)
    if make is not None:
        return make(payload)
    return parts.status(payload) if payload.get("status") else _("noted")


def refused(payload: Payload) -> bool:
    """Whether an answer says no to what was asked, as a whole or to a part of it."""
    found = [payload.get("status"), part(payload, "idTokenInfo", "status")]
    for name in ("getVariableResult", "setVariableResult", "setMonitoringResult", "clearMonitoringResult"):
        found += [one.get("attributeStatus") or one.get("status") for one in items(payload, name)]
    return any(isinstance(word, str) and word not in GOOD for word in found if word is not None)


def error(payload: Payload) -> str:
    """What a CALLERROR says: our words for its code, and its own."""
    code, description = text(payload.get("code")), text(payload.get("description"), 160)
    return flaw(code, description)


def flaw(code: str, description: str) -> str:
    """What was wrong with a message, in words and in the finder's own."""
    said = str(ERRORS.get(code, code))
    return _("%(said)s (%(reason)s)") % {"said": said, "reason": text(description, 160)} if description else said
