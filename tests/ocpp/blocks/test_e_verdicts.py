"""What follows when the CSMS refuses the token of a transaction that runs (E05, C15)."""

from __future__ import annotations

import pytest

from tests.ocpp.blocks.test_c_authorization import START, station
from tests.support.memory_rig import MemoryRig

SUSPEND = {"TxCtrlr.StopTxOnInvalidId": "false"}


def refused_later(rig: MemoryRig) -> None:
    """Authorize says Accepted, the answer to the event that carries the token says Invalid."""
    invalid = {"idTokenInfo": {"status": "Invalid"}}
    rig.answers["TransactionEvent"] = lambda event: invalid if "idToken" in event else {}


def delivered(rig: MemoryRig) -> float:
    """Wh since the board was new."""
    return rig.board.evses[1].energy / 1000 - 1000


def test_energy_up_to_the_limit_and_no_further() -> None:
    """E05.FR.03, then E05.FR.02."""
    rig = station(**SUSPEND, **{"TxCtrlr.MaxEnergyOnInvalidId": "100"})
    refused_later(rig)
    rig.plug()
    rig.card()
    rig.let(60)
    assert 40 < delivered(rig) < 70  # 3.68 kW go on
    rig.let(120)
    assert 100 <= delivered(rig) < 103
    assert rig.told()[-1] == "Updated ChargingStateChanged SuspendedEVSE"
    rig.card()
    rig.let(2)
    assert rig.told()[-1].startswith("Ended StopAuthorized")


def test_the_limit_counts_from_the_start_of_the_transaction() -> None:
    """E05.FR.02: exceeded when the verdict comes, so it ends at once."""
    rig = station(**SUSPEND, **{"TxCtrlr.MaxEnergyOnInvalidId": "20"})
    rig.disconnect()
    refused_later(rig)
    rig.plug()
    rig.card()
    rig.let(60)
    assert delivered(rig) > 40
    rig.connect()
    rig.let(2)
    assert rig.board.evses[1].power == 0


def test_the_limit_survives_a_power_cut() -> None:
    rig = station(**SUSPEND, **{"TxCtrlr.MaxEnergyOnInvalidId": "60"})
    refused_later(rig)
    rig.plug()
    rig.card()
    rig.let(30)
    rig.power_cut()
    rig.boot()
    rig.let(120)
    assert 60 <= delivered(rig) < 63


def test_refused_before_the_cable_came() -> None:
    """E05.FR.02 where the EVSE was not known yet."""
    rig = station(**SUSPEND, **{START: "Authorized"})
    refused_later(rig)
    rig.card()
    rig.let(1)
    rig.plug()
    rig.let(10)
    assert delivered(rig) == 0
    assert rig.told()[-1].endswith("SuspendedEVSE")


@pytest.mark.parametrize("limit", ["0", "500"])
def test_stopping_comes_before_any_limit(limit: str) -> None:
    """E05.FR.10."""
    rig = station(**{"TxCtrlr.MaxEnergyOnInvalidId": limit})
    refused_later(rig)
    rig.plug()
    rig.card()
    rig.let(5)
    assert rig.told()[-1].endswith("DeAuthorized")


def test_who_is_authorized_anew_is_not_held_back() -> None:
    """The token was refused, ended it, and is accepted now: what was said before no longer counts."""
    rig = station(**SUSPEND, **{"TxCtrlr.TxStopPoint": "EVConnected"})
    refused_later(rig)
    rig.plug()
    rig.card()
    rig.let(5)
    assert rig.board.evses[1].power == 0
    rig.answers.clear()
    rig.card()
    rig.let(2)
    rig.card()
    rig.let(5)
    assert rig.board.evses[1].power > 0
