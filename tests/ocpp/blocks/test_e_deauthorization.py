"""What the CSMS's word on a token does to the transaction that runs (E05, C15)."""

from __future__ import annotations

import pytest

from tests.ocpp.blocks.stations import charging, station
from tests.support.invariants import check

STOP = "TxCtrlr.TxStopPoint"


@pytest.mark.parametrize("stop", ["Authorized", "PowerPathClosed", "EnergyTransfer"])
def test_an_invalid_token_ends_the_transaction(stop: str) -> None:
    """E05.FR.10, C15.FR.04."""
    rig = station(**{STOP: stop})
    rig.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    rig.plug()
    rig.card()
    rig.let(3)
    assert rig.told()[-1] == "Ended Deauthorized EVConnected DeAuthorized"
    assert rig.board.evses[1].power == 0
    check(rig)


def test_an_invalid_token_only_stops_the_energy_where_the_transaction_goes_on() -> None:
    """E05.FR.09."""
    rig = charging(**{STOP: "EVConnected"})
    rig.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    rig.ev(1, wants_energy=False)
    rig.ev(1, wants_energy=True)
    rig.let(2)
    assert rig.board.evses[1].power > 0, "the answer to an event without a token says nothing about it"
    rig.unplug()
    rig.let(1)
    rig.plug()
    rig.card()
    rig.let(3)
    assert rig.told()[-1] == "Updated Deauthorized EVConnected"
    assert rig.board.evses[1].power == 0
    rig.unplug()
    assert rig.told()[-1] == "Ended EVCommunicationLost Idle DeAuthorized"
    check(rig)


def test_an_invalid_token_may_only_suspend() -> None:
    """E05.FR.02, and it outlasts a power cut."""
    rig = station(**{"TxCtrlr.StopTxOnInvalidId": "false"})
    rig.plug()
    rig.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    rig.card()
    rig.let(3)
    assert rig.told()[-1] == "Updated ChargingStateChanged SuspendedEVSE"
    assert rig.board.evses[1].power == 0
    rig.power_cut()
    rig.boot()
    rig.let(10)
    assert rig.board.evses[1].power == 0
    assert not check(rig)[0].ended
    rig.card()
    rig.let(1)
    assert check(rig)[0].ended


def test_suspension_ends_what_lasts_while_energy_flows() -> None:
    """E05.FR.02: with EnergyTransfer in TxStopPoint this ends the transaction."""
    rig = station(**{"TxCtrlr.StopTxOnInvalidId": "false", STOP: "EnergyTransfer"})
    rig.answers["TransactionEvent"] = lambda event: None if "idToken" in event else {}
    rig.plug()
    rig.card()
    rig.let(5)
    rig.reply(rig.trace[-1][1][1], {"idTokenInfo": {"status": "Invalid"}})
    rig.let(2)
    assert rig.told()[-1] == "Ended ChargingStateChanged EVConnected DeAuthorized"


def test_a_group_told_with_an_event_is_taken_over() -> None:
    rig = station()
    group = {"groupIdToken": {"idToken": "FLEET", "type": "Central"}}
    rig.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Accepted", **group}}
    rig.plug()
    rig.card("04AA")
    rig.let(5)
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", **group}}
    rig.card("04BB")
    rig.let(1)
    assert check(rig)[0].ended


def test_only_the_same_token_may_authorize_again() -> None:
    """C01.FR.23."""
    rig = charging(**{STOP: "EVConnected"})
    rig.card()
    rig.let(2)
    rig.card("04BB")
    rig.let(2)
    assert rig.board.evses[1].power == 0
    rig.card()
    rig.let(3)
    assert rig.board.evses[1].power > 0
    check(rig)
