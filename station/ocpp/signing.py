"""Signed meter values: which samples carry one, and when the public key goes along (J01.FR.21, J02.FR.21)."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from station.device_model.components import AlignedDataCtrlr, ChargingStation, OCPPCommCtrlr, SampledDataCtrlr
from station.domain import ocmf
from station.domain.evse import Evse
from station.ocpp.context import Context

CLOCK = "Sample.Clock"
COUNTER = "ocmf_page"


class Signing:
    """Signs the energy register's values; without a signer, nothing is signed and nobody can ask for it."""

    def __init__(self, context: Context, signer: ocmf.Signer | None) -> None:
        self._context = context
        self._signer = signer
        if signer is None:
            for variable in (SampledDataCtrlr.SignReadings, AlignedDataCtrlr.SignReadings):
                context.model.freeze(variable)

    @property
    def public_key(self) -> str:
        """SubjectPublicKeyInfo of who signs, DER in base64; empty where nobody does."""
        return _base64(self._signer.public_key) if self._signer else ""

    def wanted(self, reading_context: str) -> bool:
        """Whether values of that ReadingContextEnumType are to be signed."""
        controller = AlignedDataCtrlr if reading_context == CLOCK else SampledDataCtrlr
        return self._signer is not None and self._context.model[controller.SignReadings]

    def signed(self, evse: Evse, energy: int, reading_context: str, at: datetime) -> dict[str, Any] | None:
        """SignedMeterValueType for a value of the import register (mWh); None where it is not to be signed."""
        signer = self._signer
        if signer is None or not self.wanted(reading_context):
            return None
        model, transaction = self._context.model, evse.transaction
        page = int(self._context.remembered.get(COUNTER) or 0) + 1
        self._context.remember(COUNTER, page)
        gateway = ocmf.Gateway(
            model[ChargingStation.VendorName],
            model[ChargingStation.Model],
            model[ChargingStation.SerialNumber],
            model[ChargingStation.FirmwareVersion],
        )
        reading = ocmf.Reading(
            evse.id,
            energy,
            at,
            reading_context,
            page,
            transaction.id_token if transaction else None,
            transaction is not None,
            self._context.clock.synchronized,
        )
        text = ocmf.payload(gateway, reading)
        document = ocmf.sealed(text, signer.sign(text.encode()))
        return {
            "signedMeterData": _base64(document.encode()),
            "signingMethod": ocmf.METHOD,
            "encodingMethod": ocmf.ENCODING,
            "publicKey": _base64(signer.public_key) if self._with_key(evse) else "",
        }

    def _with_key(self, evse: Evse) -> bool:
        when = self._context.model[OCPPCommCtrlr.PublicKeyWithSignedMeterValue]
        transaction = evse.transaction
        if when != "OncePerTransaction" or transaction is None:
            return when == "EveryMeterValue"
        if "key_told" in transaction.extra:
            return False
        transaction.extra["key_told"] = True
        return True


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
