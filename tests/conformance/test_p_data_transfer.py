"""Part 6, section 2.17: P DataTransfer, and custom data."""

import pytest

from tests.conformance.rig import Payload, Rig

CUSTOM: Payload = {"vendorId": "org.openchargealliance.octt", "text": "anything", "list": [1, {"snake_case": None}]}


@pytest.mark.tc("TC_P_01")
def test_unknown_vendor_and_message(rig: Rig) -> None:
    rig.start()
    request = {"vendorId": "org.openchargealliance.octt", "messageId": "unused", "data": {"some_key": [1, None]}}
    response = rig.call("DataTransfer", request)
    assert response["status"] in ("UnknownVendorId", "UnknownMessageId", "Rejected"), response
    assert rig.call("DataTransfer", {"vendorId": "org.openchargealliance.octt"})["status"] == response["status"]


@pytest.mark.tc("TC_P_03")
@pytest.mark.both_rigs
def test_receive_custom_data(rig: Rig) -> None:
    rig.start()
    variable = {"name": "OfflineThreshold", "customData": CUSTOM}
    component = {"name": "OCPPCommCtrlr", "customData": CUSTOM}
    place = {"component": component, "variable": variable, "attributeType": "Actual", "customData": CUSTOM}
    response = rig.call("SetVariables", {"setVariableData": [{**place, "attributeValue": "200"}], "customData": CUSTOM})
    assert response["setVariableResult"][0]["attributeStatus"] == "Accepted", response
    response = rig.call("GetVariables", {"getVariableData": [place], "customData": CUSTOM})
    result = response["getVariableResult"][0]
    assert result["attributeStatus"] == "Accepted", result
    assert result.get("attributeType", "Actual") == "Actual", result
    assert result["attributeValue"] == "200", result
