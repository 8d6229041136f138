"""TLS towards the CSMS (security profiles 2 and 3; A00.FR.301 to .426)."""

from __future__ import annotations

import ssl
from pathlib import Path

from station.domain.network import SECURITY_PROFILES

ROOTS = "csms_root"  # folder: one PEM file for each CSMS root certificate
STATION = "station"  # folder: the station's own certificate chain and its key
CHAIN_FILE = "chain.pem"
KEY_FILE = "key.pem"

# A00.FR.319 in its better half: with forward secrecy. TLS 1.3 brings its own suites.
CIPHER_SUITES = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"


class TlsUnusable(Exception):
    """A connection by this profile cannot even be tried; the text says what is missing."""


def client_context(security_profile: int, certificates: Path) -> ssl.SSLContext | None:
    """The context for a security profile, None for profile 1. ``certificates`` is the data folder's.

    The server is verified against the installed CSMS roots and nothing else (A00.FR.308), name included
    (A00.FR.309). Raises TlsUnusable.
    """
    if security_profile < 2:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # A00.FR.313
    context.set_ciphers(CIPHER_SUITES)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION  # A00.FR.321
    _trust(context, certificates / ROOTS)
    if security_profile >= 3:
        _present(context, certificates / STATION)
    return context


def usable_profiles(certificates: Path) -> frozenset[int]:
    """The security profiles whose certificates are installed and can be read (A05.FR.02, A05.FR.03)."""
    usable = set()
    for security_profile in SECURITY_PROFILES:
        try:
            client_context(security_profile, certificates)
        except TlsUnusable:
            continue
        usable.add(security_profile)
    return frozenset(usable)


def _trust(context: ssl.SSLContext, folder: Path) -> None:
    files = sorted(folder.glob("*.pem"))
    problem = ""
    for file in files:
        try:
            context.load_verify_locations(cafile=file)
        except (OSError, ssl.SSLError) as error:
            problem = f"; {file.name} cannot be read: {error}"  # the others may still do
    if not context.cert_store_stats()["x509"]:
        raise TlsUnusable(f"no CSMS root certificate is installed{problem}")


def _present(context: ssl.SSLContext, folder: Path) -> None:
    chain, key = folder / CHAIN_FILE, folder / KEY_FILE
    if not chain.exists() or not key.exists():
        raise TlsUnusable("security profile 3 needs a charging station certificate and its key, and none is installed")
    try:
        context.load_cert_chain(chain, key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise TlsUnusable(f"the charging station certificate and its key cannot be used: {error}") from error


def _no_password() -> str:
    # Without this, OpenSSL would ask for one at the terminal.
    raise ValueError("the key is encrypted")
