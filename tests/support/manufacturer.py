"""A manufacturer: a root certificate, certificates that sign firmware, and signatures as L01.FR.04 asks for them."""

from __future__ import annotations

import base64
import datetime
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """One for all tests: making it takes long."""
    return rsa.generate_private_key(65537, bits)


def sha1_certificate(manufacturer: Manufacturer) -> str:
    """cryptography signs nothing with SHA-1 any more: one whose signature algorithm was changed by hand."""
    pem = manufacturer.signer().pem
    der = x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER)
    ecdsa_sha256, ecdsa_sha1 = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06072a8648ce3d0401")
    assert der.count(ecdsa_sha256) == 2
    # same length: a NULL byte moves into the sequence that follows
    changed = der.replace(b"\x30\x0a" + ecdsa_sha256, b"\x30\x0b" + ecdsa_sha1 + b"\x05\x00")
    return ssl_pem(changed)


def ssl_pem(der: bytes) -> str:
    import ssl

    return ssl.DER_cert_to_PEM_cert(der)


@dataclass
class Signer:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, content: bytes, *, salt: int | None = None) -> str:
        """Base64, over the SHA-256 of ``content``: ECDSA, or RSA-PSS with a salt of that length."""
        digest, prehashed = hashlib.sha256(content).digest(), utils.Prehashed(hashes.SHA256())
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            signature = self.key.sign(digest, ec.ECDSA(prehashed))
        else:
            length = padding.PSS.MAX_LENGTH if salt is None else salt
            signature = self.key.sign(digest, padding.PSS(padding.MGF1(hashes.SHA256()), length), prehashed)
        return base64.b64encode(signature).decode()


class Manufacturer:
    """Its root; ``signer`` issues certificates under it, good ones and such as nobody should trust."""

    def __init__(self, name: str = "Test Manufacturer", *, begin: Any = -1000 * DAY, end: Any = 3650 * DAY) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(f"{name} Root")
        self.root = self.issue(self.name, self.key.public_key(), self.name, begin=begin, end=end, ca=True)

    @property
    def pem(self) -> str:
        """The root certificate."""
        return self.root.public_bytes(serialization.Encoding.PEM).decode()

    def signer(
        self,
        key: Any = None,
        *,
        begin: datetime.timedelta = -1000 * DAY,
        end: datetime.timedelta = 365 * DAY,
        extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
        ca: bool = False,
    ) -> Signer:
        """A certificate under the root, valid from now plus ``begin`` to now plus ``end``."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = self.issue(
            _name("Firmware Signing"), key.public_key(), self.name, begin=begin, end=end, extensions=extensions, ca=ca
        )
        return Signer(certificate, key)

    def issue(
        self,
        subject: x509.Name,
        key: Any,
        issuer: x509.Name,
        *,
        begin: datetime.timedelta,
        end: datetime.timedelta,
        extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
        ca: bool = False,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + begin)
            .not_valid_after(NOW + end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Manufacturer"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def key_usage(**on: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: on.get(name, False) for name in names})
