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
    "root_deleted": _("doing without a root certificate"),
}


_USES: Mapping[str, Any] = {
    CertificateUse.CHARGING_STATION: _("The station's own certificate"),
    CertificateUse.CSMS_ROOT: _("Roots of the operator's system"),
    CertificateUse.MANUFACTURER_ROOT: _("Roots of the manufacturer, for firmware"),
    CertificateUse.V2G_ROOT: _("V2G roots, for plug and charge"),
    CertificateUse.MO_ROOT: _("Mobility operator roots, for plug and charge"),
    CertificateUse.V2G_CHAIN: _("V2G certificates of the station"),
}


_STAGES: Mapping[str, Any] = {
    "key": _("The station makes a key and a request for a certificate."),
    "sign": _("A request is ready and goes to the operator's system as soon as that is connected."),
    "wait": _("The operator's system has the request; its answer has not come yet."),
    "stopped": _("No certificate came of the request. Ask again, or have it signed by hand."),
    "manual": _("A request waits to be signed by hand."),
}

_PHASES: Mapping[str, Any] = {
    "waits_to_download": _("An update waits to be downloaded."),
    "downloads": _("An update is being downloaded."),
    "waits_to_install": _("An update was downloaded, and waits to be installed."),
    "installs": _("An update is being installed."),
    "reboots": _("The station restarts with the new firmware."),
    "proves_itself": _("The new firmware runs on trial, until the operator's system has accepted the station."),
}

_FIRMWARE: Mapping[str, Any] = {
    "Installed": _("installed"),
    "DownloadFailed": _("could not be downloaded"),
    "InvalidSignature": _("refused, for its signature is wrong"),
    "InstallVerificationFailed": _("refused, for it is not fit for this station"),
    "InstallationFailed": _("could not be installed; the one before it runs"),
    "AcceptedCanceled": _("left for a newer request"),
}


def request_stage(word: str) -> str:
    """Where a request for a certificate is, as a sentence."""
    return str(_STAGES[word]) if word in _STAGES else str(_("A certificate was asked for and has not come yet."))


def phase(word: str) -> str:
    """How far a firmware update is, as a sentence."""
    return str(_PHASES[word]) if word in _PHASES else word.replace("_", " ").capitalize() + "."


def firmware_status(word: str) -> str:
    """How a firmware update ended."""
    return str(_FIRMWARE.get(word, word))


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


_MAINTENANCE_ENDS: Mapping[str, Any] = {
    "by_hand": _("The maintenance of EVSE %(evse_id)s by %(who)s is over."),
    "timeout": _("The maintenance of EVSE %(evse_id)s by %(who)s ended by itself, for nothing was done any more."),
    "reset": _("The maintenance of EVSE %(evse_id)s by %(who)s ended, for a reset was asked for."),
    "logout": _("The maintenance of EVSE %(evse_id)s ended, for %(who)s logged out."),
}
_SELF_TESTS: Mapping[str, Any] = {
    "Passed": _("The self-test of EVSE %(evse_id)s, asked for by %(who)s, was passed."),
    "Failed": _("The self-test of EVSE %(evse_id)s, asked for by %(who)s, failed."),
    "Refused": _("The board refused the self-test of EVSE %(evse_id)s, for its contactor is closed."),
    "NoAnswer": _("No outcome came of the self-test of EVSE %(evse_id)s."),
}


def _at_evse(sentence: Any, data: Mapping[str, Any]) -> str:
    return str(sentence) % {"evse_id": data.get("evse_id") or "?", "who": _person(data)}


def _by_hand(data: Mapping[str, Any]) -> str:
    return str(_("%(who)s set EVSE %(evse_id)s to %(current)s A and %(phases)s phase(s) by hand.")) % {
        "who": _person(data),
        "evse_id": data.get("evse_id") or "?",
        "current": f"{float(data.get('current') or 0):g}",
        "phases": data.get("phases") or "?",
    }


