"""The list, its conditions, and whether tests, list and answers agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conformance import catalogue, setting
from tests.conformance.catalogue import SWITCHES, ConditionError, applies, cases, features, holds, needs, written
from tests.conformance.not_applicable import NOT_APPLICABLE
from tests.conformance.report import MEANT, variables

OPEN: set[str] = set()  # applies, and is not written yet
ON = {"C-1": True, "C-2": False, "P-ISO": False, "HFS-8": True}


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        ("", True),
        ("C-1", True),
        ("not C-1", False),
        ("not C-2 and C-1", True),
        ("C-1 or C-2 and C-2", True),
        ("(C-1 or C-2) and C-2", False),
        ("not (C-2 or P-ISO)", True),
        ("not not C-1", True),
        ("C-2 or C-1 or C-2", True),
        ("HFS-8 > 1", True),
        ("HFS-8 > 2 and C-1", False),
        ("not HFS-8 > 2", True),
        ("C-1 and (not (not C-2 and (C-2 or P-ISO)))", True),
    ],
)
def test_conditions(condition: str, true: bool) -> None:
    assert holds(condition, ON, {"HFS-8": 2}) is true


@pytest.mark.parametrize(
    "condition", ["C-1 and", "C-1 C-2", "(C-1", "C-1)", "C-9", "C-1 > 1", "HFS-8 > C-1", "C-1 & C-2", "and", "HFS-8 >"]
)
def test_a_condition_that_makes_no_sense_says_so(condition: str) -> None:
    with pytest.raises(ConditionError, match=re.escape(condition)):
        holds(condition, ON, {"HFS-8": 2})


def test_a_switch_may_be_either_way_but_not_both(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"C-1": "off", "C-2": "no", "C-3": "not yet", "C-4": "yes", "HFS-8": "2"}
    known = {ident: catalogue.Feature(ident, ident, "", "", ours) for ident, ours in answers.items()}
    monkeypatch.setattr(catalogue, "features", lambda: known)
    assert applies("C-1")
    assert applies("not C-1")
    assert not applies("C-1 and not C-1")
    assert not applies("C-2")
    assert not applies("C-3 and C-1")
    assert applies("C-3 and C-1", awaited=True)
    assert not applies("not C-4", awaited=True)
    assert applies("HFS-8 > 1")
    with pytest.raises(ConditionError, match="C-7 is in no list"):
        applies("C-7")


def test_only_what_has_no_alternative_is_needed() -> None:
    assert needs("C-49 and (C-30 or C-31)", "C-49")
    assert not needs("C-49 and (C-30 or C-31)", "C-30")
    assert not needs("not C-56", "C-56")
    assert needs("HFS-8 > 1", "HFS-8")
    assert not needs("HFS-4 and C-49", "C-49")  # cannot apply anyhow
    assert not needs("C-49", "C-30")


def test_the_list_is_whole() -> None:
    # 443 rows for 407 cases: 36 cases are in two profiles
    assert (len(cases()), len({case.id for case in cases()})) == (443, 407)
    assert len({(case.id, case.profile) for case in cases()}) == len(cases())
    assert {case.profile for case in cases()} == set(catalogue.PROFILES)
    assert all(bool(case.condition) == (case.kind == "C") for case in cases())
    for case in cases():
        applies(case.condition, awaited=True)  # can be read


def test_marks_are_found_wherever_they_stand(tmp_path: Path) -> None:
    text = 'import pytest\n@pytest.mark.tc("TC_X_01", "TC_X_02")\ndef test_a(): ...\n'
    (tmp_path / "test_x.py").write_text(text + 'ROW = pytest.param(1, marks=pytest.mark.tc("TC_X_03"))\n')
    assert written(tmp_path) == {ident: ["test_x.py"] for ident in ("TC_X_01", "TC_X_02", "TC_X_03")}
    (tmp_path / "test_y.py").write_text("import pytest\n@pytest.mark.tc(NAME)\ndef test_a(): ...\n")
    with pytest.raises(TypeError, match="literal"):
        written(tmp_path)


def test_a_case_is_played_where_it_applies() -> None:
    known = {case.id: case for case in cases()}
    allow = "EVSE.AllowReset"
    assert setting.applies(known["TC_B_28"], {})
    assert not setting.applies(known["TC_B_28"], {allow: {"true"}})
    assert not setting.applies(known["TC_B_25"], {})
    assert setting.applies(known["TC_B_25"], {allow: {"true"}})
    assert setting.applies(known["TC_E_38"], {"TxCtrlr.TxStartPoint": {"Authorized"}})
    assert not setting.applies(known["TC_E_38"], {"TxCtrlr.TxStartPoint": {"Authorized,EnergyTransfer"}})
    assert not setting.applies(known["TC_F_06"], {})
    assert setting.applies(known["TC_F_06"], {}, socket=True)
    assert setting.applies(known["TC_C_38"], {"AuthCacheCtrlr.Enabled": {"true", "false"}}), "on at some time"


# ------------------------------------------------------------------ what is written


def test_every_mark_names_a_case_of_the_list() -> None:
    assert set(written()) <= {case.id for case in cases()}


def test_no_test_proves_what_cannot_apply() -> None:
    possible = {case.id for case in cases() if applies(case.condition, awaited=True)}
    assert sorted(set(written()) - possible) == [], "features.csv says no to what these cases need"


@pytest.mark.parametrize("profile", MEANT)
def test_every_case_of_a_profile_that_is_meant_is_written(profile: str) -> None:
    meant = [case for case in cases() if case.profile == profile]
    missing = {case.id for case in meant if applies(case.condition) and case.id not in {*written(), *NOT_APPLICABLE}}
    assert meant
    assert missing <= OPEN


@pytest.mark.parametrize("block", ["A", "B", "C", "E", "F", "G", "J", "K", "L", "M", "N", "P"])
def test_every_core_case_that_applies_is_written(block: str) -> None:
    core = [case for case in cases() if case.profile == "Core" and case.block == block]
    missing = {case.id for case in core if applies(case.condition) and case.id not in {*written(), *NOT_APPLICABLE}}
    assert core
    assert missing == {ident for ident in OPEN if ident[3] == block}


def test_what_is_called_not_applicable_is() -> None:
    conditions = {case.id: case.condition for case in cases()}
    for ident, why in NOT_APPLICABLE.items():
        assert ident in conditions, ident
        assert not applies(conditions[ident]), f"{ident} applies"
        assert ident not in written(), f"{ident} is written"
        named = catalogue.ids_in(why)
        assert named, f"{ident}: name the feature that excludes it"
        assert named <= catalogue.ids_in(conditions[ident]), f"{ident}: {why}"


# ------------------------------------------------------------------ answers and device model


@pytest.mark.parametrize("ident", [ident for ident, one in features().items() if one.ours in SWITCHES and one.variable])
def test_a_switch_is_shipped_as_the_answer_says(ident: str) -> None:
    feature = features()[ident]
    name, _, wanted = feature.variable.partition("=")
    shipped = variables()[name].default
    present = wanted in shipped.split(",") if wanted else shipped not in ("", "0", "false")
    assert present is feature.present, f"{feature.variable} is shipped as {shipped!r}"


@pytest.mark.parametrize(
    "ident", [ident for ident, one in features().items() if one.ours == "not yet" and one.variable]
)
def test_what_is_not_yet_built_has_no_variable_that_can_be_set(ident: str) -> None:
    name, _, wanted = features()[ident].variable.partition("=")
    row = variables().get(name)
    offered = row is not None and row.access != "ReadOnly" and (not wanted or wanted in row.allowed.split(", "))
    assert not offered, f"{name} is in the device model: say in features.csv that {ident} is on or off"
