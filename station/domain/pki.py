"""What stands in certificates, and whether it is good: as far as the station goes by it (RFC 5280; A00.FR.501 ff.).

``cryptography.x509`` takes over a megabyte, which a station that has no certificate to look at need not carry: it is
loaded with the first one.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from station.domain.certificates import CertificateUse

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
LONGEST_CHAIN = 8  # certificates; nobody's hierarchy is that deep
WEAKEST_RSA, WEAKEST_CURVE = 2048, 224  # bits: A00.FR.502, A00.FR.503
HASH_ALGORITHMS = ("SHA256", "SHA384", "SHA512")  # HashAlgorithmEnumType
# A certificate made this second must not fail because the CSMS's clock is ahead (A02.FR.06, note of the errata).
CLOCKS_APART = timedelta(seconds=5)
_BROKEN_HASHES = ("md2", "md4", "md5", "sha1")  # A00.FR.504
_BLOCK = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)


class BadCertificate(ValueError):
    """A certificate that cannot be used; the text says what is wrong with it, as part of a sentence."""


# ------------------------------------------------------------------ reading


def der(pem: str) -> bytes:
    """The certificate behind one PEM text; raises BadCertificate."""
    _, begun, rest = pem.partition(BEGIN)
    body, ended, _ = rest.partition(END)
    if not begun or not ended:
        raise BadCertificate("this is no certificate in PEM")
    try:
        return b64decode("".join(body.split()), validate=True)
    except NotBase64 as error:
        raise BadCertificate("this is no certificate in PEM") from error


def split(text: str) -> tuple[str, ...]:
    """The PEM texts of a chain, each with its final newline; raises BadCertificate where there is none.

    Comments between the certificates, as OpenSSL writes them, are left out; a private key is refused.
    """
    if "PRIVATE KEY" in text:
        raise BadCertificate("this holds a private key, which must not travel")
    blocks = _BLOCK.findall(text)
    if not blocks or text.count(BEGIN) != len(blocks):
        raise BadCertificate("this is no certificate in PEM")
    if len(blocks) > LONGEST_CHAIN:
        raise BadCertificate(f"the chain has more than {LONGEST_CHAIN} certificates")
    return tuple(f"{block}\n" for block in blocks)


def read(pem: str) -> Certificate:
    """The certificate behind one PEM text; raises BadCertificate."""
    from cryptography import x509

    with judging("it cannot be read"):
        certificate = x509.load_der_x509_certificate(der(pem))
        certificate.public_key()  # what is looked at lazily is looked at now
        certificate.extensions  # noqa: B018 - likewise
    return certificate


def pem(certificate: Certificate) -> str:
    """The certificate in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


@contextmanager
def judging(flaw: str) -> Iterator[None]:
    """What ``cryptography`` raises of a certificate from outside becomes BadCertificate."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        yield
    except BadCertificate:
        raise
    except (
        ValueError,
        TypeError,
        InvalidSignature,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise BadCertificate(flaw) from error


# ------------------------------------------------------------------ naming


def certificate_id(use: CertificateUse, pem: str) -> str:
    """The id that a ``StoredCertificate`` has; raises BadCertificate."""
    return f"{use}:{hashlib.sha256(der(pem)).hexdigest()}"


def public_key(certificate: Certificate) -> bytes:
    """SubjectPublicKeyInfo in DER."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def requested_key(csr: str) -> bytes:
    """The public key of a certificate signing request in PEM, as SubjectPublicKeyInfo in DER; raises BadCertificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    with judging("the request cannot be read"):
        key = x509.load_pem_x509_csr(csr.encode()).public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_name(public_key: bytes) -> str:
    """The file of one of the station's private keys, named after the public one (SubjectPublicKeyInfo in DER)."""
    return f"station-{hashlib.sha256(public_key).hexdigest()[:32]}.pem"


def subject(certificate: Certificate) -> str:
    """The subject for a person."""
    return certificate.subject.rfc4514_string() or "(no subject)"


def common_name(certificate: Certificate) -> str:
    """The subject's commonName; empty where it has none."""
    from cryptography.x509.oid import NameOID

    return next((str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)), "")


def organizations(certificate: Certificate) -> tuple[str, ...]:
    """The subject's organizationNames."""
    from cryptography.x509.oid import NameOID

    return tuple(str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))


