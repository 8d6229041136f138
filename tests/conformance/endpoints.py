"""How the CSMS's endpoints prove themselves, and who vouches for whom: real certificates on either rig."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.support.memory_rig import EPOCH
from tests.uplink.forge import PEM, Made, make, server_context, today

SERIAL_NUMBER = "SN-0815"  # of the station; the commonName of its certificate (A00.FR.511)
# Valid now and on the day that the rig in memory begins with: what certificates say is judged by the machine's clock.
BEGINS = min(EPOCH - today(), timedelta()).days - 30
ENDS = 400


@dataclass(frozen=True)
class Presence:
    """How an endpoint presents itself.

    ``authority`` is the number of the root that vouches for it. ``certificate``: good, expired, future, stranger (of an
    authority that is not installed), other_host or wildcard. ``newest``: the newest TLS that it speaks.
    """

    security_profile: int = 1
    authority: int = 1
    certificate: str = "good"
    newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED

    def but(self, **changes: object) -> Presence:
        """The same with something else."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Login:
    """What an endpoint learnt with an upgrade that it saw: ``credentials`` of HTTP Basic, and of TLS, where there is.

    ``suites`` are those that both sides know, ``client`` is the station's certificate.
    """

    at: float
    endpoint: int
    path: str
    credentials: tuple[str, str] | None = None
    version: str | None = None
    suites: frozenset[str] = frozenset()
    client: x509.Certificate | None = None


@cache
def root(number: int) -> Made:
    """Of an authority that vouches for endpoints and for stations."""
    return make(f"Root {number}", ca=True, begins=BEGINS, ends=ENDS)


@cache
def station(number: int = 1) -> Made:
    """The station's own certificate, made for it by that authority."""
    return make(SERIAL_NUMBER, root(number), begins=BEGINS, ends=ENDS)


@cache
def shown(number: int, host: str, kind: str) -> Made:
    """What an endpoint shows that this authority vouches for, where ``kind`` says nothing else."""
    domain = host.partition(".")[2]
    names = {"other_host": f"other.{domain}", "wildcard": f"*.{domain}"}
    begins, ends = {"expired": (BEGINS, -1.0), "future": (1.0, ENDS)}.get(kind, (BEGINS, ENDS))
    issuer = make("Stranger", ca=True, begins=BEGINS, ends=ENDS) if kind == "stranger" else root(number)
    return make(names.get(kind, host), issuer, begins=begins, ends=ends)


def context(host: str, presence: Presence) -> ssl.SSLContext | None:
    """An endpoint's side of TLS; None without."""
    if presence.security_profile < 2:
        return None
    old = presence.newest not in (ssl.TLSVersion.MAXIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    return server_context(
        shown(presence.authority, host, presence.certificate),
        ciphers="ALL:@SECLEVEL=0" if old else "",
        oldest=ssl.TLSVersion.TLSv1 if old else None,
        newest=presence.newest,
        asks_for=[root(1), root(2)] if presence.security_profile >= 3 else [],
    )


def signed(csr: str, number: int) -> str:
    """The chain that an authority makes of a station's certificate signing request, in PEM."""
    request = x509.load_pem_x509_csr(csr.encode())
    assert request.is_signature_valid
    issuer = root(number)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today() + timedelta(days=BEGINS))
        .not_valid_after(today() + timedelta(days=ENDS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(issuer.key, hashes.SHA256())
    )
    return certificate.public_bytes(PEM).decode()
