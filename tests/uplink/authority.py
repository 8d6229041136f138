"""Certificates for tests: a root of one's own and what it signs, good and bad."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from station.domain.certificates import CertificateUse, StoredCertificate, TlsMaterial
from station.domain.pki import certificate_id

PEM = serialization.Encoding.PEM
NOW = datetime.datetime.now(datetime.UTC)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def name(common_name: str, organization: str = "Test") -> x509.Name:
    """A subject; what is empty is left out."""
    parts = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common_name)]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


class Authority:
    """A certificate authority: a root, or below ``issuer``. Its key is of P-256 unless one is given.

    ``since`` and ``days`` are days from ``now``, which the rigs' virtual clock has an idea of its own of.
    """

    def __init__(
        self,
        common_name: str = "Test Root",
        days: int = 3650,
        *,
        since: int = -400,
        issuer: Authority | None = None,
        key: Key | None = None,
        ca: bool | None = True,
        path_length: int | None = None,
        extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
        now: datetime.datetime | None = None,
    ) -> None:
        self.now = now or (issuer.now if issuer else NOW)
        self.key: Key = key or ec.generate_private_key(ec.SECP256R1())
        self._subject = name(common_name)
        signer = issuer or self
        self.certificate: x509.Certificate
        self.certificate = signer.certify(
            self.key.public_key(),
            self._subject,
            ca=ca,
            path_length=path_length,
            days=days,
            since=since,
            extensions=extensions,
        )

    @property
    def root(self) -> str:
        """The authority's own certificate in PEM."""
        return pem(self.certificate)

    def installed(self, use: CertificateUse = CertificateUse.CSMS_ROOT) -> StoredCertificate:
        """The root certificate as the station keeps it."""
        return StoredCertificate(certificate_id(use, self.root), use, (self.root,), NOW)

    def write_root(self, path: Path) -> Path:
        """The root certificate as a PEM file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.root)
        return path

    def issue(self, folder: Path, common_name: str, *, names: list[str] | None = None, days: int = 30) -> Path:
        """A certificate for ``common_name`` (``names`` as subjectAltName) as chain.pem and key.pem in ``folder``."""
        certificate, key = self.pair(common_name, names=names, days=days)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "chain.pem").write_text(pem(certificate))
        (folder / "key.pem").write_bytes(private_pem(key))
        return folder

    def pair(
        self, common_name: str, *, names: list[str] | None = None, days: int = 30, since: int = -400
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """A certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        extensions = [(x509.SubjectAlternativeName([_general(one) for one in names]), False)] if names else []
        return self.certify(key.public_key(), name(common_name), days=days, since=since, extensions=extensions), key

    def own(self, common_name: str = "CS001", *, days: int = 30, since: int = -400) -> StoredCertificate:
        """A certificate of the station's own as the station keeps it; nobody has the key."""
        certificate, _ = self.pair(common_name, days=days, since=since)
        return own_record(certificate, "station.pem")

    def sign(self, csr: str, *, subject: x509.Name | None = None, days: int = 365, since: int = -400, **flaws) -> str:
        """What a certificate authority makes of a request: a certificate in PEM; ``flaws`` as in ``certify``."""
        request = x509.load_pem_x509_csr(csr.encode())
        assert request.is_signature_valid
        return pem(self.certify(request.public_key(), subject or request.subject, days=days, since=since, **flaws))

    def certify(
        self,
        public_key,
        subject: x509.Name,
        *,
        ca: bool | None = False,
        path_length: int | None = None,
        days: int = 30,
        since: int = -400,
        extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    ) -> x509.Certificate:
        """A certificate; ``ca`` None leaves basicConstraints out."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + datetime.timedelta(days=since))
            .not_valid_after(self.now + datetime.timedelta(days=days))
        )
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())


def own_record(certificate: x509.Certificate, key: str, *others: x509.Certificate) -> StoredCertificate:
    """A certificate of the station's own as the station keeps it."""
    use, chain = CertificateUse.CHARGING_STATION, tuple(pem(one) for one in (certificate, *others))
    return StoredCertificate(certificate_id(use, chain[0]), use, chain, NOW, key)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(PEM).decode()


def private_pem(key: Key) -> bytes:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def usage(**on: bool) -> tuple[x509.KeyUsage, bool]:
    """A critical keyUsage with only what is ``on``."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{one: on.get(one, False) for one in names}), True


def material(folder: Path, *roots: str) -> TlsMaterial:
    """What a station with these roots has, and with the certificate in ``folder`` (see ``issue``), if it is there.

    The folder serves as that of keys, too.
    """
    chain = folder / "chain.pem"
    return TlsMaterial(roots, (chain.read_text(),), "key.pem") if chain.exists() else TlsMaterial(roots)


def _general(one: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(one))
    except ValueError:
        return x509.DNSName(one)


_SHA256_RSA, _SHA1_RSA = bytes.fromhex("06092a864886f70d01010b"), bytes.fromhex("06092a864886f70d010105")


def with_sha1(certificate: x509.Certificate, issuer: rsa.RSAPrivateKey) -> x509.Certificate:
    """The same certificate signed by way of SHA-1, which no library does any more; the issuer's key is RSA."""
    tbs = certificate.tbs_certificate_bytes.replace(_SHA256_RSA, _SHA1_RSA)
    signature = issuer.sign(tbs, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - that is the point
    der = certificate.public_bytes(serialization.Encoding.DER).replace(_SHA256_RSA, _SHA1_RSA)
    return x509.load_der_x509_certificate(der.replace(certificate.signature, signature))
