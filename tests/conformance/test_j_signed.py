"""Part 6, sections 2.6 and 2.11: signed meter values, and the start point that waits for them."""

import pytest

from tests.conformance.rig import Payload, Rig
from tests.conformance.states import configured
from tests.support.ocmf import verified

INTERVAL = "2"
SIGN = {"SampledDataCtrlr.SignReadings": "true", "AlignedDataCtrlr.SignReadings": "true"}
PUBLIC_KEY = "OCPPCommCtrlr.PublicKeyWithSignedMeterValue"


def _signatures(*events: Payload) -> list[Payload]:
    """Every SignedMeterValueType of the events; there is one with each value."""
    samples = [sample for event in events for meter in event.get("meterValue", ()) for sample in meter["sampledValue"]]
    return [sample["signedMeterValue"] for sample in samples]


@pytest.mark.tc("TC_E_11")
@pytest.mark.parametrize("remote", [False, True])
def test_data_signed(rig: Rig, remote: bool) -> None:
    session = configured(rig, start="DataSigned", remote=remote, **SIGN)
    session.authorize()
    rig.plug()
    session.connector_status("Occupied")
    event = session.event("SignedDataReceived", *(["RemoteStart"] if remote else []))
    assert event["eventType"] == "Started", event
    assert event["idToken"] == session.id_token, event
    assert event["evse"] == {"id": 1, "connectorId": 1}, event
    assert event["meterValue"][0]["sampledValue"][0]["context"] == "Transaction.Begin", event
    (signed,) = _signatures(event)
    document = verified(signed, signed["publicKey"])
    assert document["RD"][0]["TX"] == "B", document
    assert document["ID"] == session.token, document
    assert document["RD"][0]["RV"] == event["meterValue"][0]["sampledValue"][0]["value"], document
    event = session.event("ChargingStateChanged")
    assert event["eventType"] == "Updated", event
    assert event["transactionInfo"]["chargingState"] == "Charging", event


@pytest.mark.tc("TC_J_04", "TC_J_11")
@pytest.mark.parametrize("kind", ["AlignedDataCtrlr", "SampledDataCtrlr"])
@pytest.mark.parametrize("key", ["Never", "OncePerTransaction", "EveryMeterValue"])
def test_signed_values(rig: Rig, kind: str, key: str) -> None:
    other = {"AlignedDataCtrlr": "SampledDataCtrlr", "SampledDataCtrlr": "AlignedDataCtrlr"}[kind]
    variables = {
        **{f"{kind}.TxEndedInterval": INTERVAL, f"{other}.TxEndedMeasurands": "", PUBLIC_KEY: key},
        **{"SampledDataCtrlr.TxStartedMeasurands": "", "SampledDataCtrlr.TxUpdatedInterval": "0"},
    }
    session = configured(rig, **SIGN, **variables)
    session.energy_transfer_started()
    rig.let(5.0)
    session.parking_bay_unoccupied()
    ended = session.events[-1]
    contexts = [meter["sampledValue"][0]["context"] for meter in ended["meterValue"]]
    if kind == "SampledDataCtrlr":
        assert set(contexts[:-1]) == {"Sample.Periodic"}, contexts
        assert contexts[-1] == "Transaction.End", contexts
    else:
        assert set(contexts) == {"Sample.Clock"}, contexts
    signatures = _signatures(ended)
    keys = [signed["publicKey"] for signed in signatures]
    expected = {"Never": 0, "OncePerTransaction": 1, "EveryMeterValue": len(keys)}
    assert len([one for one in keys if one]) == expected[key], keys
    if any(keys):
        documents = [verified(signed, next(one for one in keys if one)) for signed in signatures]
        readings = [document["RD"][0]["RV"] for document in documents]
        assert readings == sorted(readings), readings
        pages = [int(document["PG"][1:]) for document in documents]
        assert pages == sorted(set(pages)), pages
