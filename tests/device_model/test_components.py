"""The tables: sound in themselves, and as OCPP demands."""

from __future__ import annotations

from typing import Any

import pytest

from station.device_model.components import COMPONENTS, Connector, OCPPCommCtrlr
from station.device_model.definition import READ_ONLY, READ_WRITE, WRITE_ONLY, Component, Scope, Variable, integer
from station.device_model.values import encode

VARIABLES = [variable for component in COMPONENTS for variable in component.variables()]

RO, RW, WO = READ_ONLY, READ_WRITE, WRITE_ONLY
EITHER = None  # part 2 leaves it to the station

# Facts of part 2, "Referenced Components and Variables", of part 4, chapter 8, and of errata 2025-09 (2.1, 2.57, 2.66):
# what is required of a station with the blocks that are built. Component, variable, instance, type, unit, mutability.
REQUIRED: list[tuple[str, str, str, str, str, Any]] = [
    ("OCPPCommCtrlr", "ActiveNetworkProfile", "", "integer", "", RO),
    ("OCPPCommCtrlr", "MessageTimeout", "Default", "integer", "s", RO),
    ("OCPPCommCtrlr", "FileTransferProtocols", "", "MemberList", "", RO),
    ("OCPPCommCtrlr", "NetworkConfigurationPriority", "", "SequenceList", "", RW),
    ("OCPPCommCtrlr", "NetworkProfileConnectionAttempts", "", "integer", "", RW),
    ("OCPPCommCtrlr", "OfflineThreshold", "", "integer", "s", RW),
    ("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent", "integer", "", RW),
    ("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent", "integer", "s", RW),
    ("OCPPCommCtrlr", "UnlockOnEVSideDisconnect", "", "boolean", "", EITHER),
    ("OCPPCommCtrlr", "ResetRetries", "", "integer", "", RW),
    ("OCPPCommCtrlr", "RetryBackOffRepeatTimes", "", "integer", "", RW),
    ("OCPPCommCtrlr", "RetryBackOffRandomRange", "", "integer", "s", RW),
    ("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "", "integer", "s", RW),
    ("OCPPCommCtrlr", "WebSocketPingInterval", "", "integer", "s", RW),
    ("DeviceDataCtrlr", "ItemsPerMessage", "GetReport", "integer", "", RO),
    ("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables", "integer", "", RO),
    ("DeviceDataCtrlr", "ItemsPerMessage", "SetVariables", "integer", "", RO),
    ("DeviceDataCtrlr", "BytesPerMessage", "GetReport", "integer", "", RO),
    ("DeviceDataCtrlr", "BytesPerMessage", "GetVariables", "integer", "", RO),
    ("DeviceDataCtrlr", "BytesPerMessage", "SetVariables", "integer", "", RO),
    ("ClockCtrlr", "DateTime", "", "dateTime", "", RO),
    ("ClockCtrlr", "TimeSource", "", "SequenceList", "", RW),
    ("SecurityCtrlr", "BasicAuthPassword", "", "string", "", WO),
    ("SecurityCtrlr", "OrganizationName", "", "string", "", RW),
    ("SecurityCtrlr", "CertificateEntries", "", "integer", "", RO),
    ("SecurityCtrlr", "SecurityProfile", "", "integer", "", RO),
    ("AuthCtrlr", "AuthorizeRemoteStart", "", "boolean", "", EITHER),
    ("AuthCtrlr", "LocalAuthorizeOffline", "", "boolean", "", RW),
    ("AuthCtrlr", "LocalPreAuthorize", "", "boolean", "", RW),
    ("TxCtrlr", "EVConnectionTimeOut", "", "integer", "s", RW),
    ("TxCtrlr", "StopTxOnEVSideDisconnect", "", "boolean", "", EITHER),
    ("TxCtrlr", "TxStartPoint", "", "MemberList", "", EITHER),
    ("TxCtrlr", "TxStopPoint", "", "MemberList", "", EITHER),
    ("TxCtrlr", "StopTxOnInvalidId", "", "boolean", "", RW),
    ("SampledDataCtrlr", "TxEndedMeasurands", "", "MemberList", "", RW),
    ("SampledDataCtrlr", "TxEndedInterval", "", "integer", "s", RW),
    ("SampledDataCtrlr", "TxStartedMeasurands", "", "MemberList", "", RW),
    ("SampledDataCtrlr", "TxUpdatedMeasurands", "", "MemberList", "", RW),
    ("SampledDataCtrlr", "TxUpdatedInterval", "", "integer", "s", RW),
    ("AlignedDataCtrlr", "Measurands", "", "MemberList", "", RW),
    ("AlignedDataCtrlr", "Interval", "", "integer", "s", RW),
    ("AlignedDataCtrlr", "TxEndedMeasurands", "", "MemberList", "", RW),
    ("AlignedDataCtrlr", "TxEndedInterval", "", "integer", "s", RW),
    ("ChargingStation", "Available", "", "boolean", "", RO),
    ("ChargingStation", "AvailabilityState", "", "OptionList", "", RO),
    ("ChargingStation", "SupplyPhases", "", "integer", "", RO),
    ("EVSE", "Available", "", "boolean", "", RO),
    ("EVSE", "AvailabilityState", "", "OptionList", "", RO),
    ("EVSE", "SupplyPhases", "", "integer", "", RO),
    ("EVSE", "Power", "", "decimal", "W", RO),
    ("Connector", "Available", "", "boolean", "", RO),
    ("Connector", "AvailabilityState", "", "OptionList", "", RO),
    ("Connector", "ConnectorType", "", "string", "", RO),
    ("Connector", "SupplyPhases", "", "integer", "", RO),
]

# Settings that the certificate was given for (../shared/conformance/features.csv: ORS and C).
CERTIFIED = {
    ("DeviceDataCtrlr", "ItemsPerMessage", "GetReport"): "1000",
    ("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"): "1000",
    ("DeviceDataCtrlr", "ItemsPerMessage", "SetVariables"): "1000",
    ("DeviceDataCtrlr", "BytesPerMessage", "GetReport"): "1000",
    ("DeviceDataCtrlr", "BytesPerMessage", "GetVariables"): "1000000",
    ("DeviceDataCtrlr", "BytesPerMessage", "SetVariables"): "1000000",
    ("OCPPCommCtrlr", "WebSocketPingInterval", ""): "120",
    ("OCPPCommCtrlr", "FileTransferProtocols", ""): "HTTP,HTTPS",
    ("OCPPCommCtrlr", "UnlockOnEVSideDisconnect", ""): "false",
    ("SampledDataCtrlr", "RateChangedInterval", ""): "0",
    ("AuthCtrlr", "OfflineTxForUnknownIdEnabled", ""): "true",
    ("AuthCtrlr", "AuthorizeRemoteStart", ""): "false",
    ("TxCtrlr", "StopTxOnEVSideDisconnect", ""): "true",
    ("Connector", "ConnectorType", ""): "cType1",
}


def by_name() -> dict[tuple[str, str, str], Variable[Any]]:
    return {(variable.component, variable.name, variable.instance): variable for variable in VARIABLES}


@pytest.mark.parametrize("fact", REQUIRED, ids=lambda fact: f"{fact[0]}.{fact[1]}[{fact[2]}]")
def test_what_ocpp_requires_is_there_as_it_requires_it(fact: tuple[str, str, str, str, str, Any]) -> None:
    component, name, instance, data_type, unit, mutability = fact
    variable = by_name()[component, name, instance]
    assert (variable.data_type.value, variable.unit) == (data_type, unit)
    assert mutability in (EITHER, variable.mutability)
    assert variable.required, "the table does not say where it is required"


def test_the_table_calls_nothing_required_that_is_not() -> None:
    assert {key for key, variable in by_name().items() if variable.required} == {fact[:3] for fact in REQUIRED}


@pytest.mark.parametrize(("key", "default"), CERTIFIED.items(), ids=lambda item: str(item))
def test_the_certificates_settings_are_the_defaults(key: tuple[str, str, str], default: str) -> None:
    assert encode(by_name()[key].default) == default


def test_the_certificates_longest_interval_between_attempts_is_the_limit() -> None:
    assert OCPPCommCtrlr.MessageAttemptInterval.limits.maximum == 3600


@pytest.mark.parametrize("variable", VARIABLES, ids=repr)
def test_every_default_is_a_value_that_could_be_set(variable: Variable[Any]) -> None:
    if variable.default in (None, ""):  # not set yet
        assert not variable.data_type.is_number
        return
    assert variable.parse(encode(variable.default)) == variable.default


@pytest.mark.parametrize("variable", VARIABLES, ids=repr)
def test_every_definition_is_sound(variable: Variable[Any]) -> None:
    assert len(variable.component) <= 50
    assert len(variable.name) <= 50
    assert len(variable.instance) <= 50
    assert len(variable.unit) <= 16
    assert variable.doc
    assert not variable.doc.endswith(".")
    if variable.mutability is not READ_ONLY:
        assert variable.persistent, "part 2: what is writable is persistent"
        assert not any((variable.constant, variable.computed))
    if variable.data_type.is_list or variable.data_type.value == "OptionList":
        assert variable.limits.values, "TC_B_53: a list has its valuesList"
        assert len(",".join(variable.limits.values)) <= 1000
    elif variable.data_type.value == "string":
        assert variable.limits.maximum is not None, "every text has a longest length"
    assert variable.secret == (variable.mutability is WRITE_ONLY)
    assert not (variable.vendor and variable.required)


def test_names_differ_in_more_than_their_case() -> None:
    keys = [
        (one.component.casefold(), one.scope, one.name.casefold(), one.instance.casefold())
        for one in VARIABLES  # the same name on two tiers is two variables (AlignedDataCtrlr.SendDuringIdle)
    ]
    assert len(keys) == len(set(keys))


def test_a_variable_exists_on_its_components_tier_only() -> None:
    assert Connector.Available.at(1, 1) is Connector.Available.at(1, 1)
    assert Connector.Available.at(1, 1) is not Connector.Available.at(2, 1)
    with pytest.raises(ValueError, match="each connector"):
        Connector.Available.at(1)
    with pytest.raises(ValueError, match="once for station"):
        OCPPCommCtrlr.OfflineThreshold.at(1)


def test_one_definition_belongs_to_one_component() -> None:
    shared = integer(1, READ_WRITE, "shared")

    class First(Component):
        One = shared

    assert (First.One.component, First.One.scope) == ("First", Scope.STATION)
    with pytest.raises(TypeError, match="defined twice"):

        class Second(Component):
            Two = shared
