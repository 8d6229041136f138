"""Installed certificates, as a person wants to read them. ``cryptography`` is loaded when somebody does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from station.domain.certificates import CertificateUse
from station.store.models import Certificate as Row
from station.store.models import JournalEntry, Remembered
from webui import installer_words, words

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

REQUEST = "certificate_request"  # remembered by the station while it waits for a signature
HISTORY = 12
KINDS = (
    "certificate_installed",
    "certificate_deleted",
    "certificate_requested",
    "certificate_request_failed",
    "certificate_request_refused",
    "csms_root_proven",
    "csms_root_swapped",
    "station_certificate_refused",
    "station_certificate_installed",
    "station_certificate_proven",
    "station_certificate_taken_back",
    "station_certificate_swapped",
)
SOON, VERY_SOON = timedelta(days=30), timedelta(days=7)
GROUPS = (
    CertificateUse.CHARGING_STATION,
    CertificateUse.CSMS_ROOT,
    CertificateUse.MANUFACTURER_ROOT,
    CertificateUse.V2G_ROOT,
    CertificateUse.MO_ROOT,
    CertificateUse.V2G_CHAIN,
)


@dataclass(frozen=True, slots=True)
class Link:
    """One certificate of a chain. ``part``: of its validity, per cent that is left."""

    name: str
    subject: str
    issuer: str
    key: str
    serial: str
    fingerprint: str
    begins: datetime
    ends: datetime
    days: int
    part: int
    tone: str
    names: str = ""  # subjectAltName


@dataclass(frozen=True, slots=True)
class Shown:
    """An installed certificate. ``chain`` begins with what is nearest to the root, where that is installed with it.

    ``anchor`` is the name of what issued the topmost; ``anchored``: it is installed here. ``kept``: why it cannot be
    deleted. ``flaw``: it cannot be read.
    """

    certificate_id: str
    use: CertificateUse
    installed: datetime
    leaf: Link | None = None
    chain: tuple[Link, ...] = ()
    anchor: str = ""
    anchored: bool = False
    kept: str = ""
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """All certificates for one use."""

    use: CertificateUse
    title: str
    shown: list[Shown] = field(default_factory=list)


def groups() -> list[Group]:
    """By use; those for a use that nothing is installed for are left out, but the first two."""
    rows = list(Row.objects.all())
    roots = [row for row in rows if row.use == CertificateUse.CSMS_ROOT]
    found = [
        Group(use, installer_words.use(use), [_shown(row, roots) for row in rows if row.use == use]) for use in GROUPS
    ]
    return [group for group in found if group.shown or group.use in GROUPS[:2]]


def _shown(row: Row, roots: list[Row]) -> Shown:
    use = CertificateUse(row.use)
    kept = ""
    if use is CertificateUse.CSMS_ROOT and len(roots) == 1:
        kept = _(
            "This is the last root for the operator's system. Without one no system could prove itself to the station "
            "any more, so it cannot be deleted. Install another one first."
        )
    try:
        chain = [_read(pem) for pem in row.chain]
        top = chain[-1]
    except (ValueError, TypeError, IndexError):
        return Shown(row.certificate_id, use, row.installed, kept=kept, flaw=_("This certificate cannot be read."))
    self_signed = top.issuer == top.subject
    anchor = None if self_signed else _issuer_among(top, roots)
    links = [_link(one) for one in reversed(chain)]
    return Shown(
        row.certificate_id,
        use,
        row.installed,
        leaf=links[-1],
        chain=tuple(links),
        anchor="" if self_signed else _short(anchor.subject if anchor is not None else top.issuer),
        anchored=anchor is not None,
        kept=kept,
    )


def _issuer_among(certificate: Certificate, roots: list[Row]) -> Certificate | None:
    for row in roots:
        try:
            root = _read(row.chain[0])
        except (ValueError, TypeError, IndexError):
            continue
        if root.subject == certificate.issuer:
            return root
    return None


def _read(pem: str) -> Certificate:
    """Raises ValueError or TypeError."""
    from cryptography import x509

    return x509.load_pem_x509_certificate(str(pem).encode())


def _link(certificate: Certificate) -> Link:
    from cryptography.hazmat.primitives import hashes

    begins, ends, now = certificate.not_valid_before_utc, certificate.not_valid_after_utc, timezone.now()
    left, whole = ends - now, max(ends - begins, timedelta(days=1))
    tone = "bad" if left < VERY_SOON or now < begins else "wait" if left < SOON else "good"
    return Link(
        name=_short(certificate.subject),
        subject=certificate.subject.rfc4514_string() or "–",
        issuer=certificate.issuer.rfc4514_string() or "–",
        key=_key(certificate),
        serial=_pairs(f"{certificate.serial_number:x}"),
        fingerprint=_pairs(certificate.fingerprint(hashes.SHA256()).hex()),
        begins=begins,
        ends=ends,
        days=left.days,
        part=max(0, min(100, round(100 * (left / whole)))),
        tone=tone,
        names=_names(certificate),
    )


def _short(name: Name) -> str:
    """The commonName, or the whole name where there is none."""
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string() or "–"


def _key(certificate: Certificate) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return _("unknown")
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _("Elliptic curve %(name)s") % {
            "name": {"secp256r1": "P-256", "secp384r1": "P-384"}.get(key.curve.name, key.curve.name)
        }
    if isinstance(key, rsa.RSAPublicKey):
        return _("RSA, %(bits)d bits") % {"bits": key.key_size}
    return type(key).__name__.removesuffix("PublicKey")


def _names(certificate: Certificate) -> str:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    return ", ".join(str(name.value) for name in found)


def _pairs(digits: str) -> str:
    padded = digits.zfill(len(digits) + len(digits) % 2)
    return ":".join(padded[at : at + 2] for at in range(0, len(padded), 2)).upper()


# ---------------------------------------------------------------------- a request for a certificate


@dataclass(frozen=True, slots=True)
class Pending:
    """A certificate signing request that waits for its answer."""

    csr: str


def pending() -> Pending | None:
    """What is waited for; None: nothing."""
    row = Remembered.objects.filter(key=REQUEST).first()
    if row is None or not isinstance(row.value, dict):
        return None
    return Pending(str(row.value.get("csr") or ""))


def history() -> list[tuple[datetime, str]]:
    """What became of certificates lately, newest first."""
    rows = JournalEntry.objects.filter(kind__in=KINDS).order_by("-id")[:HISTORY]
    return [(row.at, words.event(row.kind, row.data if isinstance(row.data, dict) else {})) for row in rows]
