"""Certificates for tests: a root of one's own and what it signs."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from station.domain.certificates import CertificateUse, StoredCertificate, TlsMaterial
from station.domain.pki import certificate_id

PEM = serialization.Encoding.PEM
NOW = datetime.datetime.now(datetime.UTC)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


class Authority:
    """A certificate authority with an EC key (P-256)."""

    def __init__(self, common_name: str = "Test Root", days: int = 3650) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._sign(common_name, self._key, _name(common_name), ca=True, days=days)

    @property
    def root(self) -> str:
        """The root certificate in PEM."""
        return self._certificate.public_bytes(PEM).decode()

    def installed(self, use: CertificateUse = CertificateUse.CSMS_ROOT) -> StoredCertificate:
        """The root certificate as the station keeps it."""
        return StoredCertificate(certificate_id(use, self.root), use, (self.root,), NOW)

    def write_root(self, path: Path) -> Path:
        """The root certificate as a PEM file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._certificate.public_bytes(PEM))
        return path

    def issue(self, folder: Path, common_name: str, *, names: list[str] | None = None, days: int = 30) -> Path:
        """A certificate for ``common_name`` (``names`` as subjectAltName) as chain.pem and key.pem in ``folder``."""
        certificate, key = self.pair(common_name, names=names, days=days)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "chain.pem").write_bytes(certificate.public_bytes(PEM))
        (folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return folder

    def pair(
        self, common_name: str, *, names: list[str] | None = None, days: int = 30, since: int = -400
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """A certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._sign(common_name, key, self._certificate.subject, names=names or [], days=days, since=since), key

    def own(self, common_name: str = "CS001", *, days: int = 30, since: int = -400) -> StoredCertificate:
        """A certificate of the station's own as the station keeps it; nobody has the key."""
        certificate, _ = self.pair(common_name, days=days, since=since)
        use, pem = CertificateUse.CHARGING_STATION, certificate.public_bytes(PEM).decode()
        return StoredCertificate(certificate_id(use, pem), use, (pem,), NOW, "station.pem")

    def _sign(
        self,
        common_name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: x509.Name,
        *,
        ca: bool = False,
        names: list[str] | None = None,
        days: int = 30,
        since: int = -400,  # days; the rigs' virtual clock is behind
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + datetime.timedelta(days=since))
            .not_valid_after(NOW + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        return builder.sign(self._key, hashes.SHA256())


def material(folder: Path, *roots: str) -> TlsMaterial:
    """What a station with these roots has, and with the certificate in ``folder`` (see ``issue``), if it is there.

    The folder serves as that of keys, too.
    """
    chain = folder / "chain.pem"
    return TlsMaterial(roots, (chain.read_text(),), "key.pem") if chain.exists() else TlsMaterial(roots)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