def validity(pem: str) -> tuple[datetime, datetime]:
    """From when until when a certificate is valid, in UTC; raises BadCertificate."""
    certificate = read(pem)
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def hash_data(certificate: Certificate, issuer: Certificate, algorithm: str = "SHA256") -> dict[str, str]:
    """CertificateHashDataType, by RFC 6960. ``algorithm`` is one of ``HASH_ALGORITHMS``; raises BadCertificate."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509 import ocsp

    known: Mapping[str, hashes.HashAlgorithm] = {
        "SHA256": hashes.SHA256(),
        "SHA384": hashes.SHA384(),
        "SHA512": hashes.SHA512(),
    }
    with judging("its hash data cannot be computed"):
        request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, known[algorithm]).build()
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": request.issuer_name_hash.hex(),
        "issuerKeyHash": request.issuer_key_hash.hex(),
        "serialNumber": f"{certificate.serial_number:x}",
    }


def same_hash_data(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether both name the same certificate; digits may be written either way, and with zeros before them."""
    return (
        one["hashAlgorithm"] == other["hashAlgorithm"]
        and one["issuerNameHash"].lower() == other["issuerNameHash"].lower()
        and one["issuerKeyHash"].lower() == other["issuerKeyHash"].lower()
        and one["serialNumber"].lower().lstrip("0") == other["serialNumber"].lower().lstrip("0")
    )


# ------------------------------------------------------------------ judging


def check_dates(certificate: Certificate, at: datetime) -> None:
    """Raises BadCertificate unless ``at`` is within the validity."""
    if at + CLOCKS_APART < certificate.not_valid_before_utc:
        raise BadCertificate(f"it is not valid before {certificate.not_valid_before_utc:%F %T} UTC")
    if at > certificate.not_valid_after_utc:
        raise BadCertificate(f"it expired on {certificate.not_valid_after_utc:%F %T} UTC")


def check_strength(certificate: Certificate) -> None:
    """Raises BadCertificate where key or signature are not what A00.FR.501 to A00.FR.504 ask for."""
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    with judging("its key or signature is of an unknown kind"):
        key, hashed = certificate.public_key(), certificate.signature_hash_algorithm
    match key:
        case rsa.RSAPublicKey() | dsa.DSAPublicKey():
            strong = key.key_size >= WEAKEST_RSA
        case ec.EllipticCurvePublicKey():
            strong = key.key_size >= WEAKEST_CURVE
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            strong = True
        case _:
            raise BadCertificate("its key is of an unknown kind")
    if not strong:
        raise BadCertificate("its key is too short")
    if hashed is not None and hashed.name in _BROKEN_HASHES:
        raise BadCertificate(f"it is signed by way of {hashed.name}, which is broken")


def check_authority(certificate: Certificate) -> None:
    """Raises BadCertificate unless it may sign certificates."""
    from cryptography import x509

    with judging("its extensions cannot be read"):
        try:
            authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            authority = False
        try:
            signs = certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
        except x509.ExtensionNotFound:
            signs = True
    if not authority:
        raise BadCertificate("it is not a certificate authority")
    if not signs:
        raise BadCertificate("its key usage does not allow it to sign certificates")


def check_client(certificate: Certificate) -> None:
    """Raises BadCertificate unless a TLS client may show it."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    with judging("its extensions cannot be read"):
        extensions = certificate.extensions
        for extension in extensions:
            match extension.value:
                case x509.BasicConstraints(ca=True):
                    raise BadCertificate("it is a certificate authority")
                case x509.KeyUsage(digital_signature=False):
                    raise BadCertificate("its key usage does not allow it to sign")
                case x509.ExtendedKeyUsage() as uses if not {
                    ExtendedKeyUsageOID.CLIENT_AUTH,
                    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
                } & set(uses):
                    raise BadCertificate("its extended key usage does not allow it to authenticate a client")


def is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether name and signature say so."""
    try:
        with judging("it is not"):
            certificate.verify_directly_issued_by(issuer)
    except BadCertificate:
        return False
    return True


def is_self_signed(certificate: Certificate) -> bool:
    """Whether it vouches for itself."""
    return is_issued_by(certificate, certificate)


def path(
    certificate: Certificate, others: Iterable[Certificate], roots: Sequence[Certificate], at: datetime
) -> list[Certificate]:
    """The way from ``certificate`` over ``others`` to what one of ``roots`` issued, all valid at ``at``, root left out.

    Raises BadCertificate where there is none (RFC 5280, section 6, as far as a station's certificate needs it).
    """
    way, left = [certificate], list(others)
    while True:
        last = way[-1]
        root = next((one for one in roots if is_issued_by(last, one)), None)
        if root is not None:
            _check_issuer(root, way, at)
            return way
        step = next((one for one in left if is_issued_by(last, one) and not is_self_signed(one)), None)
        if step is None:
            raise BadCertificate(f"{subject(last)} is issued by nobody whom the station trusts")
        _check_issuer(step, way, at)
        left.remove(step)
        way.append(step)


def _check_issuer(issuer: Certificate, below: Sequence[Certificate], at: datetime) -> None:
    from cryptography import x509

    try:
        check_dates(issuer, at)
        check_strength(issuer)
        check_authority(issuer)
        longest = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
        if longest is not None and len(below) - 1 > longest:
            raise BadCertificate(f"it allows {longest} authorities below itself, and there are {len(below) - 1}")
    except BadCertificate as flaw:
        raise BadCertificate(f"{subject(issuer)}, which issued it: {flaw}") from flaw
