"""What the connection doctor found, ready for a page; from the live view while it looks, from the store later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.domain.diagnosis import Outcome, StepName
from station.domain.moment import parse_rfc3339
from station.store.models import Remembered

LAST = "connection_diagnosis"  # remembered by the station: the last one that came to its end

_STEPS: Mapping[str, Any] = {  # in their order
    StepName.CONFIGURATION: gettext_lazy("Settings of the station"),
    StepName.NAME: gettext_lazy("Name of the server (DNS)"),
    StepName.TCP: gettext_lazy("Way to the server (TCP)"),
    StepName.TLS: gettext_lazy("Encryption and certificates (TLS)"),
    StepName.AUTHENTICATION: gettext_lazy("Identity and password"),
    StepName.SUBPROTOCOL: gettext_lazy("Language (OCPP 2.0.1)"),
    StepName.BOOT: gettext_lazy("Registration"),
}
_TONES: Mapping[str, str] = {
    Outcome.PASSED: "good",
    Outcome.WARNED: "wait",
    Outcome.FAILED: "bad",
    Outcome.SKIPPED: "off",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """One of the server's chain, the server's own first."""

    subject: str
    issuer: str
    ends: str
    days_left: int
    key: str
    names: str
    tone: str


@dataclass(frozen=True, slots=True)
class Step:
    """``outcome`` is empty for one that has not been taken; ``running``: it is being taken now."""

    label: str
    outcome: str = ""
    tone: str = "off"
    seconds: float = 0.0
    says: str = ""
    advice: str = ""
    certificates: tuple[Certificate, ...] = ()
    running: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``verdict`` and ``advice`` are one sentence each; both are empty while it looks."""

    csms_url: str
    security_profile: int
    slot: int | None
    begun: datetime
    over: bool
    verdict: str
    advice: str
    tone: str
    steps: tuple[Step, ...]


def last() -> Diagnosis | None:
    """The last one that came to its end."""
    row = Remembered.objects.filter(key=LAST).first()
    return read(row.value) if row is not None else None


def read(told: Any) -> Diagnosis | None:
    """What ``station.domain.diagnosis.Diagnosis.as_json`` says; None where it is none, or one of another version."""
    try:
        taken = {str(step["name"]): _step(step) for step in told["steps"]}
        over = bool(told["over"])
        ends = next((step for step in taken.values() if step.outcome == Outcome.FAILED), None)
        odd = next((step for step in taken.values() if step.outcome == Outcome.WARNED), None)
        return Diagnosis(
            str(told["csms_url"]),
            int(told["security_profile"]),
            None if told["slot"] is None else int(told["slot"]),
            timezone.localtime(parse_rfc3339(told["begun"])),
            over,
            str(told["verdict"]),
            (ends or odd or Step("")).advice if over else "",
            "off" if not over else "bad" if ends else "wait" if odd else "good",
            _all(taken, over=over),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _all(taken: Mapping[str, Step], *, over: bool) -> tuple[Step, ...]:
    """Every step in its order: those that were taken, the one that is being taken, and those to come."""
    found: list[Step] = []
    waits = not over
    for name, label in _STEPS.items():
        if name in taken:
            found.append(taken[name])
        else:
            found.append(Step(str(label), running=waits))
            waits = False
    return tuple(found)


def _step(told: Mapping[str, Any]) -> Step:
    name, outcome = str(told["name"]), str(told["outcome"])
    return Step(
        str(_STEPS.get(name, name)),
        outcome,
        _TONES.get(outcome, "off"),
        float(told["seconds"]),
        str(told["says"]),
        str(told["advice"]),
        tuple(_certificate(one) for one in told["certificates"]),
    )


def _certificate(told: Mapping[str, Any]) -> Certificate:
    days = int(told["days_left"])
    return Certificate(
        str(told["subject"]),
        str(told["issuer"]),
        f"{timezone.localtime(parse_rfc3339(told['ends'])):%Y-%m-%d}",
        days,
        str(told["key"]),
        ", ".join(str(name) for name in told["names"]) or _("none"),
        "bad" if days < 0 else "wait" if days < 14 else "good",
    )
