"""Setpoints: who gets how much, and when the sequence number grows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from station.device_model.model import DeviceModel
from station.domain.authorization import Authorization, AuthorizedBy
from station.domain.board import BoardSnapshot, CPState, EvseSetpoint, EvseSnapshot, Fault, Setpoint, WatchdogState
from station.domain.evse import Evse
from station.domain.transaction import IdToken
from station.ocpp.power import SEQUENCES, PowerControl

SOMEBODY = Authorization(IdToken("04AA", "ISO14443"), AuthorizedBy.CSMS)


class Bench:
    """One EVSE of a model whose variables a factory may set."""

    def __init__(self, **variables: str) -> None:
        self.model = DeviceModel(1)
        for name, value in variables.items():
            self.model.factory_set(name, value)
        self.power = PowerControl(self.model)
        self.evse = Evse(id=1, authorization=SOMEBODY)
        self.board = BoardSnapshot(1.0, evses=(EvseSnapshot(1, cp_state=CPState.B1),))

    def update(self, *, unlocking: bool = False, **says: Any) -> Setpoint | None:
        snapshot = replace(self.board.evses[0], **says)
        self.board = replace(self.board, evses=(snapshot,))
        self.evse.take(self.board, snapshot)
        return self.power.update({1: self.evse}, self.board, {1} if unlocking else set())

    def wanted(self, **says: Any) -> EvseSetpoint:
        setpoint = self.update(**says)
        assert setpoint is not None
        return setpoint.evses[0]


def test_nothing_before_the_board_was_seen() -> None:
    bench = Bench()
    assert bench.power.update({1: bench.evse}, None, set()) is None
    assert bench.power.update({1: bench.evse}, BoardSnapshot(1.0), set()) is None


def test_who_is_authorized_gets_power() -> None:
    wanted = Bench().wanted()
    assert (wanted.allow_power, wanted.current, wanted.phases) == (True, 32.0, 1)


@pytest.mark.parametrize("why", ["nobody", "refused", "fault", "no cable"])
def test_who_gets_none(why: str) -> None:
    bench = Bench()
    if why == "nobody":
        bench.evse.authorization = None
    bench.evse.suspended_by_station = why == "refused"
    wanted = bench.wanted(
        faults=frozenset({Fault.OVER_TEMPERATURE} if why == "fault" else ()),
        cp_state=CPState.A if why == "no cable" else CPState.B1,
    )
    assert (wanted.allow_power, wanted.current) == (False, 0.0)


@pytest.mark.parametrize(("cable", "current"), [(13.0, 13.0), (20.26, 20.2), (63.0, 32.0), (0.0, 0.0)])
def test_the_cable_limits_in_steps_of_a_tenth(cable: float, current: float) -> None:
    assert Bench().wanted(cable_limit=cable).current == current


def test_a_fixed_cable_is_not_locked_and_a_socket_is() -> None:
    assert not Bench().wanted().lock
    socket = Bench()
    socket.evse.socket = True
    before = socket.wanted()
    assert (before.lock, before.allow_power) == (True, False), "G05.FR.01"
    after = socket.wanted(connector_locked=True)
    assert (after.lock, after.allow_power) == (True, True)
    unlocked = socket.update(unlocking=True)
    assert unlocked is not None
    assert not unlocked.evses[0].lock


def test_the_sequence_goes_on_from_the_board_s_and_grows_with_changes_only() -> None:
    bench = Bench()
    first = bench.update(setpoint_sequence=41)
    assert first is not None
    assert first.sequence == 42
    assert bench.update() is None
    bench.evse.authorization = None
    second = bench.update()
    assert second is not None
    assert second.sequence == 43


def test_the_sequence_wraps_to_1() -> None:
    first = Bench().update(setpoint_sequence=SEQUENCES)
    assert first is not None
    assert first.sequence == 1


def test_a_board_that_rebooted_is_told_anew() -> None:
    bench = Bench()
    bench.update()
    bench.board = replace(bench.board, boot_count=2)
    assert bench.update() is not None
    assert bench.update() is None


def test_a_trip_of_the_watchdog_is_acknowledged_once() -> None:
    bench = Bench()
    bench.update()
    tripped = bench.update(watchdog=WatchdogState.RESTORED)
    assert tripped is not None
    assert tripped.acknowledge_watchdog
    cleared = bench.update(watchdog=WatchdogState.OK)
    assert cleared is not None
    assert not cleared.acknowledge_watchdog


def test_a_fault_that_was_seen_is_taken_note_of() -> None:
    assert Bench().wanted(fault_latches=3).fault_acknowledged == 3
