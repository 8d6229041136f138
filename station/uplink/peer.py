"""Is that the CSMS? What the station asks of a certificate beyond what OpenSSL does (A00.FR.308, .309, .501 to .504).

Pure: certificates and a host name in, nothing or PeerUnfit out. OpenSSL has built and verified the chain by then; here
are the rules that it does not know (no wildcards), or knows only at a security level that a build may lower.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING

from station.domain import pki

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class PeerUnfit(Exception):
    """The CSMS's certificate must not be accepted; the text says why, for a person."""


def check(chain: Sequence[Certificate], host: str, *, wildcards: bool = False) -> None:
    """Raise PeerUnfit unless ``chain``, from the CSMS's own certificate to the trust anchor, is good for ``host``.

    ``wildcards``: AllowCSMSTLSWildcards.
    """
    if not chain:
        raise PeerUnfit("the CSMS shows no certificate")
    # The anchor's signature proves nothing, and OpenSSL has looked at its key.
    for number, certificate in enumerate(chain[:-1] or chain):
        try:
            pki.check_strength(certificate)
            if number:
                pki.check_authority(certificate)
        except pki.BadCertificate as flaw:
            raise PeerUnfit(f"{named(certificate)}: {flaw}") from flaw
    check_name(chain[0], host, wildcards=wildcards)


# ------------------------------------------------------------------ names


def check_name(certificate: Certificate, host: str, *, wildcards: bool = False) -> None:
    """A00.FR.309, A00.FR.412: the certificate is for ``host``, a DNS name or the text of an IP address.

    subjectAltName counts where it names a host at all, otherwise commonName (RFC 6125, 6.4.4, and A00.FR.511, note).
    """
    names, addresses = _alternative_names(certificate)
    common = [] if names or addresses else common_names(certificate)
    address = _address(host)
    if address is not None:
        # OCPP wants the CSMS's name in commonName; where that is an address, its text is all there can be.
        if address in addresses or any(_address(name) == address for name in common):
            return
    else:
        wanted = host.removesuffix(".").casefold()
        offered = [name.casefold() for name in (names or common)]
        if wanted in offered:
            return
        matching = [name for name in offered if _wildcard_covers(name, wanted)]
        if matching and wildcards:
            return
        if matching:  # part 2, AllowCSMSTLSWildcards (errata 2.62)
            raise PeerUnfit(f"it is for {host} only by the wildcard {matching[0][:80]!a}, and those are not allowed")
    shown = [str(one) for one in (*names, *addresses)] or common
    raise PeerUnfit(f"it is not for {host} but for {', '.join(ascii(name[:80]) for name in shown[:5]) or 'nobody'}")


def common_names(certificate: Certificate) -> list[str]:
    """The CN entries of the subject."""
    from cryptography.x509.oid import NameOID

    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [value if isinstance(value := attribute.value, str) else value.decode("latin-1") for attribute in found]


def named(certificate: Certificate) -> str:
    """A certificate as a person would name it."""
    names = common_names(certificate)
    return ascii(names[0][:80]) if names else f"the certificate {certificate.serial_number:x}"


def _alternative_names(certificate: Certificate) -> tuple[list[str], list[Address]]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    except ValueError as error:  # an extension that is broken, or there twice
        raise PeerUnfit(f"the extensions of {named(certificate)} cannot be read: {error}") from error
    addresses = [one for one in found.get_values_for_type(x509.IPAddress) if isinstance(one, Address)]
    return list(found.get_values_for_type(x509.DNSName)), addresses


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _wildcard_covers(pattern: str, host: str) -> bool:
    """RFC 6125, 6.4.3, at its strictest: one ``*``, which is the whole leftmost label, before at least two others."""
    star, _, parent = pattern.partition(".")
    label, _, rest = host.partition(".")
    return star == "*" and "*" not in parent and "." in parent.strip(".") and bool(label) and rest == parent
