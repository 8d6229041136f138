"""Plain words for what concerns installers: connection, certificates, firmware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from station.domain.certificates import CertificateUse
from station.domain.network import FailureCause

Sentence = Callable[[Mapping[str, Any]], Any]

# Why a connection does not come up. The words are those of the station's journal: a FailureCause, or the trial's own.
_WHY: Mapping[str, Any] = {
    FailureCause.NAME: _("The name of the operator's server is not known."),
    FailureCause.UNREACHABLE: _("The operator's server cannot be reached."),
    FailureCause.TLS_VERSION: _("The operator's server does not speak TLS 1.2 or above."),
    FailureCause.TLS_CIPHER_SUITE: _("The operator's server offers no cipher suite that this station may use."),
    FailureCause.TLS: _("No secure connection (TLS) came about."),
    FailureCause.CSMS_CERTIFICATE: _("The certificate of the operator's server is not trusted here."),
    FailureCause.STATION_CERTIFICATE: _("The operator's server does not take this station's certificate."),
    FailureCause.CREDENTIALS: _("The operator's server does not take this identity and password."),
    FailureCause.REFUSED: _("The operator's server refused the connection."),
    FailureCause.SUBPROTOCOL: _("The operator's server does not speak OCPP 2.0.1 there."),
    FailureCause.PROTOCOL: _("What answers there is no OCPP server."),
    FailureCause.CONFIGURATION: _("Something is missing here, so it was not even tried."),
    "no_connection": _("No connection came up in time."),
    "no_answer": _("The server was reached, but it did not answer the station's registration."),
    "connection_lost": _("The connection came up, but did not last."),
    "rejected": _("The operator's system refused the station."),
    "restarted": _("The station was restarted again and again meanwhile."),
}

_WHAT: Mapping[str, Any] = {
    "network_profile": _("the new settings of slot %(slot)s"),
    "network_profile_removed": _("the removal of a slot"),
    "network_priority": _("another slot first"),
    "credentials": _("the new identity or password"),
}


_USES: Mapping[str, Any] = {
    CertificateUse.CHARGING_STATION: _("The station's own certificate"),
    CertificateUse.CSMS_ROOT: _("Roots of the operator's system"),
    CertificateUse.MANUFACTURER_ROOT: _("Roots of the manufacturer, for firmware"),
    CertificateUse.V2G_ROOT: _("V2G roots, for plug and charge"),
    CertificateUse.MO_ROOT: _("Mobility operator roots, for plug and charge"),
    CertificateUse.V2G_CHAIN: _("V2G certificates of the station"),
}


def use(word: str) -> str:
    """What certificates are for, as a heading."""
    return str(_USES.get(word, word))


def why(word: str, detail: str = "") -> str:
    """Why something did not work, as sentences; ``detail`` is added as it is."""
    said = str(_WHY[word]) if word in _WHY else word.replace("_", " ").capitalize() + "."
    return f"{said} ({detail})" if detail else said


def _person(data: Mapping[str, Any]) -> Any:
    who = str(data.get("who") or "")
    return _("The operator's system") if who == "csms" else who or _("Somebody")


def _what(data: Mapping[str, Any]) -> str:
    word = str(data.get("what") or "")
    return str(_WHAT[word]) % {"slot": data.get("slot") or ""} if word in _WHAT else word.replace("_", " ")


def _taken_back(data: Mapping[str, Any]) -> Any:
    word, detail = str(data.get("why") or ""), str(data.get("detail") or "")
    if word == "by_hand":
        return _("%(who)s took %(what)s back.") % {"who": detail or _("Somebody"), "what": _what(data)}
    reason = why(word, detail) if word else ""
    return _("The former settings came back by themselves, for %(what)s did not work. %(why)s") % {
        "what": _what(data),
        "why": reason,
    }


_ASKED: Mapping[str, Any] = {
    "csms": _("The operator's system had a new certificate for the station asked for."),
    "expiry": _("The station's certificate expires soon; a new one was asked for."),
    "operator": _("A new certificate for the station was asked for."),
}

EVENTS: Mapping[str, Sentence] = {
    "trial_began": lambda data: (
        _("%(who)s had %(what)s tried. %(url)s")
        % {"who": _person(data), "what": _what(data), "url": data.get("csms_url") or ""}
    ),
    "trial_kept": lambda data: _("This worked and is kept: %(what)s.") % {"what": _what(data)},
    "trial_taken_back": _taken_back,
    "certificate_installed": lambda data: (
        _("%(who)s installed a certificate: %(subject)s.") % {"subject": "?", **data, "who": _person(data)}
    ),
    "certificate_deleted": lambda data: (
        _("%(who)s deleted a certificate: %(subject)s.") % {"subject": "?", **data, "who": _person(data)}
    ),
    "csms_root_proven": lambda data: _("The new root of the operator's system works; those before it are gone."),
    "csms_root_swapped": lambda data: (
        _("The operator's server is not trusted by the new root; the one before is tried.")
        if data.get("side") == "old"
        else _("The operator's server is not trusted by the root before; the new one is tried.")
    ),
    "certificate_requested": lambda data: _ASKED.get(str(data.get("why"))) or _ASKED["operator"],
    "certificate_request_failed": lambda data: (
        _("No certificate request could be made: %(detail)s.") % {"detail": "", **data}
    ),
    "certificate_request_refused": lambda data: _("The operator's system refused to have a certificate made."),
    "station_certificate_refused": lambda data: (
        _("A certificate for the station was refused: %(detail)s.") % {"detail": "", **data}
    ),
    "station_certificate_installed": lambda data: (
        _("%(who)s brought a new certificate for the station: %(subject)s.")
        % {"subject": "?", **data, "who": _person(data)}
    ),
    "station_certificate_proven": lambda data: _("The station's new certificate works; the one before is gone."),
    "station_certificate_taken_back": lambda data: _(
        "The station's new certificate led to no connection and is gone; the one before serves again."
    ),
    "station_certificate_swapped": lambda data: (
        _("With the station's new certificate there was no connection; the one before is tried.")
        if data.get("side") == "old"
        else _("With the station's former certificate there was no connection; the new one is tried.")
    ),
    "connection_set": lambda data: _("%(who)s set %(what)s.") % {"who": _person(data), "what": _what(data)},
}
