"""Whether an UpdateFirmware can be taken at all (L01.FR.21): where from, by whose word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from station.domain.firmware import certificate_flaw, signature_of
from station.ocpp.block import Payload


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer's status and reason, ``why`` for a person, and the security event that goes with it, if any."""

    status: str
    reason_code: str
    why: str
    security_event: str = ""

    def response(self) -> dict[str, object]:
        """UpdateFirmwareResponse."""
        info = {"reasonCode": self.reason_code, "additionalInfo": self.why[:512]}
        return {"status": self.status, "statusInfo": info}


def refusal(firmware: Payload, protocols: Iterable[str], roots: Iterable[str], at: datetime) -> Refusal | None:
    """Why this firmware cannot be taken, or None. A probe (``dummy://dummy``) is none of our URLs.

    ``protocols`` are those of OCPPCommCtrlr.FileTransferProtocols, ``roots`` the manufacturer's in PEM, ``at`` is now.
    """
    if flaw := flaw_of_location(firmware["location"], protocols):
        return Refusal("Rejected", "InvalidURL", flaw)
    return refusal_of_signer(firmware, roots, at)


def refusal_of_signer(firmware: Payload, roots: Iterable[str], at: datetime) -> Refusal | None:
    """Why nobody's word is good enough for this firmware, or None; ``roots`` and ``at`` as above."""
    flaw = "is missing"
    if certificate := firmware.get("signingCertificate"):
        flaw = certificate_flaw(certificate, roots, at)
    if flaw:  # L01.FR.02, L01.FR.22
        why = f"the signing certificate {flaw}"
        return Refusal("InvalidCertificate", "InvalidCertificate", why, "InvalidFirmwareSigningCertificate")
    try:
        signature_of(firmware.get("signature", ""))
    except ValueError as error:
        why = str(error) if firmware.get("signature") else "the signature is missing"
        return Refusal("Rejected", "InvalidValue", why, "InvalidFirmwareSignature")
    return None


def flaw_of_location(url: str, protocols: Iterable[str]) -> str:
    """What keeps ``url`` from being downloaded from; empty where nothing does. The URL itself is not repeated."""
    if not url.isprintable() or any(sign.isspace() for sign in url):
        return "the URL contains spaces or control characters"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "the URL cannot be read"
    if parts.scheme.upper() not in protocols:
        return f"the URL begins with none of {', '.join(protocol.lower() for protocol in protocols)}"
    return "" if host else "the URL names no host"
