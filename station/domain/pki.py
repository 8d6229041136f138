"""What stands in a certificate, as far as the station goes by it (RFC 5280).

``cryptography.x509`` takes over a megabyte, which a station that has no certificate to look at need not carry: it is
loaded with the first one.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from binascii import Error as NotBase64
from datetime import datetime

from station.domain.certificates import CertificateUse

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def der(pem: str) -> bytes:
    """The certificate behind one PEM text; raises ValueError."""
    _, begun, rest = pem.partition(BEGIN)
    body, ended, _ = rest.partition(END)
    if not begun or not ended:
        raise ValueError("this is no certificate in PEM")
    try:
        return b64decode("".join(body.split()), validate=True)
    except NotBase64 as error:
        raise ValueError("this is no certificate in PEM") from error


def certificate_id(use: CertificateUse, pem: str) -> str:
    """The id that a ``StoredCertificate`` has; raises ValueError."""
    return f"{use}:{hashlib.sha256(der(pem)).hexdigest()}"


def key_name(public_key: bytes) -> str:
    """The file of one of the station's private keys, named after the public one (SubjectPublicKeyInfo in DER)."""
    return f"station-{hashlib.sha256(public_key).hexdigest()[:32]}.pem"


def validity(pem: str) -> tuple[datetime, datetime]:
    """From when until when a certificate is valid, in UTC; raises ValueError."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(pem.encode())
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc
