"""The master pass: it ends what runs and starts nothing (C16)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ocpp.blocks.test_c_authorization import refusals, station
from tests.ocpp.blocks.test_c_local_options import CACHE, CARD, OTHER, cached, says
from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig

MASTER = {"idToken": "MASTER", "type": "Central"}


def both_charging(**variables: str) -> MemoryRig:
    rig = station(**{"AuthCtrlr.MasterPassGroupId": "master", **variables})
    for evse, uid in ((1, CARD), (2, OTHER)):
        rig.plug(evse)
        rig.card(uid, evse=evse)
    rig.let(3)
    says(rig, groupIdToken=MASTER)
    return rig


def powers(rig: MemoryRig) -> list[bool]:
    return [evse.power > 0 for evse in rig.board.evses.values()]


def test_a_master_pass_ends_everything() -> None:
    """C16.FR.02, C16.FR.07."""
    rig = both_charging()
    rig.card("04CC")
    rig.let(3)
    assert powers(rig) == [False, False]
    assert len(check(rig)) == 2
    ends = [line for line in rig.told() if line.startswith("Ended")]
    assert len(ends) == 2
    assert all(line.endswith("MasterPass") for line in ends)


def test_a_master_pass_that_nobody_follows_up() -> None:
    """C16, error handling: back to normal operation."""
    rig = both_charging(**{"AuthCtrlr.MasterPassSelection": "true"})
    rig.card("04CC")
    assert rig.station.authorization.master_pass.choosing
    rig.let(61)
    assert not rig.station.authorization.master_pass.choosing
    done = rig.operator("master_pass", evse_ids=None)
    assert done is not None
    assert (done.status, done.message) == ("Rejected", "no_master_pass")
    assert powers(rig) == [True, True]


@pytest.mark.parametrize("wanted", [[3], [], "1", [1, 3]])
def test_a_choice_that_makes_no_sense_ends_nothing(wanted: Any) -> None:
    rig = both_charging(**{"AuthCtrlr.MasterPassSelection": "true"})
    rig.card("04CC")
    done = rig.operator("master_pass", evse_ids=wanted)
    assert done is not None
    assert done.status == "Rejected"
    rig.let(1)
    assert powers(rig) == [True, True]


@pytest.mark.parametrize("offline", [False, True])
def test_a_cached_master_pass_starts_nothing_either(offline: bool) -> None:
    """C12.FR.09, C16.FR.03, C16.FR.04."""
    every = {"AuthCtrlr.OfflineTxForEveryIdEnabled": "true"}
    rig = station(**CACHE, **every, **{"AuthCtrlr.MasterPassGroupId": "MASTER"})
    cached(rig, groupIdToken=MASTER)
    if offline:
        rig.disconnect()
    rig.plug()
    rig.card()
    rig.let(3)
    assert rig.board.evses[1].power == 0
    assert refusals(rig)[-1] == "master_pass"
