"""Secrets at rest: key files of the data folder, and what is sealed with them.

A copy of the database alone gives no password away; a copy of the whole data folder works (CONTRACT, STATION_DATA).
"""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from station.store.redaction import protect

PREFIX = "sealed:1:"
PASSWORD_LENGTH = 64  # characters, more than any password of ours
_NONCE = 12  # bytes (NIST SP 800-38D, 8.2.2)
_SECRET_KEY = "secret.key"  # noqa: S105 - a file's name


class SecretDamaged(Exception):
    """A sealed text cannot be opened: it was changed, or the key file is not the one it was sealed with."""


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all (also when power goes); raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp gives mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` last; raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def key_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a key file, made at first use. Two processes that make it at once end with the same.

    Raises OSError.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    if content:
        return content
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)  # fails where the other one was first
        except FileExistsError:
            if path.stat().st_size == 0:  # a power cut between two older writes
                Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    sync_folder(path.parent)
    return path.read_bytes()


class Safe:
    """Seals and opens texts with AES-256-GCM under the key file ``secret.key`` of the folder ``keys``."""

    def __init__(self, keys: Path) -> None:
        self._path = keys / _SECRET_KEY
        self._cipher: AESGCM | None = None

    def seal(self, text: str) -> str:
        """``text`` sealed, as ASCII; raises OSError where the key file cannot be made."""
        nonce = os.urandom(_NONCE)
        sealed = self._key().encrypt(nonce, text.encode(), None)
        return PREFIX + base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str) -> str:
        """The text behind ``seal``; raises SecretDamaged."""
        if not sealed.startswith(PREFIX):
            raise SecretDamaged("this text was never sealed")
        try:
            content = base64.b64decode(sealed[len(PREFIX) :], validate=True)
            return self._key().decrypt(content[:_NONCE], content[_NONCE:], None).decode()
        except (InvalidTag, ValueError) as error:
            raise SecretDamaged(f"a sealed text does not open with {self._path}") from error

    def _key(self) -> AESGCM:
        if self._cipher is None:
            key = key_file(self._path, lambda: AESGCM.generate_key(bit_length=256))
            if len(key) != 32:
                raise SecretDamaged(f"{self._path} is damaged: {len(key)} bytes instead of 32")
            self._cipher = AESGCM(key)
        return self._cipher


_safes: dict[Path, Safe] = {}


def safe() -> Safe:
    """The safe of this station's data folder."""
    from django.conf import settings

    keys = Path(settings.KEYS_DIR)
    return _safes.setdefault(keys, Safe(keys))


def seal(text: str) -> str:
    """Seal with this station's key; raises OSError. A password is kept out of this process's log from now on."""
    _protect(text)
    return safe().seal(text)


def unseal(sealed: str) -> str:
    """Open what ``seal`` made; raises SecretDamaged. A password is kept out of this process's log from now on."""
    text = safe().open(sealed)
    _protect(text)
    return text


def _protect(text: str) -> None:
    if len(text) <= PASSWORD_LENGTH:  # what is longer is a record with a secret in it
        protect(text)
