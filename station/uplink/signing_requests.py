"""The station's private keys: made here, in files that nobody else can read, and never told to anybody (A02.FR.05).

An RSA key can take a small board a minute, so each is made on a thread of its own, which ends with it. The libraries
are loaded then; a station that never asks for a certificate need not carry them.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from station.domain.effects import ForgetKey, MakeSigningRequest
from station.domain.events import Event, SigningRequestMade
from station.domain.pki import key_name
from station.store.secrets import sync_folder, write_private

if TYPE_CHECKING:
    from station.uplink.pkcs11 import Token

log = logging.getLogger(__name__)

KEY_FILES = "station-*.pem"  # as ``key_name`` makes them


class SigningRequests:
    """Makes and destroys keys in the folder ``keys``, or in the token; ``offer`` takes events for the station.

    To be used on the event loop's thread.
    """

    def __init__(self, keys: Path, offer: Callable[[Event], None], token: Token | None = None) -> None:
        self._keys = keys
        self._offer = offer
        self._token = token
        self._one_at_a_time = threading.Lock()  # in the token: what is being swept must not be new

    def make(self, errand: MakeSigningRequest) -> None:
        """Begin it; returns at once."""
        loop = asyncio.get_running_loop()

        def work() -> None:
            with self._one_at_a_time:
                made = signing_request(errand, self._keys, self._token)
            with suppress(RuntimeError):  # the station ends: at the next start it is asked for again
                loop.call_soon_threadsafe(self._offer, made)

        threading.Thread(target=work, name="signing request", daemon=True).start()

    def forget(self, errand: ForgetKey) -> None:
        """Destroy a key; one that is gone already is as good."""
        if errand.key.startswith("pkcs11:"):
            self._in_token(errand.key)
        elif fnmatchcase(errand.key, KEY_FILES) and Path(errand.key).name == errand.key:
            self._remove(self._keys / errand.key)

    def sweep(self, needed: Collection[str]) -> None:
        """Remove what an earlier life made and did not come to use; to be called before the first ``make``."""
        for path in [*self._keys.glob(KEY_FILES), *self._keys.glob(f".{KEY_FILES}.*")]:
            if path.name not in needed:
                log.info("a private key that nothing needs is removed")
                self._remove(path)
        if self._token is not None:
            self._in_token([key for key in needed if key.startswith("pkcs11:")])

    def _in_token(self, doomed: str | list[str]) -> None:
        """Destroy a key, or all but a list of them, beside the loop: a token may be slow."""
        token = self._token
        if token is None:
            log.error("a private key is in a token, and STATION_PKCS11 names none")
            return
        sweeping = not isinstance(doomed, str)
        if sweeping:
            self._one_at_a_time.acquire()  # before the first key can be made

        def work() -> None:
            from station.uplink import pkcs11

            if not sweeping:
                self._one_at_a_time.acquire()
            try:
                if isinstance(doomed, str):
                    pkcs11.destroy(token, doomed)
                else:
                    pkcs11.sweep(token, doomed)
            except pkcs11.TokenUnusable as error:
                log.error("private keys in the token could not be removed: %s", error)
            finally:
                self._one_at_a_time.release()

        threading.Thread(target=work, name="token", daemon=True).start()

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
            sync_folder(self._keys)
        except OSError as error:
            log.error("a private key could not be removed: %s", error)


def signing_request(errand: MakeSigningRequest, keys: Path, token: Token | None = None) -> SigningRequestMade:
    """The request, with its key on the disk, or in ``token``, before anybody hears of it."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return _made(errand, keys) if token is None else _made_in(token, errand)
    except OSError as error:
        why = f"the key cannot be written: {error.strerror or error}"
    except (ValueError, UnsupportedAlgorithm) as error:
        why = str(error)
    log.error("a certificate request could not be made: %s", why)
    return SigningRequestMade(errand.request_id, failed=why)


def _made(errand: MakeSigningRequest, keys: Path) -> SigningRequestMade:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    match errand.key_type:
        case "P-256":
            key = ec.generate_private_key(ec.SECP256R1())
        case "P-384":
            key = ec.generate_private_key(ec.SECP384R1())
        case "RSA-3072":
            key = rsa.generate_private_key(65537, 3072)
        case _:
            raise ValueError(f"there is no key of the type {errand.key_type}")
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_subject(errand))
        .sign(key, hashes.SHA384() if errand.key_type == "P-384" else hashes.SHA256())
    )
    name = key_name(
        key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(keys / name, private)
    return SigningRequestMade(errand.request_id, request.public_bytes(serialization.Encoding.PEM).decode(), name)


def _made_in(token: Token, errand: MakeSigningRequest) -> SigningRequestMade:
    from station.uplink import pkcs11

    try:
        csr, uri = pkcs11.signing_request(token, errand.key_type, _subject(errand).public_bytes())
    except pkcs11.TokenUnusable as error:
        raise ValueError(str(error)) from error
    return SigningRequestMade(errand.request_id, csr, uri)


def _subject(errand: MakeSigningRequest):
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = [
        (NameOID.COUNTRY_NAME, errand.country),
        (NameOID.ORGANIZATION_NAME, errand.organization),  # A00.FR.509
        (NameOID.COMMON_NAME, errand.common_name),  # A00.FR.511
    ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])
