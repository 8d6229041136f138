"""What the connection doctor finds on the way to a CSMS, step by step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from station.domain.network import FailureCause


class StepName(StrEnum):
    """The steps in their order."""

    CONFIGURATION = "configuration"  # what the station itself needs
    NAME = "name"  # the host's address
    TCP = "tcp"
    TLS = "tls"  # version, cipher suite, certificates
    AUTHENTICATION = "authentication"  # the HTTP upgrade with identity and password
    SUBPROTOCOL = "subprotocol"
    BOOT = "boot"


class Outcome(StrEnum):
    """How a step ended. After ``FAILED`` nothing more is tried."""

    PASSED = "passed"
    WARNED = "warned"  # it works, but somebody should see to it
    FAILED = "failed"
    SKIPPED = "skipped"  # not needed, or not to be tried


@dataclass(frozen=True, slots=True)
class SeenCertificate:
    """One certificate of the CSMS's chain, the CSMS's own first. Times are RFC 3339, ``days_left`` from now."""

    subject: str
    issuer: str
    begins: str
    ends: str
    days_left: int
    key: str  # "EC 256"
    names: tuple[str, ...] = ()  # subjectAltName


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``says`` is what was found and ``advice`` what to do about it, each a sentence for a person.

    Neither ever holds a secret. ``seconds`` is how long it took.
    """

    name: StepName
    outcome: Outcome
    seconds: float
    says: str
    advice: str = ""
    cause: FailureCause | None = None
    certificates: tuple[SeenCertificate, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A walk to a CSMS, under way or over. ``slot`` None: a URL that somebody wanted tried."""

    diagnosis_id: str
    csms_url: str
    security_profile: int
    slot: int | None
    begun: str  # RFC 3339
    steps: tuple[Step, ...] = ()
    over: bool = False

    @property
    def verdict(self) -> str:
        """One sentence on the whole; empty while it is under way."""
        if not self.over:
            return ""
        wrong = next((step for step in self.steps if step.outcome is Outcome.FAILED), None)
        if wrong is not None:
            return wrong.says
        odd = next((step for step in self.steps if step.outcome is Outcome.WARNED), None)
        return f"It works, but: {odd.says}" if odd else "The connection works."

    def as_json(self) -> dict[str, Any]:
        """As it is remembered and shown: dictionaries and lists, with ``verdict``."""
        return {**asdict(self), "verdict": self.verdict}
