"""Part 6, section 2.3: B Provisioning. Base reports (B07)."""

import pytest

from tests.conformance.reports import LISTS, base_report, name_of, places_of
from tests.conformance.rig import Payload, Rig

# Part 2, section 2 of the referenced components and variables, and part 4, section 8, for the functional blocks of
# Core: component, variable, instance. Written from the specification, not from the station's own table.
WRITABLE = {
    ("AlignedDataCtrlr", "Interval", ""),
    ("AlignedDataCtrlr", "Measurands", ""),
    ("AlignedDataCtrlr", "TxEndedInterval", ""),
    ("AlignedDataCtrlr", "TxEndedMeasurands", ""),
    ("AuthCtrlr", "LocalAuthorizeOffline", ""),
    ("AuthCtrlr", "LocalPreAuthorize", ""),
    ("ClockCtrlr", "TimeSource", ""),
    ("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent"),
    ("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent"),
    ("OCPPCommCtrlr", "NetworkConfigurationPriority", ""),
    ("OCPPCommCtrlr", "NetworkProfileConnectionAttempts", ""),
    ("OCPPCommCtrlr", "OfflineThreshold", ""),
    ("OCPPCommCtrlr", "ResetRetries", ""),
    ("OCPPCommCtrlr", "RetryBackOffRandomRange", ""),
    ("OCPPCommCtrlr", "RetryBackOffRepeatTimes", ""),
    ("OCPPCommCtrlr", "RetryBackOffWaitMinimum", ""),
    ("OCPPCommCtrlr", "WebSocketPingInterval", ""),
    ("SampledDataCtrlr", "TxEndedInterval", ""),
    ("SampledDataCtrlr", "TxEndedMeasurands", ""),
    ("SampledDataCtrlr", "TxStartedMeasurands", ""),
    ("SampledDataCtrlr", "TxUpdatedInterval", ""),
    ("SampledDataCtrlr", "TxUpdatedMeasurands", ""),
    ("SecurityCtrlr", "OrganizationName", ""),
    ("TxCtrlr", "EVConnectionTimeOut", ""),
    ("TxCtrlr", "StopTxOnEVSideDisconnect", ""),
    ("TxCtrlr", "StopTxOnInvalidId", ""),
}
OTHERS = {  # read-only, or the station may choose
    ("AuthCtrlr", "AuthorizeRemoteStart", ""),
    ("ClockCtrlr", "DateTime", ""),
    ("DeviceDataCtrlr", "BytesPerMessage", "GetReport"),
    ("DeviceDataCtrlr", "BytesPerMessage", "GetVariables"),
    ("DeviceDataCtrlr", "BytesPerMessage", "SetVariables"),
    ("DeviceDataCtrlr", "ItemsPerMessage", "GetReport"),
    ("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"),
    ("DeviceDataCtrlr", "ItemsPerMessage", "SetVariables"),
    ("OCPPCommCtrlr", "ActiveNetworkProfile", ""),  # errata 2.57
    ("OCPPCommCtrlr", "FileTransferProtocols", ""),
    ("OCPPCommCtrlr", "MessageTimeout", "Default"),
    ("OCPPCommCtrlr", "UnlockOnEVSideDisconnect", ""),
    ("SecurityCtrlr", "CertificateEntries", ""),
    ("SecurityCtrlr", "SecurityProfile", ""),
    ("TxCtrlr", "TxStartPoint", ""),
    ("TxCtrlr", "TxStopPoint", ""),
}
STATION, EVSES, CONNECTORS = [(0, 0)], [(1, 0), (2, 0)], [(1, 1), (2, 1)]
INFRASTRUCTURE = {
    ("ChargingStation", "Available"): STATION,
    ("ChargingStation", "AvailabilityState"): STATION,
    ("ChargingStation", "SupplyPhases"): STATION,
    ("EVSE", "Available"): EVSES,
    ("EVSE", "AvailabilityState"): EVSES,
    ("EVSE", "Power"): EVSES,
    ("EVSE", "SupplyPhases"): EVSES,
    ("Connector", "Available"): CONNECTORS,
    ("Connector", "AvailabilityState"): CONNECTORS,
    ("Connector", "ConnectorType"): CONNECTORS,
    ("Connector", "SupplyPhases"): CONNECTORS,
}


def required_are_there(data: list[Payload]) -> None:
    """Every required variable of the functional blocks of Core, at every place."""
    missing = (WRITABLE | OTHERS) - {name_of(one) for one in data}
    assert not missing, sorted(missing)
    for (component, variable), places in INFRASTRUCTURE.items():
        assert places_of(data, component, variable) == places, f"{component}.{variable}"


@pytest.mark.tc("TC_B_12")
def test_configuration_inventory(rig: Rig) -> None:
    rig.start()
    data = base_report(rig, "ConfigurationInventory")
    for one in data:
        assert any(attribute["mutability"] in ("ReadWrite", "WriteOnly") for attribute in one["variableAttribute"]), one
    missing = WRITABLE - {name_of(one) for one in data}
    assert not missing, sorted(missing)


@pytest.mark.tc("TC_B_13")
@pytest.mark.both_rigs
def test_full_inventory(rig: Rig) -> None:
    rig.start()
    required_are_there(base_report(rig, "FullInventory"))


@pytest.mark.tc("TC_B_14")
def test_summary_inventory(rig: Rig) -> None:
    rig.start()
    rig.fault(1, "GroundFailure")
    rig.expect("StatusNotification", lambda one: one["connectorStatus"] == "Faulted")
    data = base_report(rig, "SummaryInventory")
    assert places_of(data, "ChargingStation", "AvailabilityState") == STATION
    assert places_of(data, "EVSE", "AvailabilityState") == EVSES
    assert places_of(data, "EVSE", "Problem") == [(1, 0)], "what is in an abnormal state, and only that"
    assert {name_of(one)[1] for one in data} <= {"AvailabilityState", "Problem", "Tripped", "Overload", "Fallback"}


@pytest.mark.tc("TC_B_15")
def test_a_base_report_that_is_not_supported(rig: Rig) -> None:
    rig.start(**{"DeviceDataCtrlr.SummaryInventoryEnabled": "false"})
    response = rig.call("GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"})
    assert response["status"] == "NotSupported", response
    assert response.get("statusInfo", {}).get("reasonCode", "UnsupportedParam") == "UnsupportedParam", response
    rig.expect_none("NotifyReport")


@pytest.mark.tc("TC_B_53")
def test_mandatory_variables_and_their_values(rig: Rig) -> None:
    rig.start()
    data = base_report(rig, "FullInventory")
    required_are_there(data)
    for one in data:
        values = one["variableCharacteristics"].get("valuesList", "").split(",")
        for attribute in one["variableAttribute"]:
            if attribute.get("mutability", "ReadWrite") == "WriteOnly":
                assert "value" not in attribute, one
                continue
            if name_of(one)[:2] == ("EVSE", "Power"):
                assert "maxLimit" in one["variableCharacteristics"], one
                continue
            assert "value" in attribute, one
            if one["variableCharacteristics"]["dataType"] in LISTS and attribute["value"]:
                assert set(attribute["value"].split(",")) <= set(values), one
