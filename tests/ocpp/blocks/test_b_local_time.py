"""The offset of local time changes when it was told to; timestamps stay UTC."""

from __future__ import annotations

from datetime import timedelta

from station.domain.moment import rfc3339
from tests.support.memory_rig import EPOCH, MemoryRig

AT = "ClockCtrlr.NextTimeOffsetTransitionDateTime"
NEXT = "ClockCtrlr.TimeOffset[NextTransition]"


def offset(rig: MemoryRig, instance: str = "") -> str:
    variable = {"name": "TimeOffset", **({"instance": instance} if instance else {})}
    item = {"component": {"name": "ClockCtrlr"}, "variable": variable}
    result = rig.call("GetVariables", {"getVariableData": [item]})["getVariableResult"][0]
    value: str = result["attributeValue"]
    return value


def station() -> MemoryRig:
    rig = MemoryRig().boot()
    assert rig.set_variable("ClockCtrlr.TimeOffset", "+01:00") == "Accepted"
    assert rig.set_variable(NEXT, "+02:00") == "Accepted"
    assert rig.set_variable(AT, rfc3339(EPOCH + timedelta(hours=1))) == "Accepted"
    return rig


def test_the_next_offset_takes_over() -> None:
    rig = station()
    rig.skip(3590)
    assert offset(rig) == "+01:00"
    rig.skip(20)
    assert offset(rig) == "+02:00"
    assert offset(rig, "NextTransition") == ""


def test_a_transition_that_was_slept_through() -> None:
    rig = station()
    rig.power_cut()
    rig.now = rig.now.plus(7200)
    rig.boot()
    assert offset(rig) == "+02:00"


def test_nothing_happens_without_a_next_offset() -> None:
    rig = MemoryRig().boot()
    assert rig.set_variable(AT, rfc3339(EPOCH + timedelta(hours=1))) == "Accepted"
    rig.skip(7200)
    assert offset(rig) == ""