EVENTS: Mapping[str, Sentence] = {
    "maintenance_began": lambda data: _at_evse(_("%(who)s put EVSE %(evse_id)s into maintenance."), data),
    "maintenance_ended": lambda data: _at_evse(
        _MAINTENANCE_ENDS.get(str(data.get("why")), _MAINTENANCE_ENDS["by_hand"]), data
    ),
    "manual_setpoint": _by_hand,
    "self_test": lambda data: _at_evse(_SELF_TESTS.get(str(data.get("outcome")), _SELF_TESTS["NoAnswer"]), data),
    "trial_began": lambda data: (
        _("%(who)s had %(what)s tried. %(url)s")
        % {"who": _person(data), "what": _what(data), "url": data.get("csms_url") or ""}
    ),
    "trial_kept": lambda data: _("This worked and is kept: %(what)s.") % {"what": _what(data)},
    "trial_taken_back": _taken_back,
    "firmware_requested": lambda data: (
        _("%(who)s asked for a firmware update from %(host)s.")
        % {"who": _person(data), "host": data.get("host") or "?"}
    ),
    "firmware_uploaded": lambda data: _("%(who)s uploaded a firmware.") % {"who": _person(data)},
    "firmware_refused": lambda data: _("A firmware update was refused: %(why)s.") % {"why": data.get("why") or "?"},
    "firmware_canceled": lambda data: _("The running firmware update was left for a newer one."),
    "firmware_download_retried": lambda data: (
        _("The firmware could not be downloaded and will be tried again: %(detail)s.")
        % {"detail": str(data.get("detail") or "?").rstrip(".")}
    ),
    "firmware_installed": lambda data: _("Firmware %(version)s is installed.") % {"version": data.get("version") or ""},
    "firmware_failed": lambda data: (
        _("The firmware update came to nothing: %(status)s. %(detail)s")
        % {"status": firmware_status(str(data.get("status") or "?")), "detail": data.get("detail") or ""}
    ),
    "certificate_installed": lambda data: (
        _("%(who)s installed a certificate: %(subject)s.") % {"subject": "?", **data, "who": _person(data)}
    ),
    "certificate_deleted": lambda data: (
        _("%(who)s deleted a certificate: %(subject)s.") % {"subject": "?", **data, "who": _person(data)}
    ),
    "certificate_requested": lambda data: (
        _("The station asked for a certificate for %(subject)s.") % {"subject": data.get("subject") or "?"}
    ),
    "certificate_request_failed": lambda data: (
        _("No request for a certificate could be made: %(detail)s.") % {"detail": data.get("detail") or "?"}
    ),
    "certificate_request_refused": lambda data: _("The operator's system refused the request for a certificate."),
    "station_certificate_refused": lambda data: (
        _("A certificate for the station was not taken: %(detail)s.") % {"detail": data.get("detail") or "?"}
    ),
    "station_certificate_installed": lambda data: (
        _("%(who)s brought a new certificate for the station: %(subject)s.")
        % {"subject": "?", **data, "who": _person(data)}
    ),
    "station_certificate_proven": lambda data: _("The station connected by its new certificate; the old one is gone."),
    "station_certificate_taken_back": lambda data: _(
        "No connection came up by the station's new certificate; the old one is in use again."
    ),
    "station_certificate_swapped": lambda data: (
        _("The station tries to connect by its new certificate.")
        if data.get("side") == "new"
        else _("The station tries to connect by its old certificate.")
    ),
    "csms_root_proven": lambda data: _("The operator's system proved itself by the new root; the old ones are gone."),
    "csms_root_swapped": lambda data: (
        _("The station tries to connect with the new root of the operator's system.")
        if data.get("side") == "new"
        else _("The station tries to connect with the old root of the operator's system.")
    ),
    "connection_set": lambda data: _("%(who)s set %(what)s.") % {"who": _person(data), "what": _what(data)},
}
