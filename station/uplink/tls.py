"""TLS towards the CSMS (security profiles 2 and 3; A00.FR.301 to .426)."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from pathlib import Path

from station.domain.certificates import TlsMaterial

# A00.FR.319 in its better half: with forward secrecy. TLS 1.3 brings its own suites.
CIPHER_SUITES = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"


class TlsUnusable(Exception):
    """A connection by this profile cannot even be tried; the text says what is missing."""


def client_context(security_profile: int, material: TlsMaterial, keys: Path) -> ssl.SSLContext | None:
    """The context for a security profile, None for profile 1. ``keys`` is the folder of private keys.

    The server is verified against the roots of ``material`` and nothing else (A00.FR.308), name included
    (A00.FR.309). Raises TlsUnusable.
    """
    if security_profile < 2:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # A00.FR.313
    context.set_ciphers(CIPHER_SUITES)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION  # A00.FR.321
    problem = trust(context, material.roots)
    if not context.cert_store_stats()["x509"]:
        raise TlsUnusable(f"no CSMS root certificate is installed{problem and f'; {problem}'}")
    if security_profile >= 3:
        _present(context, material, keys)
    return context


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
        context.load_cert_chain(f"/proc/self/fd/{chain}", keys / material.key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise TlsUnusable(f"the charging station certificate and its key cannot be used: {error}") from error
    finally:
        os.close(chain)


def _no_password() -> str:
    # Without this, OpenSSL would ask for one at the terminal.
    raise ValueError("the key is encrypted")
