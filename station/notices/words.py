"""What a notice says, in the language that people have chosen for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from station.domain.moment import parse_rfc3339

CODES: Mapping[str, Any] = {
    "GroundFailure": gettext_lazy("Current is leaking to earth."),
    "OverCurrent": gettext_lazy("A car drew more current than it was offered."),
    "OverTemperature": gettext_lazy("The station is too hot."),
    "ControlPilotFault": gettext_lazy("The signal line to the car is disturbed."),
    "ContactorWelded": gettext_lazy("The contactor does not open. Do not use this charging point."),
    "PowerLoss": gettext_lazy("The board has no supply."),
    "ConnectorLockFailure": gettext_lazy("The lock does not hold the cable."),
}


def headline(facts: Mapping[str, Any]) -> str:
    """What is wrong, or was."""
    match facts.get("kind"):
        case "fault":
            return _("Fault at charging point %(evse)s") % {"evse": facts.get("evse") or "?"}
        case "board":
            return _("The station's board does not answer")
        case "csms":
            return _("The operator's system cannot be reached")
        case "tamper":
            return _("The station's housing was opened")
        case "firmware":
            return _("A firmware update came to nothing")
    return _("A test, to see whether notices arrive")


def details(facts: Mapping[str, Any]) -> list[str]:
    """Sentences on what is wrong and what to do about it."""
    codes = facts.get("codes") or []
    match facts.get("kind"):
        case "fault":
            found = [str(CODES.get(code) or _("Fault: %(word)s.") % {"word": code}) for code in codes]
            return [*found, _("Nobody can charge there until it is gone.")]
        case "board":
            return [_("Nobody can charge. Check the supply of the station and its circuit breaker.")]
        case "csms":
            return [_("Sessions go on and nothing is lost; what has to be told waits. Check the station's network.")]
        case "tamper":
            return [_("If nobody works on the station, have a look at it.")]
        case "firmware":
            return [_("The station goes on with the firmware that it had.")]
    return [_("All is well: this is what a notice of this station looks like.")]


def moment(text: Any) -> datetime | None:
    """The local time behind a text of the facts."""
    try:
        return timezone.localtime(parse_rfc3339(str(text))) if text else None
    except (ValueError, OverflowError):
        return None


def _when(text: Any) -> str:
    at = moment(text)
    return date_format(at, "j M Y, H:i") if at else "?"


class Message:
    """A notice ready to be sent: ``subject`` and ``body`` for people, ``data`` for machines."""

    def __init__(self, what: str, facts: Mapping[str, Any], *, name: str, language: str) -> None:
        with translation.override(language):
            head = headline(facts)
            over = what == "end"
            self.subject = _("%(name)s: over: %(what)s") if over else _("%(name)s: %(what)s")
            self.subject %= {"name": name, "what": head}
            self.body = "\n".join(
                [*self._lines(what, facts, head), "", _("Charging station %(name)s") % {"name": name}]
            )
        self.data: dict[str, Any] = {
            "station": name,
            "event": {"begin": "trouble", "end": "resolved"}.get(what, what),
            "kind": str(facts.get("kind") or "test"),
            "evse": facts.get("evse"),
            "codes": list(facts.get("codes") or ()),
            "since": facts.get("since"),
            "ended": facts.get("ended"),
            "times": facts.get("times", 1),
            "text": self.subject,
        }

    @staticmethod
    def _lines(what: str, facts: Mapping[str, Any], head: str) -> list[str]:
        if what == "test":
            return [f"{head}.", *details(facts)]
        span = {"since": _when(facts.get("since")), "ended": _when(facts.get("ended"))}
        if what == "end":
            return [_("This is over: %(what)s.") % {"what": head}, _("From %(since)s to %(ended)s.") % span]
        lines = [f"{head}.", *details(facts)]
        if facts.get("ended"):
            lines.append(_("From %(since)s to %(ended)s; it is over again.") % span)
        else:
            lines.append(_("Since %(since)s.") % span)
        times = facts.get("times") or 1
        if times > 1:
            lines.append(ngettext("It came %(times)s time.", "It came %(times)s times.", times) % {"times": times})
        return lines
