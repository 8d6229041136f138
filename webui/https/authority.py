"""The station's own CA, and the web server's certificate under it.

The root is made once, for ten years, and is what people install on their phones. It can vouch for private addresses and
local names only: whoever installs it trusts this station with this station, not with the internet. The certificate
below it is made anew by itself, before it ends and when the station gets another address.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from station.store.secrets import write_private

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ROOT_FILE, LEAF_FILE = "web-ca.pem", "web.pem"  # in the folder of keys; each with its key, mode 0600
ROOT_LASTS = datetime.timedelta(days=3652)
# Apple takes no more than 398 days of a public CA and 825 of a private one.
LEAF_LASTS = datetime.timedelta(days=397)
RENEW_BEFORE = datetime.timedelta(days=60)
ROOT_RENEW_BEFORE = datetime.timedelta(days=30)
# A board without a clock of its own wakes up in 1970. What it makes then begins here, and is renewed when it learns
# the time; the root is never thrown away for a clock that went back.
NO_EARLIER = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)

LOCAL_NAMES = ("localhost", "local", "lan", "home", "internal", "home.arpa", "localdomain", "fritz.box")
LOCAL_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Names:
    """What the station is called: DNS names in lower case, and addresses."""

    dns: frozenset[str]
    addresses: frozenset[Ip]

    def __or__(self, other: Names) -> Names:
        return Names(self.dns | other.dns, self.addresses | other.addresses)


def names_of(host: str, addresses: Iterable[Ip], listening: str = "") -> tuple[Names, Names]:
    """Those that the local CA can vouch for, and those that it cannot. ``listening`` is what the server was told."""
    machine = host.lower().rstrip(".")
    dns = {"localhost"}
    if is_name(machine):
        dns |= {machine, f"{machine.partition('.')[0]}.local"}
    all_addresses = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"), *addresses}
    try:
        told = ipaddress.ip_address(listening)
    except ValueError:
        if is_name(listening.lower()):
            dns.add(listening.lower())
    else:
        if not told.is_unspecified:
            all_addresses.add(told)
    inside = frozenset(one for one in all_addresses if _is_local(one))
    known = frozenset(name for name in dns if "." not in name or _has_local_suffix(name))
    return Names(known, inside), Names(frozenset(dns) - known, frozenset(all_addresses) - inside)


def is_name(text: str) -> bool:
    """Whether it can stand in a certificate as a DNS name (RFC 1123, and no address)."""
    labels = text.split(".")
    return len(text) <= 253 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def _is_local(address: Ip) -> bool:
    return any(address.version == network.version and address in network for network in LOCAL_NETWORKS)


def _has_local_suffix(name: str) -> bool:
    return any(name == suffix or name.endswith(f".{suffix}") for suffix in LOCAL_NAMES)


# ---------------------------------------------------------------------- root and leaf


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    def pem(self) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return private + self.certificate.public_bytes(Encoding.PEM)


def read_pair(path: Path) -> Pair | None:
    """The pair in that file; None where there is none that can be used."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        content = path.read_bytes()
        key = load_pem_private_key(content, None)
        certificate = x509.load_pem_x509_certificate(content)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            return None
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return Pair(certificate, key)


def ensure(keys: Path, wanted: Names, name: str, now: datetime.datetime | None = None) -> Path:
    """The file with the web server's certificate, made or renewed where that is due; raises OSError.

    ``name`` is what the root is called; it matters when it is made.
    """
    now = now or datetime.datetime.now(datetime.UTC)
    root = read_pair(keys / ROOT_FILE)
    if root is None or now > root.certificate.not_valid_after_utc - ROOT_RENEW_BEFORE:
        root = make_root(name, wanted, now)
        write_private(keys / ROOT_FILE, root.pem())
    path = keys / LEAF_FILE
    wanted = within(root.certificate, wanted)
    leaf = read_pair(path)
    if leaf is None or is_due(leaf.certificate, root.certificate, wanted, now):
        write_private(path, make_leaf(root, wanted, now).pem())
    return path


def make_root(name: str, wanted: Names, now: datetime.datetime) -> Pair:
    """A CA for local names and addresses, and the machine's own name of now."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    dns = sorted({*LOCAL_NAMES, *(one for one in wanted.dns if "." not in one)})
    vouches_for = [*map(x509.DNSName, dns), *map(x509.IPAddress, LOCAL_NETWORKS)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NO_EARLIER)
        .not_valid_after(max(now, NO_EARLIER) + ROOT_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(vouches_for, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Pair(certificate, key)


def make_leaf(root: Pair, wanted: Names, now: datetime.datetime) -> Pair:
    """The web server's certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    names = [*map(x509.DNSName, sorted(wanted.dns)), *map(x509.IPAddress, sorted(wanted.addresses, key=_order))]
    called = next((name for name in sorted(wanted.dns) if name != "localhost"), "localhost")
    issuer_key = root.key.public_key()
    begin = max(now - datetime.timedelta(days=1), NO_EARLIER)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called[:64])]))
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(min(begin + LEAF_LASTS, root.certificate.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
        .sign(root.key, hashes.SHA256())
    )
    return Pair(certificate, key)


def within(root: x509.Certificate, wanted: Names) -> Names:
    """Of ``wanted`` what this root can vouch for: it was made when the machine may have had another name."""
    from cryptography import x509

    try:
        found = root.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    except x509.ExtensionNotFound:
        return wanted
    suffixes = [one.value for one in found if isinstance(one, x509.DNSName)]
    return Names(
        frozenset(name for name in wanted.dns if any(name == one or name.endswith(f".{one}") for one in suffixes)),
        wanted.addresses,
    )


def is_due(leaf: x509.Certificate, root: x509.Certificate, wanted: Names, now: datetime.datetime) -> bool:
    """Whether another certificate has to be made."""
    try:
        leaf.verify_directly_issued_by(root)
    except Exception:  # whatever is wrong with it
        return True
    have = names_in(leaf)
    if wanted.dns - have.dns or wanted.addresses - have.addresses:
        return True
    # One below a root that ends soon ends with it, and cannot be made to last longer.
    end = leaf.not_valid_after_utc
    ends_soon = now > end - RENEW_BEFORE and end < root.not_valid_after_utc
    return ends_soon or now < leaf.not_valid_before_utc > NO_EARLIER


def names_in(certificate: x509.Certificate) -> Names:
    """The names of a certificate."""
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return Names(frozenset(), frozenset())
    dns = frozenset(name.lower() for name in found.get_values_for_type(x509.DNSName))
    addresses = found.get_values_for_type(x509.IPAddress)
    return Names(dns, frozenset(one for one in addresses if isinstance(one, Ip)))


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _order(address: Ip) -> tuple[int, int]:
    return address.version, int(address)
