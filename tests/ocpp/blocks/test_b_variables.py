"""B05 and B06: SetVariables and GetVariables."""

from __future__ import annotations

from typing import Any

import pytest

from station.device_model.components import OCPPCommCtrlr, SecurityCtrlr, TxCtrlr
from station.device_model.definition import Mutability
from station.device_model.naming import parse
from station.device_model.values import DataType
from station.domain.effects import FinishCommand, SaveVariable, SetBy
from station.domain.events import OperatorCommand
from station.domain.signals import SecurityEvent, VariableChanged
from station.ocpp.block import CallRefused
from station.ocpp.blocks.b_provisioning.variables import Variables
from tests.ocpp.blocks.rig import NOW, Rig

PASSWORD = "correct-horse-battery"


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def block(rig: Rig) -> Variables:
    return Variables(rig.context)


def address(name: str) -> dict[str, Any]:
    """Component and variable of a name such as ``Connector@1.1.Available``."""
    names = parse(name)
    component: dict[str, Any] = {"name": names.component}
    variable = {"name": names.variable}
    if names.evse_id:
        component["evse"] = {"id": names.evse_id}
    if names.connector_id:
        component["evse"]["connectorId"] = names.connector_id
    if names.variable_instance:
        variable["instance"] = names.variable_instance
    return {"component": component, "variable": variable}


def get(rig: Rig, block: Variables, *names: str, **more: Any) -> list[dict[str, Any]]:
    payload = {"getVariableData": [address(name) | more for name in names]}
    return list(rig.ask(block, "GetVariables", payload)["getVariableResult"])


def put(rig: Rig, block: Variables, *pairs: tuple[str, str], **more: Any) -> list[dict[str, Any]]:
    payload = {"setVariableData": [address(name) | {"attributeValue": value} | more for name, value in pairs]}
    return list(rig.ask(block, "SetVariables", payload)["setVariableResult"])


# ------------------------------------------------------------------ GetVariables


def test_one_variable(rig: Rig, block: Variables) -> None:
    put(rig, block, ("OCPPCommCtrlr.OfflineThreshold", "300"))
    assert get(rig, block, "OCPPCommCtrlr.OfflineThreshold", attributeType="Actual") == [
        address("OCPPCommCtrlr.OfflineThreshold")
        | {"attributeStatus": "Accepted", "attributeType": "Actual", "attributeValue": "300"}
    ]


def test_the_answer_names_things_as_they_were_asked_for_and_in_that_order(rig: Rig, block: Variables) -> None:
    asked = ["txctrlr.evconnectiontimeout", "EVSE@2.SupplyPhases", "Connector@1.1.ConnectorType", "Nobody.X"]
    results = get(rig, block, *asked, *asked)
    assert [result["component"] for result in results] == [address(name)["component"] for name in asked * 2]
    assert [result.get("attributeValue") for result in results[:4]] == ["60", "1", "cType1", None]
    assert results[:4] == results[4:]


@pytest.mark.parametrize(
    ("name", "attribute", "status"),
    [
        ("UnknownComponent.OfflineThreshold", "Actual", "UnknownComponent"),
        ("OCPPCommCtrlr.UnknownVariable", "Actual", "UnknownVariable"),
        ("OCPPCommCtrlr.MessageTimeout", "Actual", "UnknownVariable"),
        ("OCPPCommCtrlr.OfflineThreshold", "Target", "NotSupportedAttributeType"),
        ("SecurityCtrlr.BasicAuthPassword", "Actual", "Rejected"),
    ],
)
def test_what_cannot_be_read_has_a_status_and_no_value(
    rig: Rig, block: Variables, name: str, attribute: str, status: str
) -> None:
    (result,) = get(rig, block, name, attributeType=attribute)
    assert (result["attributeStatus"], result["attributeType"]) == (status, attribute)
    assert "attributeValue" not in result


def test_an_empty_instance_is_none(rig: Rig, block: Variables) -> None:
    asked = address("OCPPCommCtrlr.OfflineThreshold")
    asked["component"]["instance"] = asked["variable"]["instance"] = ""
    answer = rig.ask(block, "GetVariables", {"getVariableData": [asked]})
    assert answer["getVariableResult"][0]["attributeStatus"] == "Accepted"


@pytest.mark.parametrize("evse", [{"id": 0}, {"id": -1}, {"id": 3}, {"id": 1, "connectorId": 0}])
def test_an_evse_that_is_not_there_is_an_unknown_component(rig: Rig, block: Variables, evse: dict[str, int]) -> None:
    for component, variable in (("EVSE", "Power"), ("TxCtrlr", "TxStartPoint")):
        asked = {"component": {"name": component, "evse": evse}, "variable": {"name": variable}}
        answer = rig.ask(block, "GetVariables", {"getVariableData": [asked]})
        assert answer["getVariableResult"][0]["attributeStatus"] == "UnknownComponent"


