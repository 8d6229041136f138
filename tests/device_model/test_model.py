"""The device model: typed for the station, by names and text for everybody else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.device_model.components import (
    COMPONENTS,
    EVSE,
    ChargingStation,
    ClockCtrlr,
    Connector,
    DeviceDataCtrlr,
    OCPPCommCtrlr,
    SampledDataCtrlr,
    SecurityCtrlr,
    TxCtrlr,
)
from station.device_model.definition import READ_ONLY, READ_WRITE, Attribute, Component, decimal, integer
from station.device_model.model import DeviceModel, Entry
from station.device_model.naming import Names, UnknownName, parse
from station.device_model.values import BadValue, DataType, encode
from station.domain.effects import SaveVariable
from station.domain.memory import StoredVariable

PASSWORD = "correct-horse-battery"


class Fan(Component):
    """The example of part 1, section 4.3; the station itself has no variable with set points yet."""

    FanSpeed = decimal(
        0.0,
        READ_ONLY,
        "Speed",
        minimum=0,
        maximum=1000,
        other_attributes={
            Attribute.TARGET: READ_WRITE,
            Attribute.MIN_SET: READ_WRITE,
            Attribute.MAX_SET: READ_WRITE,
        },
    )
    Delay = integer(5, READ_WRITE, "Taken over at the next start", reboot_required=True)


def stored(effect: SaveVariable | None) -> StoredVariable:
    """What the store makes of an effect."""
    assert effect is not None
    assert effect.value is not None
    return StoredVariable(
        effect.component,
        effect.variable,
        effect.value,
        effect.attribute,
        effect.component_instance,
        effect.variable_instance,
        effect.evse_id,
        effect.connector_id,
    )


# ------------------------------------------------------------------ typed


def test_every_component_exists_once_on_its_tier() -> None:
    model = DeviceModel(3, connectors=2)
    names = {str(entry.names) for entry in model.entries()}
    assert {"ChargingStation.Available", "EVSE@3.Power", "Connector@3.2.Available"} <= names
    assert "EVSE@4.Power" not in names
    assert "Connector@1.3.Available" not in names


def test_values_come_in_their_python_type() -> None:
    model = DeviceModel(2)
    assert model[TxCtrlr.EVConnectionTimeOut] == 60
    assert model[TxCtrlr.TxStartPoint] == ("EVConnected", "Authorized")
    assert model[TxCtrlr.StopTxOnInvalidId] is True
    assert model[EVSE.Power.at(2)] == 0.0
    assert model[Connector.AvailabilityState.at(1, 1)] == "Available"
    assert model[DeviceDataCtrlr.ItemsPerMessageGetReport] == 1000


def test_a_place_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        DeviceModel(2)[EVSE.Power.at(3)]


def test_a_clock_that_was_never_set_has_no_value() -> None:
    model = DeviceModel(1)
    with pytest.raises(LookupError, match=r"ClockCtrlr\.DateTime"):
        model[ClockCtrlr.DateTime]
    assert model.get(Names("ClockCtrlr", "DateTime")).value == ""  # B06.FR.13
    model.assign(ClockCtrlr.DateTime, datetime(2030, 1, 1, tzinfo=UTC))
    assert model.raw(ClockCtrlr.DateTime) == "2030-01-01T00:00:00.000Z"


def test_the_station_may_set_anything_and_stores_only_what_lasts() -> None:
    model = DeviceModel(2)
    assert model.assign(EVSE.AvailabilityState.at(1), "Occupied") is None
    assert model.raw(EVSE.AvailabilityState.at(1)) == "Occupied"
    assert model.raw(EVSE.AvailabilityState.at(2)) == "Available"
    effect = model.assign(OCPPCommCtrlr.HeartbeatInterval, 17)
    assert stored(effect) == StoredVariable("OCPPCommCtrlr", "HeartbeatInterval", "17")
    assert model.assign(OCPPCommCtrlr.HeartbeatInterval, 17) is None, "nothing new is nothing to write"


def test_what_is_measured_may_lie_outside_its_limits() -> None:
    model = DeviceModel(1)
    model.assign(EVSE.Power.at(1), 9000.5)
    assert model.raw(EVSE.Power.at(1)) == "9000.5"


def test_a_source_is_asked_each_time() -> None:
    model = DeviceModel(1)
    power = iter((1.0, 2.0, 3.0))
    model.source(EVSE.Power.at(1), lambda: next(power))
    assert model[EVSE.Power.at(1)] == 1.0
    assert model.raw(EVSE.Power.at(1)) == "2"
    assert model.get(parse("EVSE@1.Power")).value == "3"


# ------------------------------------------------------------------ GetVariables


@pytest.mark.parametrize(
    ("names", "attribute", "status"),
    [
        (Names("TxCtrlr", "EVConnectionTimeOut"), "Actual", "Accepted"),
        (Names("txctrlr", "EVCONNECTIONTIMEOUT"), "Actual", "Accepted"),
        (Names("OCPPCommCtrlr", "MessageTimeout", "", "default"), "Actual", "Accepted"),
        (Names("Nobody", "EVConnectionTimeOut"), "Actual", "UnknownComponent"),
        (Names("TxCtrlr", "EVConnectionTimeOut", "left"), "Actual", "UnknownComponent"),
        (Names("TxCtrlr", "Nothing"), "Actual", "UnknownVariable"),
        (Names("OCPPCommCtrlr", "MessageTimeout"), "Actual", "UnknownVariable"),  # B06.FR.15
        (Names("OCPPCommCtrlr", "MessageTimeout", "", "Other"), "Actual", "UnknownVariable"),
        (Names("EVSE", "Power"), "Actual", "UnknownComponent"),
        (Names("EVSE", "Power", evse_id=3), "Actual", "UnknownComponent"),
        (Names("EVSE", "Power", evse_id=1, connector_id=1), "Actual", "UnknownComponent"),
        (Names("TxCtrlr", "EVConnectionTimeOut", evse_id=1), "Actual", "UnknownComponent"),
        (Names("TxCtrlr", "EVConnectionTimeOut"), "Target", "NotSupportedAttributeType"),
        (Names("SecurityCtrlr", "BasicAuthPassword"), "Actual", "Rejected"),
        (Names("SecurityCtrlr", "BasicAuthPassword"), "MaxSet", "NotSupportedAttributeType"),
    ],
)
def test_the_statuses_of_getting(names: Names, attribute: str, status: str) -> None:
    model = DeviceModel(2)
    got = model.get(names, attribute)
    assert got.status == status
    assert bool(got.value) == (status == "Accepted")


def test_an_attribute_without_a_value_is_the_empty_text() -> None:
    got = DeviceModel(1, components=(Fan,)).get(Names("Fan", "FanSpeed"), "Target")
    assert (got.status, got.value) == ("Accepted", "")  # B06.FR.13


# ------------------------------------------------------------------ SetVariables


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("TxCtrlr.EVConnectionTimeOut", "abc", "InvalidValue"),
        ("TxCtrlr.EVConnectionTimeOut", "", "InvalidValue"),
        ("TxCtrlr.EVConnectionTimeOut", "0", "ValueTooLow"),
        ("OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]", "3601", "ValueTooHigh"),
        ("TxCtrlr.StopTxOnInvalidId", "True", "InvalidValue"),
        ("TxCtrlr.TxStartPoint", "", "InvalidValue"),
        ("TxCtrlr.TxStartPoint", "Authorized,Sunrise", "InvalidValue"),
        ("TxCtrlr.TxStartPoint", "Authorized,Authorized", "InvalidValue"),
        ("TxCtrlr.TxStopPoint", "DataSigned", "InvalidValue"),
        ("TxCtrlr.TxStopPoint", "Authorized,", "InvalidValue"),
        ("OCPPCommCtrlr.NetworkConfigurationPriority", "1,9", "InvalidValue"),
        ("SecurityCtrlr.OrganizationName", "x" * 65, "ValueOutOfRange"),
        ("SecurityCtrlr.OrganizationName", "a\nb", "InvalidValue"),
        ("SecurityCtrlr.BasicAuthPassword", "too short", "ValueOutOfRange"),
        ("SecurityCtrlr.BasicAuthPassword", "x" * 41, "ValueOutOfRange"),
        ("ClockCtrlr.TimeZone", "Middle/Earth", "InvalidValue"),
        ("OCPPCommCtrlr.MessageTimeout[Default]", "30", "ReadOnly"),
        ("SecurityCtrlr.SecurityProfile", "2", "ReadOnly"),
        ("EVSE@1.Power", "1", "ReadOnly"),
    ],
)
def test_a_bad_value_is_refused_with_its_reason_and_nothing_changes(name: str, text: str, reason: str) -> None:
    model = DeviceModel(1)
    before = [entry.text() for entry in model.entries()]
    change = model.set(parse(name), text)
    assert (change.status, change.reason_code, change.effect) == ("Rejected", reason, None)
    assert change.info
    assert [entry.text() for entry in model.entries()] == before


def test_unknown_names_and_attributes_have_their_own_statuses() -> None:
    model = DeviceModel(1)
    assert model.set(Names("Nobody", "X"), "1").status == "UnknownComponent"
    assert model.set(Names("TxCtrlr", "X"), "1").status == "UnknownVariable"
    assert model.set(Names("TxCtrlr", "EVConnectionTimeOut"), "1", "Target").status == "NotSupportedAttributeType"
    # an attribute that does not exist comes before the question who may write it
    assert model.set(Names("EVSE", "Power", evse_id=1), "1", "Target").status == "NotSupportedAttributeType"


def test_what_is_set_works_at_once_and_is_stored() -> None:
    model = DeviceModel(1)
    change = model.set(parse("txctrlr.txstartpoint"), "Authorized, PowerPathClosed")
    assert (change.status, change.old, change.new) == (
        "Accepted",
        "EVConnected,Authorized",
        "Authorized,PowerPathClosed",
    )
    assert stored(change.effect) == StoredVariable("TxCtrlr", "TxStartPoint", "Authorized,PowerPathClosed")
    assert model[TxCtrlr.TxStartPoint] == ("Authorized", "PowerPathClosed")


def test_setting_what_is_already_so_is_accepted_and_writes_nothing() -> None:
    change = DeviceModel(1).set(parse("TxCtrlr.EVConnectionTimeOut"), "60")
    assert (change.status, change.changed, change.effect) == ("Accepted", False, None)


def test_measurands_may_be_emptied() -> None:
    model = DeviceModel(1)
    assert model.set(parse("SampledDataCtrlr.TxUpdatedMeasurands"), "").status == "Accepted"
    assert model[SampledDataCtrlr.TxUpdatedMeasurands] == ()


def test_checking_sets_nothing() -> None:
    model = DeviceModel(1)
    assert model.check(parse("TxCtrlr.EVConnectionTimeOut"), "10").changed
    assert model[TxCtrlr.EVConnectionTimeOut] == 60


def test_a_secret_is_kept_and_never_shown() -> None:
    model = DeviceModel(1)
    change = model.set(parse("SecurityCtrlr.BasicAuthPassword"), PASSWORD)
    assert (change.status, change.changed, change.old, change.new) == ("Accepted", True, None, None)
    assert model[SecurityCtrlr.BasicAuthPassword] == PASSWORD
    assert stored(change.effect).value == PASSWORD
    assert PASSWORD[:8] not in model.set(parse("SecurityCtrlr.BasicAuthPassword"), PASSWORD[:8]).info


def test_a_value_that_needs_a_reboot_is_shown_at_once_and_works_later() -> None:
    model = DeviceModel(1)
    name = parse("OCPPCommCtrlr.NetworkConfigurationPriority")
    change = model.set(name, "2,1")
    assert change.status == "RebootRequired"
    assert model[OCPPCommCtrlr.NetworkConfigurationPriority] == ("1",)
    assert model.get(name).value == model.raw(OCPPCommCtrlr.NetworkConfigurationPriority) == "2,1"
    assert [entry.variable for entry in model.reset_pending()] == [OCPPCommCtrlr.NetworkConfigurationPriority]
    assert model.set(name, "2,1").status == "RebootRequired", "it still does not work"

    after = DeviceModel(1, [stored(change.effect)])
    assert after[OCPPCommCtrlr.NetworkConfigurationPriority] == ("2", "1")
    assert after.reset_pending() == []

    assert model.set(name, "1").status == "Accepted", "back to what works"
    assert model.reset_pending() == []


def test_a_validator_has_the_last_word() -> None:
    model = DeviceModel(1)

    def configured(slots: tuple[str, ...], place: object) -> None:
        if "3" in slots:
            raise BadValue("slot 3 has no network profile", "InvalidNetworkConf")

    model.add_validator(OCPPCommCtrlr.NetworkConfigurationPriority, configured)
    name = parse("OCPPCommCtrlr.NetworkConfigurationPriority")
    refused = model.set(name, "1,3")
    assert (refused.status, refused.reason_code) == ("Rejected", "InvalidNetworkConf")
    assert refused.info == "slot 3 has no network profile"
    assert model.set(name, "2,1").changed


def test_a_target_stays_between_the_set_points() -> None:
    model = DeviceModel(1, components=(Fan,))
    name = Names("Fan", "FanSpeed")
    assert model.set(name, "500", "MaxSet").status == "Accepted"
    assert model.set(name, "200", "MinSet").status == "Accepted"
    assert model.set(name, "600", "Target").reason_code == "ValueTooHigh"
    assert model.set(name, "100", "Target").reason_code == "ValueTooLow"
    assert model.set(name, "1001", "MaxSet").status == "Rejected"
    change = model.set(name, "400", "Target")
    assert stored(change.effect).attribute == "Target"
    assert (model.get(name, "Target").value, model.get(name).value) == ("400", "0")
    again = DeviceModel(1, [stored(change.effect)], components=(Fan,))
    assert (again.get(name, "Target").value, again[Fan.FanSpeed]) == ("400", 0.0)


# ------------------------------------------------------------------ what lasted


def test_what_this_release_does_not_know_or_take_is_left_out_and_told() -> None:
    records = [
        StoredVariable("TxCtrlr", "EVConnectionTimeOut", "90"),
        StoredVariable("TxCtrlr", "Abandoned", "1"),
        StoredVariable("Nobody", "X", "1"),
        StoredVariable("EVSE", "Available", "false", evse_id=7),
        StoredVariable("TxCtrlr", "TxStartPoint", "Sunrise"),
        StoredVariable("TxCtrlr", "EVConnectionTimeOut", "90", "Target"),
        StoredVariable("TxCtrlr", "EVConnectionTimeOut", "90", "Strange"),
        StoredVariable("TxCtrlr", "EVConnectionTimeOut", "90", "MaxLimit"),
        StoredVariable("EVSE", "Power", "90", evse_id=1),
    ]
    model = DeviceModel(2, records)
    assert model[TxCtrlr.EVConnectionTimeOut] == 90
    assert model.ignored == records[1:]


SETTABLE = [entry for entry in DeviceModel(2).entries() if entry.variable.mutability is not READ_ONLY]


def texts(entry: Entry) -> st.SearchStrategy[str]:
    """Values that the variable may or may not take."""
    limits, data_type = entry.limits, entry.variable.data_type
    if data_type is DataType.INTEGER:
        return st.integers(-10, 100_000).map(str)
    if data_type is DataType.BOOLEAN:
        return st.sampled_from(["true", "false"])
    if data_type.is_list:
        return st.lists(st.sampled_from([*limits.values, "Other"])).map(",".join)
    return st.text(max_size=50)


@settings(suppress_health_check=[HealthCheck.too_slow])  # of a busy machine, that is
@given(st.data())
def test_whatever_is_set_survives_a_restart_and_what_is_refused_leaves_no_trace(data: st.DataObject) -> None:
    model = DeviceModel(2)
    records: dict[Any, StoredVariable] = {}
    for entry in data.draw(st.lists(st.sampled_from(SETTABLE), max_size=12)):
        text = data.draw(texts(entry))
        before = model.raw(entry.location)
        change = model.set(entry.names, text)
        if change.status == "Rejected":
            assert model.raw(entry.location) == before
        if change.effect:
            records[entry.names] = stored(change.effect)
    again = DeviceModel(2, records.values())
    assert again.ignored == []
    assert [entry.text() for entry in again.entries()] == [entry.text() for entry in model.entries()]
    assert all(again[entry.location] == entry.variable.parse(model.raw(entry.location)) for entry in touched(records))


def touched(records: dict[Any, StoredVariable]) -> list[Entry]:
    return [entry for entry in SETTABLE if entry.names in records]


# ------------------------------------------------------------------ the factory


def test_the_factory_sets_what_is_read_only_over_ocpp() -> None:
    model = DeviceModel(2)
    effects = [
        model.factory_set("OCPPCommCtrlr.MessageTimeout[Default]", "5"),
        model.factory_set("Connector@1.1.Available", "false"),
        model.factory_set("ChargingStation.SerialNumber", "SN-1"),
        model.factory_set("EVSE@1.Power", "22080"),
    ]
    for each in (model, DeviceModel(2, [stored(effect) for effect in effects])):
        assert each.ignored == []
        assert each[OCPPCommCtrlr.MessageTimeout] == 5
        assert each[Connector.Available.at(1, 1)] is False
        assert each[Connector.Available.at(2, 1)] is True
        assert each[ChargingStation.SerialNumber] == "SN-1"
        assert (each.limits(EVSE.Power.at(1)).maximum, each[EVSE.Power.at(1)]) == (22080.0, 0.0)
        assert each.limits(EVSE.Power.at(2)).maximum == 7360


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("Nobody.X", "1", "Nobody.X: there is no component"),
        ("TxCtrlr.X", "1", "TxCtrlr.X: TxCtrlr has no variable"),
        ("OCPPCommCtrlr.MessageTimeout", "1", "no variable of this name and instance"),
        ("EVSE.Power", "1", "exists at 1, 2"),
        ("EVSE@3.Power", "1", "exists at 1, 2"),
        ("Connector@1.2.Available", "true", "exists at 1.1, 2.1"),
        ("TxCtrlr@1.TxStartPoint", "Authorized", "belongs to the station"),
        ("TxCtrlr.EVConnectionTimeOut", "soon", "TxCtrlr.EVConnectionTimeOut must be a whole number"),
        ("OCPPCommCtrlr.MessageTimeout[Default]", "0", "OCPPCommCtrlr.MessageTimeout[Default] must be at least 1"),
        ("ClockCtrlr.DateTime", "2030-01-01T00:00:00Z", "ClockCtrlr.DateTime is found out by the station itself"),
        ("EVSE@1.AvailabilityState", "Faulted", "cannot be set"),
        ("EVSE@1.Power", "-1", "EVSE@1.Power must be at least 0"),
        ("EVSE@1.Power", "0", "EVSE@1.Power must be greater than 0"),
        ("SecurityCtrlr.Identity", "CP:1", "SecurityCtrlr.Identity may only contain"),
        ("SecurityCtrlr.Identity", "", "must not be empty"),
    ],
)
def test_the_factory_is_told_what_is_wrong(name: str, text: str, words: str) -> None:
    model = DeviceModel(2)
    before = [(entry.text(), entry.limits) for entry in model.entries()]
    with pytest.raises((UnknownName, BadValue)) as refused:
        model.factory_set(name, text)
    assert words in str(refused.value)
    assert [(entry.text(), entry.limits) for entry in model.entries()] == before


def test_a_rating_learnt_from_the_board_is_the_limit() -> None:
    model = DeviceModel(2)
    model.rate(EVSE.Power.at(2), 11_040.0)
    assert model.limits(EVSE.Power.at(2)).maximum == 11_040.0
    assert model.limits(EVSE.Power.at(1)).maximum == 7360


@given(st.sampled_from(list(DeviceModel(2).entries())), st.text(max_size=60))
def test_no_text_whatever_breaks_the_model(entry: Entry, text: str) -> None:
    model = DeviceModel(2)
    change = model.set(entry.names, text)
    assert change.status in ("Accepted", "Rejected", "RebootRequired")
    if change.status != "Rejected":
        assert encode(entry.variable.parse(model.raw(entry.location))) == model.raw(entry.location)


def test_one_table_cannot_define_a_variable_twice() -> None:
    with pytest.raises(TypeError, match="defined twice"):
        DeviceModel(1, components=(*COMPONENTS, TxCtrlr))
