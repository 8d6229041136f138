"""TxCtrlr.TxBeforeAcceptedEnabled: who may charge before a CSMS has accepted the station (part 2, B 1.1; B02, B03)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from station.domain.effects import SaveVariable
from station.domain.events import LinkUp
from station.domain.moment import rfc3339
from tests.support.memory_rig import MemoryRig

BEFORE = "TxCtrlr.TxBeforeAcceptedEnabled"
TYPES = "AuthCtrlr.SupportedIdTokenTypes"
QUIET = {"SampledDataCtrlr.TxUpdatedInterval": "0", "AlignedDataCtrlr.Interval": "0"}


def offline(**variables: str) -> MemoryRig:
    """A station fresh from the factory that has never reached its CSMS."""
    return MemoryRig(evses=1, **{**QUIET, **variables}).boot(connect=False)


def charges(rig: MemoryRig) -> bool:
    """Whether a car and a card lead to energy."""
    rig.plug()
    rig.card()
    rig.let(5)
    return rig.board.evses[1].power > 0


def refusals(rig: MemoryRig) -> list[Any]:
    return [entry.data["why"] for entry in rig.disk.journal if entry.kind == "refused"]


def again_offline(rig: MemoryRig) -> MemoryRig:
    """The power is cut, and the CSMS cannot be reached any more."""
    rig.power_cut()
    return rig.boot(connect=False)


def accepted_once(**variables: str) -> MemoryRig:
    return MemoryRig(evses=1, **{**QUIET, **variables}).boot()


def test_who_was_never_accepted_lets_nobody_charge() -> None:
    rig = offline()
    assert not charges(rig)
    assert refusals(rig) == ["not_registered"]
    rig.connect()
    rig.card()
    rig.let(5)
    assert rig.board.evses[1].power > 0


def test_unless_that_is_configured() -> None:
    """B02.FR.03: what happened meanwhile is told once the CSMS has accepted the station."""
    rig = offline(**{BEFORE: "true"})
    assert charges(rig)
    rig.connect()
    assert rig.events()[0]["offline"] is True
    assert rig.told()[0].startswith("Started")


def test_who_was_accepted_once_goes_on_without_the_csms() -> None:
    """After a power cut at a time when the CSMS is away: offline as at any other time (C13, C15)."""
    assert charges(again_offline(accepted_once()))


@pytest.mark.parametrize("what", ["url", "identity"])
def test_another_csms_or_another_name_is_a_new_beginning(what: str) -> None:
    rig = accepted_once()
    rig.power_cut()
    if what == "url":
        rig.disk.network_profiles[1] = replace(rig.disk.network_profiles[1], csms_url="ws://csms-2.example/ocpp")
    else:
        rig.disk.commit([SaveVariable("SecurityCtrlr", "Identity", "CP-ANEW")])
    rig.boot(connect=False)
    assert not charges(rig)
    assert refusals(rig) == ["not_registered"]


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
@pytest.mark.parametrize(("configured", "may"), [("false", False), ("true", True)])
def test_who_was_turned_away_and_lost_the_link(status: str, configured: str, may: bool) -> None:
    """B03.FR.01: that the link is gone makes nobody accepted."""
    rig = accepted_once(**{BEFORE: configured})
    rig.power_cut()
    rig.answers["BootNotification"] = {"status": status, "interval": 100, "currentTime": rfc3339(rig.now.wall)}
    rig.boot()
    rig.disconnect()
    assert charges(rig) is may


@pytest.mark.parametrize(
    "variables", [{"AuthCtrlr.Enabled": "false"}, {TYPES: "ISO14443,NoAuthorization"}], ids=["nobody asked", "button"]
)
def test_not_without_an_authorization_either(variables: dict[str, str]) -> None:
    rig = offline(**variables)
    rig.plug()
    if TYPES in variables:
        done = rig.operator("start", evse_id=1)
        assert done is not None
        assert (done.status, done.message) == ("Rejected", "not_registered")
    rig.let(5)
    assert rig.board.evses[1].power == 0
    assert not rig.disk.transactions


def test_a_cable_alone_starts_no_transaction() -> None:
    rig = offline(**{"TxCtrlr.TxStartPoint": "EVConnected"})
    rig.plug()
    rig.let(5)
    assert not rig.disk.transactions
    rig.connect()
    rig.let(1)
    assert rig.told()[0].startswith("Started CablePluggedIn")


def test_a_session_under_way_is_not_ended_by_a_new_csms() -> None:
    rig = accepted_once()
    assert charges(rig)
    rig.power_cut()
    rig.disk.network_profiles[1] = replace(rig.disk.network_profiles[1], csms_url="ws://csms-2.example/ocpp")
    rig.boot(connect=False)
    rig.let(5)
    assert rig.board.evses[1].power > 0


def test_the_second_csms_of_two_is_remembered_beside_the_first() -> None:
    rig = accepted_once()
    second = replace(rig.disk.network_profiles[1], slot=2, csms_url="ws://csms-2.example/ocpp")
    rig.disk.network_profiles[2] = second
    rig.power_cut()
    rig.boot(connect=False)
    rig.online = True
    rig.rpc.link_up()
    rig.step(LinkUp(2, 1))
    assert len(rig.disk.remembered["accepted_by"]) == 2
    del rig.disk.network_profiles[1]
    assert charges(again_offline(rig))
