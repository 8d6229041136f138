"""B07 and B08: base reports and custom reports."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device_model.components import (
    EVSE,
    AlignedDataCtrlr,
    ChargingStation,
    Connector,
    DeviceDataCtrlr,
    SecurityCtrlr,
)
from station.device_model.definition import READ_ONLY
from station.domain.effects import Call
from station.domain.events import LinkDown
from station.ocpp.block import CallRefused
from station.ocpp.blocks.b_provisioning.reports import REPORTS_AT_ONCE, Reports, notify_report, split
from station.ocpp.blocks.b_provisioning.variables import encoded_length
from tests.ocpp.blocks.rig import NOW, Rig, frame_length

GENERATED_AT = "2030-01-02T03:04:05.678Z"


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def block(rig: Rig) -> Reports:
    return Reports(rig.context)


def base(rig: Rig, block: Reports, report_base: str, request_id: int = 42) -> dict[str, Any]:
    return rig.ask(block, "GetBaseReport", {"requestId": request_id, "reportBase": report_base})


def custom(rig: Rig, block: Reports, *wanted: dict[str, Any], criteria: tuple[str, ...] = ()) -> dict[str, Any]:
    payload: dict[str, Any] = {"requestId": 43}
    if wanted:
        payload["componentVariable"] = list(wanted)
    if criteria:
        payload["componentCriteria"] = list(criteria)
    return rig.ask(block, "GetReport", payload)


def written(data: dict[str, Any]) -> str:
    """The name of a ReportDataType's variable, as on a command line."""
    component, variable = data["component"], data["variable"]
    evse = component.get("evse", {})
    place = ".".join(str(evse[key]) for key in ("id", "connectorId") if key in evse)
    instance = f"[{variable['instance']}]" if "instance" in variable else ""
    return component["name"] + (f"@{place}" if place else "") + "." + variable["name"] + instance


def reported(rig: Rig) -> dict[str, dict[str, Any]]:
    """Everything that the parts on their way report, by name; nothing comes twice."""
    data = [item for call in rig.all_calls() for item in call.payload["reportData"]]
    names = [written(item) for item in data]
    assert len(names) == len(set(names))
    return dict(zip(names, data, strict=True))


# ------------------------------------------------------------------ the parts


def test_a_report_comes_in_order_and_complete(rig: Rig, block: Reports) -> None:
    assert base(rig, block, "FullInventory") == {"status": "Accepted"}
    calls = rig.all_calls()
    assert len(calls) > 10
    for number, call in enumerate(calls):
        assert call.action == "NotifyReport"
        assert call.payload["seqNo"] == number  # B07.FR.10
        assert call.payload["requestId"] == 42  # B07.FR.04
        assert call.payload["tbc"] == (number < len(calls) - 1)
        assert call.payload["generatedAt"] == GENERATED_AT
    names = [written(item) for call in calls for item in call.payload["reportData"]]
    assert names == [str(entry.names) for entry in rig.model.entries()]


def test_no_part_is_longer_than_the_limit_and_none_is_shorter_than_it_could_be(rig: Rig, block: Reports) -> None:
    base(rig, block, "FullInventory")
    calls = rig.all_calls()
    lengths = [frame_length(call) for call in calls]
    assert max(lengths) <= rig.model[DeviceDataCtrlr.BytesPerMessageGetReport] == 1000
    first_entries = [encoded_length(call.payload["reportData"][0]) for call in calls[1:]]
    for length, next_entry in zip(lengths, first_entries, strict=False):
        # 3: digits of seqNo that were kept free; 1: "false" is longer than "true"; 1: a comma
        assert length + next_entry + 5 > 1000, "the next entry would have fitted"


def test_the_number_of_entries_is_limited_too(rig: Rig, block: Reports) -> None:
    rig.model.factory_set("DeviceDataCtrlr.ItemsPerMessage[GetReport]", "3")
    rig.model.factory_set("DeviceDataCtrlr.BytesPerMessage[GetReport]", "1000000")
    base(rig, block, "FullInventory")
    counts = [len(call.payload["reportData"]) for call in rig.all_calls()]
    assert set(counts[:-1]) == {3}
    assert sum(counts) == len(list(rig.model.entries()))


