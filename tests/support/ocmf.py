"""Signed meter values as a transparency tool reads them: by OCMF's own rules, with nothing of the station's code."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

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
    head, payload, signature = base64.b64decode(signed["signedMeterData"], validate=True).decode().split("|")
    assert head == "OCMF"
    seal = json.loads(signature)
    assert seal["SA"] == signed["signingMethod"] == "ECDSA-secp256r1-SHA256"
    key = serialization.load_der_public_key(base64.b64decode(public_key, validate=True))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(bytes.fromhex(seal["SD"]), payload.encode(), ec.ECDSA(hashes.SHA256()))
    document: dict[str, Any] = json.loads(payload)
    return document
