"""Certificates from outside, good and bad."""

from __future__ import annotations

import datetime
import ipaddress
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def key(kind: str = "P-256") -> Any:
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    return ec.generate_private_key({"P-256": ec.SECP256R1(), "P-192": ec.SECP192R1(), "P-384": ec.SECP384R1()}[kind])


class Made:
    """A certificate, its key, and who issued it."""

    def __init__(
        self,
        name: str,
        issuer: Made | None = None,
        *,
        kind: str = "P-256",
        ca: bool = False,
        days: tuple[int, int] = (-10, 90),
        names: tuple[str, ...] = ("station.example.com",),
        usage: Any = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> None:
        self.key = key(kind)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + days[0] * DAY)
            .not_valid_after(NOW + days[1] * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names and not ca:
            found = [x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(found), critical=False)
        if usage is not None and not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        signer = issuer.key if issuer else self.key
        self.certificate = builder.sign(signer, None if kind == "ed25519" and not issuer else hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, password: str = "", form: Any = serialization.PrivateFormat.PKCS8) -> bytes:
        shut: Any = (
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        )
        return bytes(self.key.private_bytes(serialization.Encoding.PEM, form, shut))


ROOT = Made("Root", ca=True, days=(-1000, 1000))
MIDDLE = Made("Middle", ROOT, ca=True, days=(-500, 500))
LEAF = Made("station.example.com", MIDDLE)
