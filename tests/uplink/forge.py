"""Certificates, good and as bad as they come: each made of its parts, with an issuer of one's choice."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

PEM = serialization.Encoding.PEM
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def today() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """One for a whole test run: they take long."""
    return rsa.generate_private_key(65537, bits)


def ec_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


@dataclass(frozen=True)
class Made:
    """A certificate with its private key, and who signed it (None: itself)."""

    certificate: x509.Certificate
    key: Key
    issuer: Made | None = None

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(PEM).decode()

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def chain(self) -> list[Made]:
        """From here up to what the root has signed; a root stands alone."""
        if self.issuer is None or self.issuer.issuer is None:
            return [self]
        return [self, *self.issuer.chain()]


def make(
    common_name: str | None,
    issuer: Made | None = None,
    *,
    names: Iterable[str | x509.GeneralName] = (),
    key: Key | None = None,
    ca: bool | None = False,
    path_length: int | None = None,
    begins: float = -400,
    ends: float = 400,
    digest: hashes.HashAlgorithm | None = None,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    signed_by: Key | None = None,
) -> Made:
    """A certificate. ``names``: subjectAltName; ``ca`` None: no basicConstraints; ``begins``, ``ends``: days from now.

    ``signed_by`` signs in the place of the issuer.
    """
    key = key or ec_key()
    subject = _name(common_name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today() + datetime.timedelta(days=begins))
        .not_valid_after(today() + datetime.timedelta(days=ends))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
    if names := list(names):
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Made(builder.sign(signed_by or (issuer.key if issuer else key), digest or hashes.SHA256()), key, issuer)


def usage(**on: bool) -> tuple[x509.KeyUsage, bool]:
    """A critical keyUsage with only what is ``on``."""
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: on.get(name, False) for name in names}), True


def ocsp_at(url: str) -> tuple[x509.AuthorityInformationAccess, bool]:
    location = x509.UniformResourceIdentifier(url)
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, location)]
    ), False


def crl_at(url: str) -> tuple[x509.CRLDistributionPoints, bool]:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return x509.CRLDistributionPoints([point]), False


def server_context(
    shown: Made | None,
    *,
    chain: Iterable[Made] | None = None,
    ciphers: str = "",
    oldest: ssl.TLSVersion | None = None,
    newest: ssl.TLSVersion | None = None,
    asks_for: Iterable[Made] = (),
    **attributes: Any,
) -> ssl.SSLContext:
    """A TLS server that shows ``shown`` with its chain (or ``chain``) and, with ``asks_for``, wants a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers or "DEFAULT")
    if oldest:
        context.minimum_version = oldest
    if newest:
        context.maximum_version = newest
    if shown is not None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "all.pem"
            pems = "".join(one.pem for one in (chain if chain is not None else shown.chain()))
            file.write_bytes(shown.key_pem + pems.encode())
            context.load_cert_chain(file)
    for root in asks_for:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=root.pem)
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


def _name(common_name: str | None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")]
    if common_name is not None:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def _general(name: str | x509.GeneralName) -> x509.GeneralName:
    if not isinstance(name, str):
        return name
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


_SHA256_RSA = bytes.fromhex("06092a864886f70d01010b")
_OUTDATED = {"sha1": bytes.fromhex("06092a864886f70d010105"), "md5": bytes.fromhex("06092a864886f70d010104")}


def outdated(made: Made, digest: hashes.HashAlgorithm) -> Made:
    """The same certificate signed with SHA-1 or MD5, which no library does any more; the issuer's key is RSA."""
    assert made.issuer is not None
    assert isinstance(made.issuer.key, rsa.RSAPrivateKey)
    old, new = made.certificate.public_bytes(serialization.Encoding.DER), _OUTDATED[digest.name]
    tbs = made.certificate.tbs_certificate_bytes.replace(_SHA256_RSA, new)
    signature = made.issuer.key.sign(tbs, padding.PKCS1v15(), digest)
    der = old.replace(_SHA256_RSA, new).replace(made.certificate.signature, signature)
    return Made(x509.load_der_x509_certificate(der), made.key, made.issuer)
