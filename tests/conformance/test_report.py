"""The report says what was noted, and no more."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conformance import catalogue
from tests.conformance.__main__ import read, write
from tests.conformance.document import page
from tests.conformance.record import Recorder, starts
from tests.conformance.report import report, requirements, suites
from tests.conformance.rig import Message

ENDED = "2026-01-02T03:04Z"


def item(nodeid: str, *ids: str) -> Any:
    marks = [SimpleNamespace(args=(ident,)) for ident in ids]
    return SimpleNamespace(nodeid=nodeid, iter_markers=lambda name: iter(marks))


def told(nodeid: str, when: str = "call", outcome: str = "passed", **more: Any) -> Any:
    return SimpleNamespace(nodeid=nodeid, when=when, outcome=outcome, **{"user_properties": [], **more})


def all_passed(rig: str = "memory") -> dict[str, Any]:
    return {"rig": rig, "ended": ENDED, "cases": dict.fromkeys(catalogue.written(), "passed")}


def profile(recorded: dict[str, Any], name: str = "Core") -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in report(recorded)["profiles"] if one["name"] == name)
    return found


def block(recorded: dict[str, Any], letter: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in report(recorded)["blocks"] if one["block"] == letter)
    return found


# ------------------------------------------------------------------ noting


def test_a_case_is_its_worst_test(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "deep" / "record.json", "memory")
    recorder.pytest_collection_finish(
        SimpleNamespace(  # type: ignore[arg-type]
            items=[item("a", "TC_1"), item("b", "TC_1", "TC_2"), item("c", "TC_3"), item("d", "TC_4"), item("e")]
        )
    )
    recorder.pytest_deselected([item("f", "TC_4")])
    recorder.pytest_runtest_logreport(told("a"))
    recorder.pytest_runtest_logreport(told("b"))
    recorder.pytest_runtest_logreport(told("b", "teardown", "failed"))  # the trace was not valid
    recorder.pytest_runtest_logreport(told("d"))
    recorder.pytest_runtest_logreport(told("e", outcome="failed"))
    recorder.pytest_sessionfinish()
    cases = json.loads((tmp_path / "deep" / "record.json").read_text())["cases"]
    assert cases == {"TC_1": "failed", "TC_2": "failed", "TC_3": "not run", "TC_4": "not run"}


@pytest.mark.parametrize(
    ("reports", "outcome"),
    [
        ([told("a", "setup"), told("a"), told("a", "teardown")], "passed"),
        ([told("a", "setup", "failed"), told("a", "teardown")], "failed"),
        ([told("a", "setup", "skipped"), told("a", "teardown")], "skipped"),
        ([told("a", "setup"), told("a", outcome="skipped", wasxfail="known")], "failed"),
        ([told("a", "setup"), told("a", wasxfail="known")], "failed"),
        ([told("a", "setup")], "not run"),
        ([], "not run"),
    ],
)
def test_outcomes(reports: list[Any], outcome: str) -> None:
    recorder = Recorder(Path("nowhere"), "appliance")
    recorder.pytest_collection_finish(SimpleNamespace(items=[item("a", "TC_1")]))  # type: ignore[arg-type]
    for one in reports:
        recorder.pytest_runtest_logreport(one)
    assert recorder.result()["cases"] == {"TC_1": outcome}
    assert recorder.result()["rig"] == "appliance"


# ------------------------------------------------------------------ evaluating


def test_only_both_rigs_are_a_pass() -> None:
    assert block({}, "B")["result"] == "In part"
    assert block({}, "B")["passed"] == {"memory": None, "appliance": None}
    assert block({"memory": all_passed()}, "B")["result"] == "In part"
    both = {"memory": all_passed(), "appliance": all_passed("appliance")}
    counted = block(both, "B")
    assert counted["result"] == "Pass"
    assert counted["passed"] == {"memory": counted["applicable"], "appliance": counted["applicable"]}
    both["appliance"]["cases"]["TC_B_01"] = "failed"
    assert block(both, "B")["result"] == "Fail"
    assert profile(both)["result"] == "Fail"
    both["appliance"]["cases"]["TC_B_01"] = "skipped"
    assert block(both, "B")["result"] == "In part"


def test_what_is_not_written_is_not_yet() -> None:
    recorded = {"memory": all_passed()}
    assert block(recorded, "M")["result"] == "Not yet"
    assert block(recorded, "M")["missing"] > 0
    assert profile(recorded, "Smart Charging")["result"] == "Not yet"
    assert profile(recorded, "Advanced Device Management")["result"] == "Not yet"  # one shared case is no profile


def test_a_feature_names_the_cases_that_need_it() -> None:
    whole = report({"memory": all_passed()})
    cache = next(one for one in whole["options"] if one["id"] == "C-49")
    assert (cache["supported"], cache["present"]) == (True, False)
    assert "TC_C_32" in cache["cases"]
    places = [one["id"] for part in ("hardware", "authorization", "measurands", "ciphers") for one in whole[part]]
    assert "C-30" in places
    assert "C-41" in places
    assert len(places) == len(set(places))


def test_a_way_to_authorize_names_the_cases_that_went_it() -> None:
    recorded = all_passed() | {"started": {"local ISO14443": ["TC_C_04", "TC_C_02"], "remote Central": ["TC_F_01"]}}
    recorded["cases"]["TC_C_04"] = "failed"
    ways = {one["id"]: one["cases"] for one in report({"memory": recorded})["authorization"]}
    assert {ident: went for ident, went in ways.items() if went} == {"C-30": ["TC_C_02"], "C-38": ["TC_F_01"]}


def test_how_transactions_began_is_noted() -> None:
    def event(place: int, reason: str, **token: Any) -> Message:
        return Message(place, "TransactionEvent", {"triggerReason": reason, **token})

    card, central = {"idToken": {"type": "ISO14443"}}, {"idToken": {"type": "Central"}}
    begun = [event(0, "CablePluggedIn"), event(1, "Authorized", **card), event(2, "RemoteStart", **central)]
    seen = starts([*begun, event(3, "StopAuthorized", idToken={"type": "KeyCode"}), event(4, "Authorized", **card)])
    assert seen == [("start", "local ISO14443"), ("start", "remote Central")]
    recorder = Recorder(Path("nowhere"), "memory")
    recorder.pytest_collection_finish(SimpleNamespace(items=[item("a", "TC_1")]))  # type: ignore[arg-type]
    recorder.pytest_runtest_logreport(told("a"))
    recorder.pytest_runtest_logreport(told("a", "teardown", user_properties=seen))
    assert recorder.result()["started"] == {"local ISO14443": ["TC_1"], "remote Central": ["TC_1"]}


def test_values_are_those_that_are_shipped() -> None:
    whole = report({})
    settings = {one["id"]: one["ours"] for one in whole["settings"]}
    assert settings["ORS-1"] == "1000"
    assert settings["ORS-16"] == "120"
    assert whole["measurands"][0]["ours"] == "Energy.Active.Import.Register"
    assert suites()[0] == "TLS_ECDHE_ECDSA_WITH_AES128_GCM_SHA256".replace("AES128", "AES_128")


def test_requirements_are_found_in_code_and_tests(tmp_path: Path) -> None:
    for name, text in (
        ("station/ocpp/a.py", "x = 1  # B05.FR.10, B05.FR.9"),
        ("webui/b.py", '"""Of B05.FR.10; not of XB05.FR.11."""'),
        ("tests/test_a.py", "# E05.FR.09"),
        ("docs/a.py", "# A01.FR.01"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert requirements(tmp_path) == [
        {"id": "B05.FR.9", "code": ["station/ocpp/a.py"], "tests": []},
        {"id": "B05.FR.10", "code": ["station/ocpp/a.py", "webui/b.py"], "tests": []},
        {"id": "E05.FR.09", "code": [], "tests": ["tests/test_a.py"]},
    ]


# ------------------------------------------------------------------ writing


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "webui" / "conformance").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "conformance-memory.json").write_text(json.dumps(all_passed()))
    write(tmp_path, tmp_path)
    first = (tmp_path / "docs" / "conformance.md").read_text()
    assert f"* Memory rig: run that ended {ENDED}" in first
    assert "* Appliance rig: not run in this report" in first
    assert "| TC_B_01 | Core |" in first
    assert page(json.loads((tmp_path / "webui" / "conformance" / "report.json").read_text())) == first
    write(tmp_path, tmp_path)
    assert (tmp_path / "docs" / "conformance.md").read_text() == first


def test_runs_by_other_security_profiles_stand_beside(tmp_path: Path) -> None:
    (tmp_path / "webui" / "conformance").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "conformance-memory.json").write_text(json.dumps(all_passed()))
    third = {**all_passed(), "security_profile": 3, "cases": {"TC_A_04": "passed", "TC_A_05": "failed"}}
    (tmp_path / "conformance-memory-3.json").write_text(json.dumps(third))
    write(tmp_path, tmp_path)
    text = (tmp_path / "docs" / "conformance.md").read_text()
    said = "* Memory rig in security profile 3: 1 of 2 cases passed, run that ended"
    assert f"{said} {ENDED}; not passed: TC_A_05" in text
    assert "in security profile 2" not in text
    (tmp_path / "conformance-memory-2.json").write_text(json.dumps(third))
    with pytest.raises(ValueError, match=r"conformance-memory-2\.json"):
        read(tmp_path, 2)


def test_every_table_is_even() -> None:
    text = page(report({"memory": all_passed()}))
    for table in text.split("\n\n"):
        lines = table.splitlines()
        if lines and lines[0].startswith("|"):
            assert len({line.count("|") for line in lines}) == 1, lines[0]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"rig": "appliance", "ended": "x", "cases": {}}', '{"rig": "memory"}']
)
def test_what_is_no_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "conformance-memory.json").write_text(text)
    with pytest.raises(ValueError, match=r"conformance-memory\.json"):
        read(tmp_path)


def test_without_a_run_there_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no run was noted"):
        write(tmp_path, tmp_path)
