"""A whole session's signed values, as PyOCMF and the German calibration law see them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyocmf import OCMF

from tests.support.memory_rig import MemoryRig
from tests.support.ocmf import TestKey

SIGNED = {"SampledDataCtrlr.SignReadings": "true", "AlignedDataCtrlr.SignReadings": "true"}
QUIET = {"SampledDataCtrlr.TxUpdatedInterval": "10", "AlignedDataCtrlr.Interval": "0"}
KEY = TestKey().public_key.hex()


def texts(events: list[dict[str, Any]]) -> list[str]:
    """Every OCMF document of the events."""
    return [
        base64.b64decode(one["signedMeterValue"]["signedMeterData"]).decode()
        for event in events
        for meter in event.get("meterValue", ())
        for one in meter["sampledValue"]
        if "signedMeterValue" in one
    ]


@pytest.fixture(scope="module")
def session() -> list[str]:
    """A session of some 30 s, card first, so that its first value knows whose it is."""
    rig = MemoryRig(evses=1, **SIGNED, **QUIET).boot()
    rig.card()
    rig.let(1)
    rig.plug()
    rig.let(30)
    rig.card()
    rig.let(3)
    assert rig.told()[-1].startswith("Ended")
    return texts(rig.events())


def test_every_document_is_strictly_ocmf_and_signed(session: list[str]) -> None:
    assert len(session) >= 5
    for text in session:
        assert OCMF.from_string(text, strict=True).verify_signature(KEY)


def test_begin_and_end_make_a_bill(session: list[str]) -> None:
    documents = [OCMF.from_string(text, strict=True) for text in session]
    begin = next(one for one in documents if one.payload.RD[0].TX == "B")
    end = next(one for one in documents if one.payload.RD[0].TX == "E")
    assert [str(issue) for issue in begin.check_eichrecht(end)] == []


@pytest.mark.parametrize(("was", "becomes"), [('"RV":', '"RV":1'), ('"ID":"04', '"ID":"05'), ("+0000 ", "+0100 ")])
def test_what_was_changed_on_the_way_is_found_out(session: list[str], was: str, becomes: str) -> None:
    forged = session[-1].replace(was, becomes, 1)
    assert forged != session[-1]
    assert not OCMF.from_string(forged).verify_signature(KEY)


def test_another_station_s_key_does_not_fit(session: list[str]) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = other.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert not OCMF.from_string(session[-1]).verify_signature(der.hex())
