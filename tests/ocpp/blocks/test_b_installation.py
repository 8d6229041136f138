"""An installer says what the place is like; the rules are provision's, and no session is disturbed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.memory_rig import MemoryRig

FITS = {
    "ElectricalFeed.FuseRating": "32",
    "ChargingStation.SupplyPhases": "1",
    "EVSE@1.SupplyPhases": "1",
    "EVSE@1.PhaseRotation": "Rxx",
    "EVSE@1.Power": "3680",
    "EVSE@2.SupplyPhases": "1",
    "EVSE@2.PhaseRotation": "Rxx",
    "EVSE@2.Power": "3680",
}


def said(rig: MemoryRig, variables: Any, command_id: int = 1) -> tuple[str, str]:
    finished = rig.operator("set_installation", command_id, variables=variables)
    assert finished is not None
    return finished.status, finished.message


def test_it_is_kept_and_the_board_is_told_at_once() -> None:
    rig = MemoryRig().boot()
    rig.plug()
    rig.card(evse=1)
    rig.let(3)
    assert rig.board.evses[1].wanted.current == 32  # type: ignore[union-attr]
    rig.card(evse=1)
    rig.let(3)
    rig.unplug()
    rig.let(2)
    assert said(rig, FITS) == ("Accepted", "Kept.")
    rig.plug()
    rig.card(evse=1)
    rig.let(3)
    assert rig.board.evses[1].wanted.current == 16  # type: ignore[union-attr]
    assert rig.station.context.evses[1].meter.max_power == 3680
    rig.power_cut()
    rig.boot()
    assert rig.station.context.evses[1].meter.max_power == 3680
    assert said(rig, FITS, 2) == ("Accepted", "Nothing has changed.")


def test_who_changed_what_is_noted() -> None:
    rig = MemoryRig().boot()
    said(rig, {"ClockCtrlr.TimeZone": "Europe/Oslo", "ChargingStation.SerialNumber": "S-1"})
    told = [one for one in rig.disk.security_log if one.type == "ConfigurationChanged"][-1]
    assert told.tech_info == "by owner: ClockCtrlr.TimeZone = Europe/Oslo; ChargingStation.SerialNumber = S-1"


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({**FITS, "ElectricalFeed.FuseRating": "16"}, "may draw 32 A from L1"),
        ({**FITS, "EVSE@1.Power": "9000"}, "cable and board carry 32 A"),
        ({"ChargingStation.Model": "Mine"}, "not an installer's"),
        ({"SecurityCtrlr.Identity": "X"}, "not an installer's"),
        ({"Nonsense.X": "1"}, "no component"),
        ({"EVSE@3.Power": "1"}, "exists at 1, 2"),
        ({"EVSE@1.Power": "-1"}, "at least 0"),
        ({"ClockCtrlr.TimeZone": "<b>"}, "time zone"),
        ({"ChargingStation.SerialNumber": "x" * 26}, "at most 25"),
        ({"ChargingStation.SerialNumber": 5}, "cannot be read"),
        ({}, "cannot be read"),
        ([], "cannot be read"),
        (None, "cannot be read"),
        ("x", "cannot be read"),
    ],
)
def test_what_is_refused_changes_nothing(variables: Any, word: str) -> None:
    rig = MemoryRig().boot()
    before = dict(rig.disk.variables)
    status, message = said(rig, variables)
    assert status == "Rejected"
    assert word in message
    assert rig.disk.variables == before


def test_under_a_session_electrical_data_stay() -> None:
    rig = MemoryRig().boot()
    rig.plug()
    rig.card(evse=1)
    rig.let(3)
    assert said(rig, FITS)[0] == "Rejected"
    assert said(rig, {"ClockCtrlr.TimeZone": "Europe/Oslo"}, 2)[0] == "Accepted"