def test_the_clock_is_read_at_this_moment(rig: Rig, block: Variables) -> None:
    assert get(rig, block, "ClockCtrlr.DateTime")[0]["attributeValue"] == "2030-01-02T03:04:05.678Z"


def test_a_thousand_variables_are_answered_and_one_more_is_refused(rig: Rig, block: Variables) -> None:
    names = [str(entry.names) for entry in rig.model.entries()]
    thousand = (names * 20)[:1000]
    results = get(rig, block, *thousand)
    assert len(results) == 1000
    assert {result["attributeStatus"] for result in results} == {"Accepted", "Rejected"}
    with pytest.raises(CallRefused) as refused:
        get(rig, block, *thousand, names[0])
    assert refused.value.code == "OccurrenceConstraintViolation"


def test_the_limits_are_those_of_the_device_model(rig: Rig, block: Variables) -> None:
    rig.model.factory_set("DeviceDataCtrlr.ItemsPerMessage[GetVariables]", "4")
    rig.model.factory_set("DeviceDataCtrlr.BytesPerMessage[SetVariables]", "1000")
    with pytest.raises(CallRefused) as refused:
        get(rig, block, *["TxCtrlr.TxStartPoint"] * 5)
    assert refused.value.code == "OccurrenceConstraintViolation"
    with pytest.raises(CallRefused) as refused:
        put(rig, block, ("SecurityCtrlr.OrganizationName", "ä" * 500))
    assert refused.value.code == "FormatViolation"
    assert rig.context.effects == []


# ------------------------------------------------------------------ SetVariables


def test_what_is_set_is_answered_stored_and_told(rig: Rig, block: Variables) -> None:
    results = put(rig, block, ("OCPPCommCtrlr.OfflineThreshold", "300"), ("AuthCtrlr.LocalAuthorizeOffline", "false"))
    assert results == [
        address("OCPPCommCtrlr.OfflineThreshold") | {"attributeStatus": "Accepted", "attributeType": "Actual"},
        address("AuthCtrlr.LocalAuthorizeOffline") | {"attributeStatus": "Accepted", "attributeType": "Actual"},
    ]
    assert rig.context.effects == [
        SaveVariable("OCPPCommCtrlr", "OfflineThreshold", "300", old="60", by=SetBy.CSMS),
        SaveVariable("AuthCtrlr", "LocalAuthorizeOffline", "false", old="true", by=SetBy.CSMS),
    ]
    assert rig.context.signals == [
        VariableChanged("OCPPCommCtrlr", "OfflineThreshold", "", 0, 0, "60", "300"),
        VariableChanged("AuthCtrlr", "LocalAuthorizeOffline", "", 0, 0, "true", "false"),
        SecurityEvent(
            "ConfigurationChanged",
            "by the CSMS: OCPPCommCtrlr.OfflineThreshold = 300; AuthCtrlr.LocalAuthorizeOffline = false",
        ),
    ]
    assert rig.model[OCPPCommCtrlr.OfflineThreshold] == 300


def test_setting_what_is_so_writes_and_tells_nothing(rig: Rig, block: Variables) -> None:
    assert put(rig, block, ("OCPPCommCtrlr.OfflineThreshold", "60"))[0]["attributeStatus"] == "Accepted"
    assert (rig.context.effects, rig.context.signals) == ([], [])


@pytest.mark.parametrize(
    ("name", "value", "attribute", "status", "reason"),
    [
        ("UnknownComponent.OfflineThreshold", "1", "Actual", "UnknownComponent", None),
        ("OCPPCommCtrlr.UnknownVariable", "1", "Actual", "UnknownVariable", None),
        ("OCPPCommCtrlr.OfflineThreshold", "1", "Target", "NotSupportedAttributeType", None),
        ("OCPPCommCtrlr.OfflineThreshold", "one", "Actual", "Rejected", "InvalidValue"),
        ("OCPPCommCtrlr.OfflineThreshold", "-1", "Actual", "Rejected", "ValueTooLow"),
        ("OCPPCommCtrlr.OfflineThreshold", "99999999", "Actual", "Rejected", "ValueTooHigh"),
        ("OCPPCommCtrlr.MessageTimeout[Default]", "30", "Actual", "Rejected", "ReadOnly"),
        ("SecurityCtrlr.SecurityProfile", "1", "Actual", "Rejected", "ReadOnly"),
    ],
)
def test_what_cannot_be_set(
    rig: Rig, block: Variables, name: str, value: str, attribute: str, status: str, reason: str | None
) -> None:
    (result,) = put(rig, block, (name, value), attributeType=attribute)
    assert (result["attributeStatus"], result["attributeType"]) == (status, attribute)
    assert result.get("attributeStatusInfo", {}).get("reasonCode") == reason
    assert (rig.context.effects, rig.context.signals) == ([], [])


def test_one_bad_entry_does_not_hold_up_the_others(rig: Rig, block: Variables) -> None:
    pairs = (("TxCtrlr.EVConnectionTimeOut", "x"), ("TxCtrlr.EVConnectionTimeOut", "90"))
    assert [result["attributeStatus"] for result in put(rig, block, *pairs)] == ["Rejected", "Accepted"]
    assert rig.model[TxCtrlr.EVConnectionTimeOut] == 90


