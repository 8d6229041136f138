"""TLS towards the CSMS (security profiles 2 and 3; A00.FR.301 to .426)."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from station.domain.certificates import TlsMaterial

# A00.FR.319 in its better half: with forward secrecy. TLS 1.3 brings its own suites.
CIPHER_SUITES = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
# For a CSMS whose certificate is RSA (SecurityCtrlr.AllowRSACipherSuites): with forward secrecy where it can, and the
# other half of A00.FR.319 at last.
RSA_CIPHER_SUITES = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384"
# 112 bits: RSA from 2048, EC from 224, and no signature with SHA-1 (A00.FR.501 to .504), whatever the system's default.
SECURITY_LEVEL = 2

_DER = 2  # _ssl.ENCODING_DER


class TlsUnusable(Exception):
    """A connection by this profile cannot even be tried; the text says what is missing."""


class RevocationCheck(StrEnum):
    """SecurityCtrlr.RevocationCheck: what is asked about a CSMS certificate that names an OCSP server or a CRL."""

    OFF = "Off"
    IF_REACHABLE = "IfReachable"  # nobody answers: the certificate counts as good
    REQUIRED = "Required"  # nobody answers: the certificate is refused


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """What an installer or the CSMS may loosen or tighten. ``wildcards``: AllowCSMSTLSWildcards."""

    wildcards: bool = False
    rsa_suites: bool = False
    revocation: RevocationCheck = RevocationCheck.IF_REACHABLE


DEFAULT_POLICY = TlsPolicy()


class ClientContext(ssl.SSLContext):
    """The context of one attempt; it notes what tells one failure from another."""

    presents = False  # a certificate of the station's own
    peer_answered = False  # the handshake failed after the peer's ServerHello
    judged_late = False  # TLS 1.3: the peer judges the station's certificate after our handshake is over
    late_error: ssl.SSLError | None = None  # its alert, where it says no


class Handshake(ssl.SSLObject):
    """A TLS connection of a ``ClientContext``."""

    def do_handshake(self) -> None:
        """As ``SSLObject``'s."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            # OpenSSL knows the cipher suite from the ServerHello on.
            self._noting.peer_answered = self.cipher() is not None
            raise
        self._noting.judged_late = self.version() == "TLSv1.3"

    def read(self, *arguments: Any) -> Any:
        """As ``SSLObject``'s."""
        try:
            return super().read(*arguments)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLZeroReturnError):
            raise
        except ssl.SSLError as error:
            self._noting.late_error = error
            raise

    def verified_chain(self) -> list[bytes]:
        """The chain as OpenSSL verified it, the peer's own certificate first and the trust anchor last, in DER."""
        public = getattr(super(), "get_verified_chain", None)
        if public is not None:  # Python 3.13 and later
            return list(public())
        return [certificate.public_bytes(_DER) for certificate in self._sslobj.get_verified_chain() or ()]

    def shown_chain(self) -> list[bytes]:
        """What the peer showed, verified or not, its own certificate first, in DER."""
        public = getattr(super(), "get_unverified_chain", None)
        if public is not None:  # Python 3.13 and later
            return list(public())
        return [certificate.public_bytes(_DER) for certificate in self._sslobj.get_unverified_chain() or ()]

    @property
    def _noting(self) -> ClientContext:
        context = self.context
        assert isinstance(context, ClientContext)  # noqa: S101 - for the type checker: made by ``client_context``
        return context


def client_context(
    security_profile: int, material: TlsMaterial, keys: Path, host: str = "", policy: TlsPolicy = DEFAULT_POLICY
) -> ClientContext | None:
    """The context for a connection to ``host`` by a security profile, None for profile 1.

    ``keys`` is the folder of private keys. The server is verified against the roots of ``material`` and nothing else
    (A00.FR.308), name included (A00.FR.309); whoever connects with it calls ``check_peer`` before the first byte of
    data. Raises TlsUnusable.
    """
    if security_profile < 2:
        return None
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
    context.sslobject_class = Handshake
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # A00.FR.313
    suites = f"{CIPHER_SUITES}:{RSA_CIPHER_SUITES}" if policy.rsa_suites else CIPHER_SUITES
    context.set_ciphers(f"{suites}:@SECLEVEL={SECURITY_LEVEL}")
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION  # A00.FR.321
    # What is installed is trusted as it is (RFC 5280, 6.1.1 (d)), also where it is an operator's own sub-CA.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # OpenSSL looks for an address in subjectAltName only, OCPP in commonName: ``check_peer`` knows both.
    context.check_hostname = not _is_address(host)
    problem = trust(context, material.roots)
    if not context.cert_store_stats()["x509"]:
        raise TlsUnusable(f"no CSMS root certificate is installed{problem and f'; {problem}'}")
    if security_profile >= 3:
        _present(context, material, keys)
        context.presents = True
    return context


def peek_context() -> ClientContext:
    """For looking at what a peer shows, and nothing else: it believes everything. Nothing may be said over it."""
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class = Handshake
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


async def check_peer(connection: Handshake, host: str, policy: TlsPolicy) -> None:
    """What is asked of the CSMS's certificate after the handshake, before it hears anything; raises PeerUnfit."""
    from cryptography import x509

    from station.uplink import peer

    try:
        chain = [x509.load_der_x509_certificate(one) for one in connection.verified_chain()]
    except ValueError as error:
        raise peer.PeerUnfit(f"it cannot be read: {error}") from error
    peer.check(chain, host, wildcards=policy.wildcards)
    if policy.revocation is not RevocationCheck.OFF:
        from station.uplink import revocation

        await revocation.check(chain, required=policy.revocation is RevocationCheck.REQUIRED)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def trust(context: ssl.SSLContext, roots: Iterable[str]) -> str:
    """Have ``context`` trust these PEM texts. One that cannot be read is passed over and named in the answer."""
    problem = ""
    for number, root in enumerate(roots, 1):
        try:
            context.load_verify_locations(cadata=root)
        except (ValueError, ssl.SSLError) as error:
            problem = f"the {number}. root certificate cannot be read: {error}"
    return problem


def _present(context: ssl.SSLContext, material: TlsMaterial, keys: Path) -> None:
    if not material.chain or not material.key:
        raise TlsUnusable("security profile 3 needs a charging station certificate and its key, and none is installed")
    # Python's ssl takes a chain from a file only: this one never touches the disk.
    chain = os.memfd_create("chain")
    try:
        with os.fdopen(chain, "w", closefd=False) as file:
            file.write("".join(material.chain))
        if material.key.startswith("pkcs11:"):
            _present_by_token(context, f"/proc/self/fd/{chain}", material.key)
        else:
            context.load_cert_chain(f"/proc/self/fd/{chain}", keys / material.key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise TlsUnusable(f"the charging station certificate and its key cannot be used: {error}") from error
    finally:
        os.close(chain)


def _present_by_token(context: ssl.SSLContext, chain: str, key: str) -> None:
    from station.uplink import pkcs11

    try:
        pkcs11.present(context, chain, key)
    except pkcs11.TokenUnusable as error:
        raise TlsUnusable(f"the charging station certificate and its key cannot be used: {error}") from error


def _no_password() -> str:
    # Without this, OpenSSL would ask for one at the terminal.
    raise ValueError("the key is encrypted")