ENTRY = st.text('aä€😀"\\\n', max_size=80).map(lambda text: {"text": text})


@given(st.lists(ENTRY, max_size=60), st.integers(1, 20), st.integers(200, 2000), st.integers(0, 2**31 - 1))
def test_splitting_keeps_all_and_keeps_to_both_limits(
    data: list[dict[str, Any]], items: int, size: int, request_id: int
) -> None:
    parts = list(split(data, request_id, items=items, size=size))
    assert [entry for part in parts for entry in part] == data
    for number, part in enumerate(parts):
        payload = notify_report(request_id, GENERATED_AT, number, part, more=number < len(parts) - 1)
        length = frame_length(Call("01234567-89ab-cdef-0123-456789abcdef", "NotifyReport", payload, 30.0))
        assert 1 <= len(part) <= items
        assert length <= size or len(part) == 1


def test_the_next_part_waits_for_the_answer_to_the_last(rig: Rig, block: Reports) -> None:
    base(rig, block, "FullInventory")
    first = rig.next_call()
    assert first is not None
    assert rig.next_call() is None
    assert not rig.context.outbox.volatile, "only one part at a time is handed over, so that others get in between"
    rig.answer(first)
    second = rig.next_call()
    assert second is not None
    assert second.payload["seqNo"] == 1


@pytest.mark.parametrize("code", ["Timeout", "InternalError"])
def test_a_part_that_the_csms_does_not_take_does_not_hold_up_the_rest(rig: Rig, block: Reports, code: str) -> None:
    base(rig, block, "FullInventory")
    first = rig.next_call()
    assert first is not None
    rig.fail(first, code)
    rest = rig.all_calls()
    assert [call.payload["seqNo"] for call in rest] == list(range(1, len(rest) + 1))
    assert not rest[-1].payload["tbc"]


@pytest.mark.parametrize("block_hears_first", [True, False])
def test_a_lost_link_ends_the_report(rig: Rig, block: Reports, block_hears_first: bool) -> None:
    base(rig, block, "FullInventory")
    assert rig.next_call()
    if block_hears_first:
        block.on(LinkDown(), NOW)
    rig.context.outbox.link_down(NOW)
    block.on(LinkDown(), NOW)
    rig.context.outbox.link_up()
    assert rig.next_call() is None
    assert base(rig, block, "FullInventory")["status"] == "Accepted"
    assert rig.all_calls()[0].payload["seqNo"] == 0


def test_two_reports_follow_each_other_and_too_many_are_refused(rig: Rig, block: Reports) -> None:
    answers = [base(rig, block, "SummaryInventory", number) for number in range(REPORTS_AT_ONCE + 1)]
    assert [answer["status"] for answer in answers] == ["Accepted"] * REPORTS_AT_ONCE + ["Rejected"]
    order = [call.payload["requestId"] for call in rig.all_calls()]
    assert order == sorted(order)
    assert set(order) == set(range(REPORTS_AT_ONCE))
    assert base(rig, block, "SummaryInventory")["status"] == "Accepted"


def test_a_report_is_what_was_so_when_it_was_asked_for(rig: Rig, block: Reports) -> None:
    base(rig, block, "FullInventory")
    rig.model.assign(EVSE.AvailabilityState.at(2), "Faulted")
    assert reported(rig)["EVSE@2.AvailabilityState"]["variableAttribute"][0]["value"] == "Available"


def test_while_pending_a_report_that_was_asked_for_goes_out(rig: Rig, block: Reports) -> None:
    rig.context.outbox.registration = "Pending"
    base(rig, block, "SummaryInventory")
    assert reported(rig)


# ------------------------------------------------------------------ the data