def test_the_same_variable_twice_is_set_in_order(rig: Rig, block: Variables) -> None:
    put(rig, block, ("TxCtrlr.EVConnectionTimeOut", "10"), ("TxCtrlr.EVConnectionTimeOut", "20"))
    assert rig.model[TxCtrlr.EVConnectionTimeOut] == 20
    assert rig.context.effects[-1] == SaveVariable("TxCtrlr", "EVConnectionTimeOut", "20", old="60", by=SetBy.CSMS)


def test_a_value_that_needs_a_reboot_says_so_and_reads_back(rig: Rig, block: Variables) -> None:
    name = "OCPPCommCtrlr.NetworkConfigurationPriority"
    assert put(rig, block, (name, "2,1"))[0]["attributeStatus"] == "RebootRequired"
    assert get(rig, block, name)[0]["attributeValue"] == "2,1"
    assert rig.context.effects == [
        SaveVariable("OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1", old="1", by=SetBy.CSMS)
    ]


def test_a_new_password_is_stored_and_nowhere_else(rig: Rig, block: Variables) -> None:
    short = put(rig, block, ("SecurityCtrlr.BasicAuthPassword", PASSWORD[:15]))[0]
    assert short["attributeStatus"] == "Rejected"
    assert PASSWORD[:15] not in str(short["attributeStatusInfo"])
    assert put(rig, block, ("SecurityCtrlr.BasicAuthPassword", PASSWORD))[0]["attributeStatus"] == "Accepted"
    assert rig.model[SecurityCtrlr.BasicAuthPassword] == PASSWORD
    assert [effect for effect in rig.context.effects if PASSWORD in str(effect)] == [
        SaveVariable("SecurityCtrlr", "BasicAuthPassword", PASSWORD, by=SetBy.CSMS)
    ]
    assert PASSWORD not in str(rig.context.signals)
    assert rig.context.signals == [  # A01.FR.11
        VariableChanged("SecurityCtrlr", "BasicAuthPassword", "", 0, 0, None, None),
        SecurityEvent("ReconfigurationOfSecurityParameters", "by the CSMS: SecurityCtrlr.BasicAuthPassword"),
    ]


def test_a_thousand_values_are_set_in_one_message(rig: Rig, block: Variables) -> None:
    switches = [
        (str(entry.names), "false" if entry.text() == "true" else "true")
        for entry in rig.model.entries()
        if entry.variable.data_type is DataType.BOOLEAN and Mutability.READ_WRITE in entry.attributes.values()
    ]
    pairs = [("OCPPCommCtrlr.OfflineThreshold", str(number)) for number in range(len(switches), 1000)]
    pairs = [*switches, *pairs]
    assert {result["attributeStatus"] for result in put(rig, block, *pairs)} == {"Accepted"}
    assert rig.model[OCPPCommCtrlr.OfflineThreshold] == 999
    [event] = [one for one in rig.context.signals if isinstance(one, SecurityEvent)]
    assert len(event.tech_info) <= 255
    assert event.tech_info.endswith(f"{len(switches) + 1} in all")
    saved = [effect for effect in rig.context.effects if isinstance(effect, SaveVariable)]
    assert len(saved) == len(switches) + 1, "each once"
    assert len([one for one in rig.context.signals if isinstance(one, VariableChanged)]) == len(saved)
    with pytest.raises(CallRefused):
        put(rig, block, *pairs, pairs[0])


def test_there_and_back_is_no_change(rig: Rig, block: Variables) -> None:
    put(rig, block, ("TxCtrlr.EVConnectionTimeOut", "10"), ("TxCtrlr.EVConnectionTimeOut", "60"))
    assert rig.context.effects == []
    assert rig.context.signals == []


# ------------------------------------------------------------------ an installer


@pytest.mark.parametrize(
    ("variable", "value", "status", "message"),
    [
        ("EVConnectionTimeOut", "90", "Accepted", "TxCtrlr.EVConnectionTimeOut is set"),
        ("EVConnectionTimeOut", "soon", "Rejected", "TxCtrlr.EVConnectionTimeOut must be a whole number"),
        ("Sunrise", "1", "Rejected", "TxCtrlr.Sunrise the component has no such variable"),
    ],
)
def test_an_installer_sets_by_the_same_rules(
    rig: Rig, block: Variables, variable: str, value: str, status: str, message: str
) -> None:
    arguments = {"component": "TxCtrlr", "variable": variable, "value": value}
    block.on(OperatorCommand(7, "admin", "set_variable", arguments), NOW)
    (finished,) = (effect for effect in rig.context.effects if isinstance(effect, FinishCommand))
    assert (finished.command_id, finished.status) == (7, status)
    assert finished.message.startswith(message)
    assert bool(rig.context.signals) == (status == "Accepted")
