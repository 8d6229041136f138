"""Whose word a firmware image is, and whether it is really theirs (L01.FR.04, L01.FR.12, L01.FR.21).

``cryptography.x509`` takes over a megabyte: it is loaded with the first certificate that there is to look at.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

RSA_BITS, EC_BITS = 2048, 224  # A00.FR.502, A00.FR.503
RECOMMENDED_HASHES = ("sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512")  # A00.FR.504


@dataclass(frozen=True, slots=True)
class RunningFirmware:
    """What runs at this moment.

    ``installation`` is the transfer that it came with (empty: the factory's code, or unknown). ``failed`` is the
    transfer whose firmware was tried last and taken back, and ``why`` a sentence about it. ``pending`` is the transfer
    whose firmware is ready and runs from the next reboot on.
    """

    version: str
    installation: str = ""
    failed: str = ""
    why: str = ""
    pending: str = ""


class _Flaw(Exception):
    """What is wrong, in words that follow the name of the thing."""


def certificate_flaw(pem: str, roots: Iterable[str], at: datetime) -> str:
    """Why nobody may sign firmware with this certificate; empty where nothing is wrong.

    ``roots`` are the installed manufacturer root certificates in PEM. One of them must have issued it itself: a
    manufacturer uses no intermediate certificates for firmware (L01, remarks). ``at`` is the station's time.
    """
    try:
        _check_signer(_certificate(pem), roots, at)
    except _Flaw as flaw:
        return str(flaw)
    return ""


def signature_of(text: str) -> bytes:
    """The signature behind its Base64; raises ValueError."""
    try:
        found = b64decode("".join(text.split()), validate=True)
    except NotBase64 as error:
        raise ValueError("the signature is not Base64") from error
    if not found:
        raise ValueError("the signature is empty")
    return found


def is_signed(pem: str, signature: bytes, digest: bytes) -> bool:
    """Whether ``signature`` is the certificate's own over a file with that SHA-256 (RSA-PSS or ECDSA, L01.FR.04)."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    prehashed = utils.Prehashed(hashes.SHA256())
    try:
        key = _certificate(pem).public_key()
        if isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
            key.verify(signature, digest, pss, prehashed)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, digest, ec.ECDSA(prehashed))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, _Flaw):
        return False
    return True


def _certificate(pem: str) -> x509.Certificate:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise _Flaw("is no certificate in PEM") from None
    if len(found) != 1:
        raise _Flaw(f"is not one certificate but {len(found)}; the manufacturer's root itself must have issued it")
    return found[0]


def _check_signer(certificate: x509.Certificate, roots: Iterable[str], at: datetime) -> None:
    _check_key(certificate)
    if at < certificate.not_valid_before_utc:
        raise _Flaw(f"is not valid before {certificate.not_valid_before_utc:%F %T} UTC")
    if at > certificate.not_valid_after_utc:
        raise _Flaw(f"expired on {certificate.not_valid_after_utc:%F %T} UTC")
    _check_extensions(certificate)
    _check_issuer(certificate, roots, at)


def _check_key(certificate: x509.Certificate) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = certificate.public_key()
        algorithm = certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        raise _Flaw("has a key or a signature of an unknown kind") from None
    if isinstance(key, rsa.RSAPublicKey):
        strong = key.key_size >= RSA_BITS
    elif isinstance(key, ec.EllipticCurvePublicKey):
        strong = key.key_size >= EC_BITS
    else:
        raise _Flaw("has a key that is neither RSA nor an elliptic curve's")
    if not strong:
        raise _Flaw(f"has a key of only {key.key_size} bits")
    if algorithm is None or algorithm.name not in RECOMMENDED_HASHES:
        raise _Flaw(f"is itself signed with {algorithm.name if algorithm else 'no hash'}, which is too weak")


def _check_extensions(certificate: x509.Certificate) -> None:
    """RFC 5280, 4.2: what is critical must be understood, and a key is used for what it is meant for only."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        extensions = list(certificate.extensions)
    except (ValueError, x509.DuplicateExtension):
        raise _Flaw("has extensions that cannot be read") from None
    for extension in extensions:
        value = extension.value
        if extension.critical and isinstance(value, x509.UnrecognizedExtension):
            raise _Flaw(f"has the critical extension {value.oid.dotted_string}, which is unknown here")
        if isinstance(value, x509.KeyUsage) and not value.digital_signature:
            raise _Flaw("is not meant for signatures (key usage)")
        if isinstance(value, x509.ExtendedKeyUsage):
            meant = (ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
            if not any(use in meant for use in value):
                raise _Flaw("is not meant for code (extended key usage)")


def _check_issuer(certificate: x509.Certificate, roots: Iterable[str], at: datetime) -> None:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    late = False
    for pem in roots:
        try:
            root = x509.load_pem_x509_certificate(pem.encode())
            certificate.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        if root.not_valid_before_utc <= at <= root.not_valid_after_utc:
            return
        late = True
    if late:
        raise _Flaw("comes from a manufacturer root that is not valid at this time")
    raise _Flaw("was issued by none of the installed manufacturer roots")
