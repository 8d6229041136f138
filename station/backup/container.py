"""The file: JSON with a version and a checksum; secrets only with a passphrase, by scrypt and AES-256-GCM.

    {"format": "station-backup", "version": 1, "about": {…}, "open": {part: [row, …]}, "sha256": "…",
     "sealed": {"kdf": "scrypt", "n": …, "r": 8, "p": 1, "salt": …, "nonce": …, "data": …} or null}

The checksum is over ``about`` and ``open``, and goes into the cipher as associated data: parts of two files do not mix.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

FORMAT = "station-backup"
VERSION = 1
LARGEST = 4 * 1024 * 1024  # bytes; that of a station with a thousand cards has 300 kB
SHORTEST_PASSPHRASE = 10  # characters
LONGEST_PASSPHRASE = 200
SCRYPT = {"n": 2**15, "r": 8, "p": 1}  # 32 MB and a second on a small board; RFC 7914, section 2
_MOST_N, _MOST_R, _MOST_P = 2**16, 8, 2  # a stranger's file may not ask for more of our memory
_SALT, _NONCE, _KEY = 16, 12, 32  # bytes

Rows = dict[str, list[dict[str, Any]]]


class Refused(ValueError):
    """Why a file is not taken. ``code`` is a stable word; ``what`` names the place or thing, where there is one.

    Codes: ``too_large``, ``no_backup``, ``damaged``, ``too_new``, ``needs_passphrase``, ``wrong_passphrase``,
    ``other_board``, ``bad_value``, ``nothing``.
    """

    def __init__(self, code: str, what: str = "") -> None:
        super().__init__(f"{code}: {what}" if what else code)
        self.code = code
        self.what = what


@dataclass(frozen=True, slots=True)
class Backup:
    """What is in a file. ``about`` says of which station it is; ``secret`` is None where there is none, or sealed."""

    about: dict[str, Any]
    open: Rows
    secret: Rows | None = None
    sealed: bool = False  # whether the file has secrets at all
    version: int = VERSION


def pack(backup: Backup, passphrase: str = "") -> bytes:
    """The file; secrets are in it only with a passphrase."""
    digest = _digest(backup.about, backup.open)
    told: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "about": backup.about,
        "open": backup.open,
        "sha256": digest,
        "sealed": _seal(backup.secret, passphrase, digest) if passphrase and backup.secret is not None else None,
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def unpack(data: bytes, passphrase: str = "", *, secrets: bool = True) -> Backup:
    """What is in the file; raises Refused. Without ``secrets`` what is sealed stays so, and no passphrase is needed."""
    if len(data) > LARGEST:
        raise Refused("too_large")
    told = _told(data)
    about, rows, sealed = told.get("about"), told.get("open"), told.get("sealed")
    if not isinstance(about, dict) or not _are_rows(rows) or not (sealed is None or isinstance(sealed, dict)):
        raise Refused("damaged")
    digest = _digest(about, rows)
    if digest != told.get("sha256"):
        raise Refused("damaged")
    secret = None
    if sealed is not None and secrets:
        if not passphrase:
            raise Refused("needs_passphrase")
        secret = _unseal(sealed, passphrase, digest)
    return Backup(about, rows, secret, sealed is not None, told["version"])


def _told(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused("no_backup") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise Refused("no_backup")
    version = told.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise Refused("damaged")
    if version > VERSION:
        raise Refused("too_new", str(version)[:20])
    return told


def _are_rows(rows: Any) -> bool:
    return isinstance(rows, dict) and all(
        isinstance(part, list) and all(isinstance(row, dict) for row in part) for part in rows.values()
    )


def _digest(about: Any, rows: Any) -> str:
    text = json.dumps([about, rows], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _seal(rows: Rows, passphrase: str, digest: str) -> dict[str, Any]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    key = _key(passphrase, salt, **SCRYPT)
    data = AESGCM(key).encrypt(nonce, json.dumps(rows, ensure_ascii=False).encode(), digest.encode())
    return {"kdf": "scrypt", **SCRYPT, "salt": _text(salt), "nonce": _text(nonce), "data": _text(data)}


def _unseal(sealed: dict[str, Any], passphrase: str, digest: str) -> Rows:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        n, r, p = (sealed[name] for name in ("n", "r", "p"))
        salt, nonce, data = (base64.b64decode(sealed[name], validate=True) for name in ("salt", "nonce", "data"))
    except (KeyError, TypeError, ValueError):
        raise Refused("damaged") from None
    numbers = all(isinstance(one, int) and not isinstance(one, bool) for one in (n, r, p))
    bounds = numbers and 2 <= n <= _MOST_N and n & (n - 1) == 0 and 1 <= r <= _MOST_R and 1 <= p <= _MOST_P
    if sealed.get("kdf") != "scrypt" or not bounds or len(nonce) != _NONCE or not 8 <= len(salt) <= 64:
        raise Refused("damaged")
    try:
        rows = json.loads(AESGCM(_key(passphrase, salt, n=n, r=r, p=p)).decrypt(nonce, data, digest.encode()))
    except InvalidTag:
        raise Refused("wrong_passphrase") from None
    except ValueError:
        raise Refused("damaged") from None
    if not _are_rows(rows):
        raise Refused("damaged")
    return dict(rows)


def _key(passphrase: str, salt: bytes, *, n: int, r: int, p: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=_KEY, n=n, r=r, p=p).derive(passphrase.encode("utf-8", "surrogatepass"))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
