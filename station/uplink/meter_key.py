"""The key that signs meter values: made at first use, kept with the station's other keys."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from station.store.secrets import key_file

KEY_FILE = "meter.pem"


class MeterKey:
    """A ``domain.ocmf.Signer`` with its private key in a file of ``folder``. Raises OSError or ValueError."""

    def __init__(self, folder: Path) -> None:
        key = serialization.load_pem_private_key(key_file(folder / KEY_FILE, _new_key), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError(f"{folder / KEY_FILE} holds no key of the curve secp256r1")
        self._key = key
        self._public_key = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def public_key(self) -> bytes:
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, ec.ECDSA(hashes.SHA256()))


def _new_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