def test_a_variable_is_reported_with_all_that_is_known_of_it(rig: Rig, block: Reports) -> None:
    rig.model.rate(EVSE.Power.at(1), 11_040.0)
    base(rig, block, "FullInventory")
    data = reported(rig)
    assert data["EVSE@1.Power"] == {
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "Power"},
        "variableAttribute": [
            {"type": "Actual", "value": "0", "mutability": "ReadOnly", "persistent": False, "constant": False}
        ],
        "variableCharacteristics": {
            "dataType": "decimal",
            "unit": "W",
            "minLimit": 0,
            "maxLimit": 11_040.0,
            "supportsMonitoring": False,
        },
    }
    assert data["OCPPCommCtrlr.MessageTimeout[Default]"]["variable"] == {
        "name": "MessageTimeout",
        "instance": "Default",
    }
    assert data["Connector@2.1.AvailabilityState"]["component"]["evse"] == {"id": 2, "connectorId": 1}
    for item in data.values():
        characteristics = item["variableCharacteristics"]
        attribute = item["variableAttribute"][0]
        if characteristics["dataType"] in ("OptionList", "MemberList", "SequenceList"):
            allowed = characteristics["valuesList"].split(",")
            assert set(attribute["value"].split(",")) <= set(allowed)
        assert ("value" in attribute) == (attribute["mutability"] != "WriteOnly")


def test_a_password_is_never_reported(rig: Rig, block: Reports) -> None:
    rig.model.assign(SecurityCtrlr.BasicAuthPassword, "correct-horse-battery")
    base(rig, block, "FullInventory")
    calls = rig.all_calls()
    assert "correct-horse" not in str(calls)


# ------------------------------------------------------------------ base reports


def test_the_configuration_is_what_can_be_set(rig: Rig, block: Reports) -> None:
    assert base(rig, block, "ConfigurationInventory") == {"status": "Accepted"}
    data = reported(rig)
    assert {item["variableAttribute"][0]["mutability"] for item in data.values()} == {"ReadWrite", "WriteOnly"}
    settable = {str(entry.names) for entry in rig.model.entries() if entry.variable.mutability is not READ_ONLY}
    assert set(data) == settable


def test_the_summary_is_availability_and_what_is_wrong(rig: Rig, block: Reports) -> None:
    base(rig, block, "SummaryInventory")
    healthy = {"ChargingStation.AvailabilityState", "EVSE@1.AvailabilityState", "EVSE@2.AvailabilityState"}
    assert set(reported(rig)) == healthy
    rig.model.assign(EVSE.Problem.at(2), True)
    rig.model.assign(Connector.AvailabilityState.at(2, 1), "Faulted")
    base(rig, block, "SummaryInventory")
    assert set(reported(rig)) == healthy | {"EVSE@2.Problem", "Connector@2.1.AvailabilityState"}


# ------------------------------------------------------------------ custom reports


def component(name: str, evse_id: int = 0, connector_id: int = 0, **more: str) -> dict[str, Any]:
    evse = {"id": evse_id} | ({"connectorId": connector_id} if connector_id else {})
    return {"name": name, **({"evse": evse} if evse_id else {}), **more}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (
            {"component": component("EVSE", 1), "variable": {"name": "AvailabilityState"}},
            {"EVSE@1.AvailabilityState"},
        ),
        (
            {"component": component("evse"), "variable": {"name": "availabilitystate"}},  # B08.FR.23
            {"EVSE@1.AvailabilityState", "EVSE@2.AvailabilityState"},
        ),
        (
            {"component": component("Connector", 2), "variable": {"name": "Available"}},  # B08.FR.22
            {"Connector@2.1.Available"},
        ),
        (
            {"component": component("DeviceDataCtrlr"), "variable": {"name": "ItemsPerMessage"}},  # B08.FR.21
            {f"DeviceDataCtrlr.ItemsPerMessage[{action}]" for action in ("GetReport", "GetVariables", "SetVariables")},
        ),
        (
            {
                "component": component("DeviceDataCtrlr"),
                "variable": {"name": "ItemsPerMessage", "instance": "GetReport"},
            },
            {"DeviceDataCtrlr.ItemsPerMessage[GetReport]"},
        ),
        (
            {"component": component("TxCtrlr", instance=""), "variable": {"name": "TxStopPoint", "instance": ""}},
            {"TxCtrlr.TxStopPoint"},
        ),
    ],
)
def test_a_filter_that_leaves_something_out_means_all_of_it(
    rig: Rig, block: Reports, wanted: dict[str, Any], names: set[str]
) -> None:
    assert custom(rig, block, wanted) == {"status": "Accepted"}
    assert set(reported(rig)) == names


