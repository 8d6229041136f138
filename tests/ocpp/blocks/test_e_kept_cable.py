"""A cable that the lock holds for its owner (E09.FR.03): nobody else gets it, also not after a power cut."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.memory_rig import MemoryRig

OWNER, OTHER = "04A2B3C4D5E6F7", "04BB"


def with_a_kept_cable(**variables: str) -> MemoryRig:
    """A session whose EV's side was pulled: the driver's cable is held."""
    sockets = {f"Connector@{evse}.1.ConnectorType": "sType2" for evse in (1, 2)}
    rig = MemoryRig(**{"SampledDataCtrlr.TxUpdatedInterval": "0", **sockets, **variables})
    for evse in rig.board.evses.values():
        evse.socket = True
    rig.boot()
    rig.plug()
    rig.card(OWNER)
    rig.let(5)
    assert rig.board.evses[1].power > 0
    rig.unplug()  # at the EV's side; the cable stays in the socket
    rig.let(5)
    assert rig.board.evses[1].locked
    return rig


def cut(rig: MemoryRig) -> MemoryRig:
    rig.power_cut()
    return rig.boot()


def test_a_power_cut_does_not_let_it_go() -> None:
    rig = cut(with_a_kept_cable())
    assert rig.board.evses[1].locked
    rig.let(60)
    assert rig.board.evses[1].locked
    rig = cut(rig)
    rig.let(1)
    assert rig.board.evses[1].locked


def test_another_card_does_not_open_it_and_the_owner_s_does() -> None:
    rig = cut(with_a_kept_cable())
    rig.let(1)
    rig.card(OTHER, evse=1)
    rig.let(1)
    assert rig.board.evses[1].locked
    rig.card(OWNER)
    rig.let(1)
    assert not rig.board.evses[1].locked
    rig = cut(rig)
    rig.let(1)
    assert not rig.board.evses[1].locked, "it was given back"


def test_a_cable_that_is_gone_is_kept_for_nobody() -> None:
    """Somebody opened the lock by hand while the power was away."""
    rig = with_a_kept_cable()
    rig.power_cut()
    rig.board.evses[1].cable = False
    rig.boot()
    rig.let(1)
    assert rig.disk.remembered["kept_cables"] is None
    rig.plug()
    rig.card(OTHER)
    rig.let(5)
    assert rig.board.evses[1].power > 0


def test_the_owner_may_ask_what_is_kept() -> None:
    """N09."""
    rig = with_a_kept_cable()
    told = [line for source in rig.station.context.customer_sources for line in source(owner(rig))]
    assert "cable held at EVSE 1" in told


def owner(rig: MemoryRig) -> Any:
    kept = rig.station.context.evses[1].kept_for
    assert kept is not None
    return kept.id_token


@pytest.mark.parametrize("remembered", [1, [], {"1": None}, {"1": ["a"]}, {"7": ["a", "ISO14443"]}, {"x": [1, 2]}])
def test_what_is_remembered_and_makes_no_sense_keeps_nothing(remembered: Any) -> None:
    rig = with_a_kept_cable()
    rig.power_cut()
    rig.disk.remembered["kept_cables"] = remembered
    rig.boot()
    rig.let(1)
    assert not rig.board.evses[1].locked
