"""Names on a command line and in OCPP's JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device_model.naming import Names, UnknownName, from_json, parse

WORD = st.text("abcXYZ09_ -", min_size=1, max_size=20).filter(lambda word: word.strip() == word)
INSTANCE = st.one_of(st.just(""), WORD)
PLACES = st.one_of(
    st.just((0, 0)),
    st.tuples(st.integers(1, 9999), st.just(0)),
    st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
)


@given(WORD, WORD, INSTANCE, INSTANCE, PLACES)
def test_a_written_name_is_read_again(
    component: str, variable: str, component_instance: str, variable_instance: str, place: tuple[int, int]
) -> None:
    names = Names(component, variable, component_instance, variable_instance, *place)
    assert parse(str(names)) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("TxCtrlr.TxStartPoint", Names("TxCtrlr", "TxStartPoint")),
        ("OCPPCommCtrlr.MessageTimeout[Default]", Names("OCPPCommCtrlr", "MessageTimeout", "", "Default")),
        ("EVSE@1.Power", Names("EVSE", "Power", evse_id=1)),
        ("Connector@1.1.Available", Names("Connector", "Available", evse_id=1, connector_id=1)),
    ],
)
def test_the_forms_that_are_promised(text: str, names: Names) -> None:
    assert parse(text) == names


@pytest.mark.parametrize(
    "text",
    ["", "TxCtrlr", ".TxStartPoint", "TxCtrlr.", "A.B.C", "EVSE@.Power", "EVSE@x.Power", "A.B[", "A.B[]", "@1.Power"],
)
def test_what_is_no_name_is_refused_and_repeated(text: str) -> None:
    with pytest.raises(UnknownName, match="names no variable") as refused:
        parse(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize("text", ["EVSE@0.Power", "Connector@1.0.Available"])
def test_evses_are_counted_from_one(text: str) -> None:
    with pytest.raises(UnknownName, match="counted from 1"):
        parse(text)


def test_json_without_an_evse_is_not_json_with_evse_zero() -> None:
    variable = {"name": "Power", "instance": ""}
    assert from_json({"name": "EVSE"}, variable) == Names("EVSE", "Power")
    assert from_json({"name": "EVSE", "evse": {"id": 0}}, variable).evse_id < 0
    assert from_json({"name": "EVSE", "evse": {"id": 1}}, variable) == Names("EVSE", "Power", evse_id=1)
    assert from_json({"name": "EVSE", "evse": {"id": 1, "connectorId": 0}}, variable).connector_id < 0