def test_without_a_variable_the_whole_component_is_reported_once(rig: Rig, block: Reports) -> None:
    custom(rig, block, {"component": component("AlignedDataCtrlr")}, {"component": component("AlignedDataCtrlr")})
    assert set(reported(rig)) == {  # B08.FR.20
        *(f"AlignedDataCtrlr.{variable.name}" for variable in AlignedDataCtrlr.variables()),
        *(f"AlignedDataCtrlr@{evse}.SendDuringIdle" for evse in (1, 2)),
    }


@pytest.mark.parametrize(
    "wanted",
    [
        {"component": component("Nobody")},
        {"component": component("EVSE", 3)},
        {"component": component("EVSE", instance="left")},
        {"component": component("TxCtrlr"), "variable": {"name": "Nothing"}},
        {"component": component("DeviceDataCtrlr"), "variable": {"name": "ItemsPerMessage", "instance": "Other"}},
    ],
)
def test_what_does_not_exist_is_an_empty_result(rig: Rig, block: Reports, wanted: dict[str, Any]) -> None:
    assert custom(rig, block, wanted)["status"] == "EmptyResultSet"  # B08.FR.15
    assert rig.next_call() is None


def test_criteria_and_variables_together_limit_each_other(rig: Rig, block: Reports) -> None:
    wanted = {"component": component("EVSE", 1), "variable": {"name": "AvailabilityState"}}
    assert custom(rig, block, wanted, criteria=("Available",))["status"] == "Accepted"
    assert set(reported(rig)) == {"EVSE@1.AvailabilityState"}
    assert custom(rig, block, wanted, criteria=("Problem",)) == {
        "status": "EmptyResultSet",
        "statusInfo": {"reasonCode": "NotFound"},
    }


def test_enabled_components_are_those_that_do_not_say_otherwise(rig: Rig, block: Reports) -> None:
    rig.model.assign(AlignedDataCtrlr.Enabled, False)
    custom(rig, block, criteria=("Enabled",))
    names = set(reported(rig))
    left_out = {f"AlignedDataCtrlr.{variable.name}" for variable in AlignedDataCtrlr.variables()}
    names_on = {str(entry.names) for entry in rig.model.entries() if entry.names.component != "AuthCacheCtrlr"}
    assert names == names_on - left_out


def test_a_problem_is_one_only_where_it_is_said(rig: Rig, block: Reports) -> None:
    assert custom(rig, block, criteria=("Problem",))["status"] == "EmptyResultSet"
    rig.model.assign(EVSE.Problem.at(2), True)
    custom(rig, block, criteria=("Problem",))
    assert {name.partition(".")[0] for name in reported(rig)} == {"EVSE@2"}


def test_one_criterion_of_several_is_enough(rig: Rig, block: Reports) -> None:
    rig.model.factory_set("EVSE@1.Available", "false")
    rig.model.assign(EVSE.Problem.at(1), True)
    rig.model.assign(ChargingStation.Problem, True)
    custom(rig, block, criteria=("Available",))
    assert not any(name.startswith("EVSE@1.") for name in reported(rig))
    custom(rig, block, criteria=("Available", "Problem"))  # B08.FR.13
    assert any(name.startswith("EVSE@1.") for name in reported(rig))


def test_a_request_beyond_the_limits_is_refused(rig: Rig, block: Reports) -> None:
    wanted = {"component": component("TxCtrlr")}
    with pytest.raises(CallRefused) as refused:
        custom(rig, block, *[wanted] * 1001)
    assert refused.value.code == "OccurrenceConstraintViolation"  # B08.FR.17
    with pytest.raises(CallRefused) as refused:
        custom(rig, block, *[wanted] * 40)
    assert refused.value.code == "FormatViolation"  # B08.FR.18
    assert rig.next_call() is None
