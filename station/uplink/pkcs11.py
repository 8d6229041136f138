"""Private keys in a token (PKCS#11): a TPM, a secure element, SoftHSM. Made there, used there, never read (A02.FR.05).

Keys are made and requests signed by ``token_keys``, in a process of its own. For TLS, OpenSSL has to use a key that
Python's ``ssl`` cannot name: ``load_cert_chain`` takes files only. So the key is loaded by OpenSSL's engine for PKCS#11
(Debian's ``libengine-pkcs11-openssl``) and handed to the context behind Python's back, through ctypes on the very
libraries that ``ssl`` has loaded. docs/certificates.md has what else was looked at. Nothing here is loaded without
STATION_PKCS11.
"""

from __future__ import annotations

import ctypes
import json
import ssl
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

SCHEME = "pkcs11:"
PATIENCE = 120.0  # s that a token may take to make a key


class TokenUnusable(Exception):
    """The token, or a key in it, cannot be used; the text says why, without the PIN."""


@dataclass(frozen=True, slots=True)
class Token:
    """Where the token is: its label, the library that speaks to it, and the file with the PIN (empty: none)."""

    label: str
    module: str
    pin_file: str = ""

    @property
    def pin(self) -> str | None:
        """Raises TokenUnusable."""
        if not self.pin_file:
            return None
        try:
            return Path(self.pin_file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise TokenUnusable(f"the file with the PIN cannot be read: {error}") from error


def parse(uri: str) -> Token:
    """A PKCS#11 URI (RFC 7512) with ``token`` and ``module-path``, and ``pin-source`` where it has a PIN.

    Raises ValueError. ``pin-value`` is refused: an environment variable is no place for it.
    """
    parts = urlsplit(uri)
    if parts.scheme != "pkcs11":
        raise ValueError("it does not begin with pkcs11:")
    path = _attributes(parts.path, ";")
    query = _attributes(parts.query, "&")
    if "pin-value" in query:
        raise ValueError("pin-value gives the PIN away; pin-source names a file with it")
    if not path.get("token"):
        raise ValueError("it names no token")
    if not query.get("module-path"):
        raise ValueError("it names no module-path")
    return Token(path["token"], query["module-path"], query.get("pin-source", "").removeprefix("file:"))


def _attributes(text: str, separator: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(separator) if pair]
    try:
        return {name: unquote_to_bytes(value).decode() for name, _, value in pairs}
    except UnicodeDecodeError as error:
        raise ValueError("it holds what is no text") from error


def is_uri(key: str) -> bool:
    """Whether a key is in a token, and not a file."""
    return key.startswith(SCHEME)


def configured() -> Token | None:
    """The token of STATION_PKCS11, or None."""
    from django.conf import settings

    uri = settings.PKCS11
    return parse(uri) if uri else None


# ------------------------------------------------------------------ keys


def signing_request(token: Token, key_type: str, subject: bytes) -> tuple[str, str]:
    """A new key in the token and a request that it signed (PKCS#10): the request in PEM, and the key's URI.

    ``subject`` is a Name in DER. Raises TokenUnusable. May take a minute.
    """
    made = _ask(token, action="make", key_type=key_type, subject=subject.hex())
    return made["csr"], made["key"]


def destroy(token: Token, uri: str) -> None:
    """Destroy a key; one that is gone is as good. Raises TokenUnusable."""
    _ask(token, action="destroy", key=uri)


def sweep(token: Token, needed: Iterable[str]) -> None:
    """Destroy the station's keys that are not ``needed`` (URIs). Raises TokenUnusable."""
    _ask(token, action="sweep", needed=sorted(needed))


def _ask(token: Token, **order: Any) -> dict[str, Any]:
    """Have a child process do it: a library of somebody's, logged in a second time, with a process to take down."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "station.uplink.token_keys"],
            input=json.dumps({**order, "token": asdict(token)}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=Path(__file__).parents[2],
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise TokenUnusable(f"the token {token.label} does not answer within {PATIENCE:g} s") from None
    except (OSError, ValueError):
        raise TokenUnusable(f"the library of the token {token.label} broke down") from None
    if "failed" in answer:
        raise TokenUnusable(str(answer["failed"]))
    return answer


# ------------------------------------------------------------------ TLS with a key in the token

_PEM = 1  # SSL_FILETYPE_PEM
_INIT = 0x00000040 | 0x00000200 | 0x00000400  # load config, dynamic engines, builtin engines (openssl/crypto.h)


def present(context: ssl.SSLContext, chain: str, uri: str) -> None:
    """Have ``context`` prove itself with the chain in the file ``chain`` and the key ``uri``; raises TokenUnusable."""
    token = configured()
    if token is None:
        raise TokenUnusable("its key is in a token, and STATION_PKCS11 names none")
    if sys.implementation.name != "cpython":
        raise TokenUnusable("keys in a token can be used with CPython only")
    crypto, secure = _libraries()
    engine = _engine(token)
    # PySSLContext (Modules/_ssl.c) begins with the object's head, and then has its SSL_CTX.
    handle = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
    key = crypto.ENGINE_load_private_key(engine, uri.encode(), None, None)
    if not key:
        raise TokenUnusable(f"its key is not in the token {token.label} ({_reason(crypto)})")
    try:
        for done in (
            secure.SSL_CTX_use_certificate_chain_file(handle, chain.encode()),
            secure.SSL_CTX_use_PrivateKey(handle, key),
            secure.SSL_CTX_check_private_key(handle),
        ):
            if done != 1:
                raise TokenUnusable(_reason(crypto))
    finally:
        crypto.EVP_PKEY_free(key)


@cache
def _libraries() -> tuple[ctypes.CDLL, ctypes.CDLL]:
    """The OpenSSL that ``ssl`` itself runs on."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    loaded = {Path(line.split()[-1]).name: line.split()[-1] for line in maps if "/" in line}
    paths = [next((path for name, path in loaded.items() if name.startswith(prefix)), "") for prefix in _NAMES]
    if not all(paths):
        raise TokenUnusable("this Python has its OpenSSL built in; keys in a token need the system's")
    crypto, secure = (ctypes.CDLL(path) for path in paths)
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for function, result, arguments in (
        (crypto.OPENSSL_init_crypto, ctypes.c_int, [ctypes.c_uint64, pointer]),
        (crypto.ENGINE_by_id, pointer, [text]),
        (crypto.ENGINE_ctrl_cmd_string, ctypes.c_int, [pointer, text, text, ctypes.c_int]),
        (crypto.ENGINE_init, ctypes.c_int, [pointer]),
        (crypto.ENGINE_load_private_key, pointer, [pointer, text, pointer, pointer]),
        (crypto.EVP_PKEY_free, None, [pointer]),
        (crypto.ERR_get_error, ctypes.c_ulong, []),
        (crypto.ERR_clear_error, None, []),
        (crypto.ERR_error_string_n, None, [ctypes.c_ulong, text, ctypes.c_size_t]),
        (secure.SSL_CTX_use_certificate_chain_file, ctypes.c_int, [pointer, text]),
        (secure.SSL_CTX_use_PrivateKey, ctypes.c_int, [pointer, pointer]),
        (secure.SSL_CTX_check_private_key, ctypes.c_int, [pointer]),
    ):
        function.restype, function.argtypes = result, arguments
    return crypto, secure


_NAMES = ("libcrypto.so", "libssl.so")


@cache
def _engine(token: Token) -> int:
    """OpenSSL's engine for PKCS#11, logged in to the token; once for a process."""
    crypto, _ = _libraries()
    crypto.OPENSSL_init_crypto(_INIT, None)
    engine: int | None = crypto.ENGINE_by_id(b"pkcs11")
    if not engine:
        raise TokenUnusable("OpenSSL has no engine for PKCS#11 (apt-get install libengine-pkcs11-openssl)")
    settings = [(b"MODULE_PATH", token.module.encode())]
    if (pin := token.pin) is not None:
        settings.append((b"PIN", pin.encode()))
    for name, value in settings:
        if crypto.ENGINE_ctrl_cmd_string(engine, name, value, 0) != 1:
            raise TokenUnusable(f"OpenSSL's engine for PKCS#11 takes no {name.decode()} ({_reason(crypto)})")
    if crypto.ENGINE_init(engine) != 1:
        raise TokenUnusable(f"OpenSSL's engine for PKCS#11 does not start ({_reason(crypto)})")
    return engine


def _reason(crypto: ctypes.CDLL) -> str:
    """The first error that OpenSSL noted; the others are forgotten, lest somebody else takes them for his own."""
    code = crypto.ERR_get_error()
    crypto.ERR_clear_error()
    if not code:
        return "no reason given"
    text = ctypes.create_string_buffer(256)
    crypto.ERR_error_string_n(code, text, len(text))
    return text.value.decode(errors="replace").rsplit(":", 1)[-1]
