"""Certificates as the station keeps them, and what a connection needs of them (A00, A02, M03 to M05)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CertificateUse(StrEnum):
    """What a certificate is for: GetCertificateIdUseEnumType, and the station's own one."""

    CSMS_ROOT = "CSMSRootCertificate"
    MANUFACTURER_ROOT = "ManufacturerRootCertificate"
    V2G_ROOT = "V2GRootCertificate"
    MO_ROOT = "MORootCertificate"
    V2G_CHAIN = "V2GCertificateChain"
    CHARGING_STATION = "ChargingStationCertificate"


ROOTS = frozenset(
    {CertificateUse.CSMS_ROOT, CertificateUse.MANUFACTURER_ROOT, CertificateUse.V2G_ROOT, CertificateUse.MO_ROOT}
)


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """One installed certificate, with what hangs on it.

    ``certificate_id`` is ``use`` and the SHA-256 fingerprint of the first certificate, so that the same one for two
    uses is there twice. ``chain`` holds PEM texts, the certificate itself first; a root stands alone. ``key`` says
    where its private key is (empty: none here): the name of a file in the folder of keys, or a PKCS#11 URI (RFC 7512).
    """

    certificate_id: str
    use: CertificateUse
    chain: tuple[str, ...]
    installed: datetime
    key: str = ""


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """What TLS towards a CSMS or a file server needs: PEM texts, and ``key`` as in ``StoredCertificate``.

    Without a certificate of the station's own, ``chain`` and ``key`` are empty.
    """

    roots: tuple[str, ...]
    chain: tuple[str, ...] = ()
    key: str = ""
