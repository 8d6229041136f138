"""Signed meter values as a transparency tool reads them: PyOCMF, another's implementation of the format."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyocmf import OCMF

KEY = ec.generate_private_key(ec.SECP256R1())


class TestKey:
    """A signer for a station in memory."""

    __test__ = False

    @property
    def public_key(self) -> bytes:
        return KEY.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, message: bytes) -> bytes:
        return KEY.sign(message, ec.ECDSA(hashes.SHA256()))


def verified(signed: dict[str, Any], public_key: str) -> dict[str, Any]:
    """The OCMF payload of a SignedMeterValueType; raises where the signature (or anything about it) is wrong."""
    assert signed["encodingMethod"] == "OCMF", signed
    text = base64.b64decode(signed["signedMeterData"], validate=True).decode()
    document = OCMF.from_string(text, strict=True)  # what the format does not know is an error
    assert document.signature.SA == signed["signingMethod"] == "ECDSA-secp256r1-SHA256"
    assert document.verify_signature(base64.b64decode(public_key, validate=True).hex()), "the signature is wrong"
    found: dict[str, Any] = json.loads(text.split("|")[1])  # as it was written
    return found
