"""Signed meter readings in the Open Charge Metering Format (OCMF, SAFE e.V., version 1.0)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from station.domain.transaction import IdToken

ENCODING = "OCMF"
METHOD = "ECDSA-secp256r1-SHA256"
IMPORT_REGISTER = "01-00:01.08.00*FF"  # OBIS, active energy import

# OCMF's word for an OCPP IdTokenEnumType (table 12 of OCMF); others are UNDEFINED.
TOKEN_TYPES = {
    "Central": "CENTRAL",
    "eMAID": "EMAID",
    "ISO14443": "ISO14443",
    "ISO15693": "ISO15693",
    "KeyCode": "KEY_CODE",
    "Local": "LOCAL",
    "NoAuthorization": "NONE",
}
# OCMF's TX for an OCPP ReadingContextEnumType; others are C, a value in between.
MOMENTS = {"Transaction.Begin": "B", "Transaction.End": "E"}


class Signer(Protocol):
    """Holds a key of the curve secp256r1, and never lets it out."""

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256 of ``message``; the signature in DER."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Who signs: model, serial number and software of the station."""

    vendor: str
    model: str
    serial: str
    version: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of an EVSE's import register. ``energy`` in mWh; ``page`` counts what this station ever signed."""

    evse_id: int
    energy: int
    at: datetime
    context: str  # ReadingContextEnumType
    page: int
    id_token: IdToken | None
    in_transaction: bool
    synchronized: bool  # the clock was set by somebody who knows


def payload(gateway: Gateway, reading: Reading) -> str:
    """The first of OCMF's two JSON parts: what is signed, byte for byte."""
    token = reading.id_token
    serial = f"{gateway.serial or gateway.model}-{reading.evse_id}"
    at = reading.at.astimezone(UTC)
    trust = "S" if reading.synchronized else "I"
    data = {
        "FV": "1.0",
        "GI": gateway.model,
        "GS": gateway.serial or gateway.model,
        "GV": gateway.version,
        "PG": f"{'T' if reading.in_transaction else 'F'}{reading.page}",
        "MV": gateway.vendor,
        "MM": gateway.model,
        "MS": serial,
        "IS": token is not None,
        "IT": TOKEN_TYPES.get(token.type, "UNDEFINED") if token else "NONE",
        "ID": token.id_token if token else "",
        "CT": "CBIDC",
        "CI": serial,
        "RD": [
            {
                "TM": f"{at:%Y-%m-%dT%H:%M:%S},{at.microsecond // 1000:03d}+0000 {trust}",
                "TX": MOMENTS.get(reading.context, "C"),
                "RV": reading.energy / 1000,
                "RI": IMPORT_REGISTER,
                "RU": "Wh",
                "RT": "AC",
                "EF": "",
                "ST": "G",
            }
        ],
    }
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def sealed(text: str, signature: bytes) -> str:
    """The whole document: ``text`` from ``payload``, and its signature."""
    return f"OCMF|{text}|{json.dumps({'SA': METHOD, 'SD': signature.hex().upper()}, separators=(',', ':'))}"
