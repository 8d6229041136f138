"""Part 6, section 2.3: B Provisioning. Get and set variables (B05, B06)."""

import pytest

from station.domain.moment import rfc3339
from tests.conformance.rig import Payload, Rig

THRESHOLD = ("OCPPCommCtrlr", "OfflineThreshold")
OFFLINE = ("AuthCtrlr", "LocalAuthorizeOffline")


def item(component: str, variable: str, **more: str) -> Payload:
    """One entry of getVariableData or setVariableData."""
    return {"component": {"name": component}, "variable": {"name": variable}, **more}


def get(rig: Rig, *items: Payload) -> list[Payload]:
    """GetVariables; one result for each entry (B06.FR.01)."""
    results: list[Payload] = rig.call("GetVariables", {"getVariableData": list(items)})["getVariableResult"]
    assert len(results) == len(items), results
    return results


def put(rig: Rig, *items: Payload) -> list[Payload]:
    """SetVariables; one result for each entry (B05.FR.01)."""
    results: list[Payload] = rig.call("SetVariables", {"setVariableData": list(items)})["setVariableResult"]
    assert len(results) == len(items), results
    return results


def same(result: Payload, asked: Payload, status: str) -> None:
    """The result names what was asked for, and has ``status``; no reason where all went well."""
    assert result["attributeStatus"] == status, result
    assert result["attributeType"] == asked.get("attributeType", "Actual"), result
    assert result["component"] == asked["component"], result
    assert result["variable"] == asked["variable"], result
    if status == "Accepted":
        assert result.get("attributeStatusInfo", {}).get("reasonCode", "NoError") == "NoError", result


# ------------------------------------------------------------------ B06


@pytest.mark.tc("TC_B_06")
def test_get_a_single_value(rig: Rig) -> None:
    rig.start()
    rig.configure("OCPPCommCtrlr.OfflineThreshold", "300")
    asked = item(*THRESHOLD, attributeType="Actual")
    (result,) = get(rig, asked)
    same(result, asked, "Accepted")
    assert result["attributeValue"] == "300", result


@pytest.mark.tc("TC_B_07")
def test_get_multiple_values(rig: Rig) -> None:
    rig.start()
    rig.configure("OCPPCommCtrlr.OfflineThreshold", "300")
    rig.configure("AuthCtrlr.LocalAuthorizeOffline", "true")
    asked = [item(*THRESHOLD, attributeType="Actual"), item(*OFFLINE, attributeType="Actual")]
    for result, one, value in zip(get(rig, *asked), asked, ("300", "true"), strict=True):
        same(result, one, "Accepted")
        assert result["attributeValue"] == value, result


@pytest.mark.tc("TC_B_32")
def test_get_of_an_unknown_component(rig: Rig) -> None:
    rig.start()
    asked = item("UnknownComponent", "OfflineThreshold")
    (result,) = get(rig, asked)
    same(result, asked, "UnknownComponent")
    assert "attributeValue" not in result


@pytest.mark.tc("TC_B_33")
def test_get_of_an_unknown_variable(rig: Rig) -> None:
    rig.start()
    asked = item("OCPPCommCtrlr", "UnknownVariable")
    (result,) = get(rig, asked)
    same(result, asked, "UnknownVariable")
    assert "attributeValue" not in result


@pytest.mark.tc("TC_B_34")
def test_get_of_an_attribute_that_is_not_there(rig: Rig) -> None:
    rig.start()
    asked = item(*THRESHOLD, attributeType="Target")
    (result,) = get(rig, asked)
    same(result, asked, "NotSupportedAttributeType")
    assert "attributeValue" not in result


# ------------------------------------------------------------------ B05


@pytest.mark.tc("TC_B_09")
def test_set_a_single_value(rig: Rig) -> None:
    rig.start()
    asked = item(*THRESHOLD, attributeValue="300", attributeType="Actual")
    (result,) = put(rig, asked)
    same(result, asked, "Accepted")
    assert rig.get_variable(*THRESHOLD)["attributeValue"] == "300"


@pytest.mark.tc("TC_B_10")
def test_set_multiple_values(rig: Rig) -> None:
    rig.start()
    asked = [
        item(*THRESHOLD, attributeValue="300", attributeType="Actual"),
        item(*OFFLINE, attributeValue="true", attributeType="Actual"),
    ]
    for result, one in zip(put(rig, *asked), asked, strict=True):
        same(result, one, "Accepted")
        name = one["component"]["name"], one["variable"]["name"]
        assert rig.get_variable(*name)["attributeValue"] == one["attributeValue"]


@pytest.mark.tc("TC_B_35")
def test_set_of_an_unknown_component(rig: Rig) -> None:
    rig.start()
    asked = item("UnknownComponent", "OfflineThreshold", attributeValue="300")
    (result,) = put(rig, asked)
    same(result, asked, "UnknownComponent")


@pytest.mark.tc("TC_B_36")
def test_set_of_an_unknown_variable(rig: Rig) -> None:
    rig.start()
    asked = item("OCPPCommCtrlr", "UnknownVariable", attributeValue="300")
    (result,) = put(rig, asked)
    same(result, asked, "UnknownVariable")


@pytest.mark.tc("TC_B_37")
def test_set_of_an_attribute_that_is_not_there(rig: Rig) -> None:
    rig.start()
    asked = item(*THRESHOLD, attributeValue="300", attributeType="Target")
    (result,) = put(rig, asked)
    same(result, asked, "NotSupportedAttributeType")


@pytest.mark.tc("TC_B_11")
def test_set_of_badly_formatted_values(rig: Rig) -> None:
    rig.start()
    values = ["300", "300.1", "true", rfc3339(rig.utc()), "abc"]
    fitting = {
        THRESHOLD: {"300"},
        ("SmartChargingCtrlr", "LimitChangeSignificance"): {"300", "300.1"},
        ("AuthCtrlr", "AuthorizeRemoteStart"): {"true"},
        ("ClockCtrlr", "NextTimeOffsetTransitionDateTime"): {values[3]},
    }
    for name, good in fitting.items():
        if rig.get_variable(*name)["attributeStatus"] != "Accepted":
            continue  # steps 3 to 8 are for the variables that the station has
        for value in values:
            asked = item(*name, attributeValue=value)
            (result,) = put(rig, asked)
            if value not in good:
                same(result, asked, "Rejected")
                assert result["attributeStatusInfo"]["reasonCode"] == "InvalidValue", result
            elif name != ("SmartChargingCtrlr", "LimitChangeSignificance"):  # a percentage: its limits are its own
                same(result, asked, "Accepted")


@pytest.mark.tc("TC_B_39")
def test_set_of_a_read_only_variable(rig: Rig) -> None:
    rig.start()
    asked = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "MessageTimeout", "instance": "Default"},
        "attributeValue": "20",
    }
    (result,) = put(rig, asked)
    same(result, asked, "Rejected")
    value = rig.get_variable("OCPPCommCtrlr", "MessageTimeout", instance="Default")["attributeValue"]
    assert value == "30"
