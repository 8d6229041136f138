"""A simulated board with sockets: the driver's cable, its two ends, and the lock that holds it."""

from __future__ import annotations

import pytest

from hardware.simulator.board import NotNowError, SimulatedBoard, World
from hardware.simulator.ev import Ev
from hardware.simulator.modbus import input_values
from hardware.simulator.outlet import Outlet, pack, unpack
from station.domain.board import EvseSetpoint

LOCKED = EvseSetpoint(1, lock=True)


@pytest.fixture
def board() -> SimulatedBoard:
    return SimulatedBoard(World({1: Outlet()}), sockets=True)


def take(board: SimulatedBoard, setpoint: EvseSetpoint) -> None:
    board.electronics[1].take(1, setpoint)
    board.step(0.1)


def registers(board: SimulatedBoard) -> tuple[object, object]:
    values = input_values(board, 1)
    return values["cable_limit"], values["lock"]


def test_a_socket_carries_nothing_without_a_cable(board: SimulatedBoard) -> None:
    take(board, LOCKED)
    assert registers(board) == (0.0, "no")
    board.plug(1, Ev())
    assert registers(board) == (32.0, "yes")


def test_the_lock_holds_the_cable_without_an_ev(board: SimulatedBoard) -> None:
    board.plug(1, Ev())
    take(board, LOCKED)
    board.unplug(1, "ev")
    assert registers(board) == (32.0, "yes")
    with pytest.raises(NotNowError, match="lock"):
        board.unplug(1, "station")
    take(board, EvseSetpoint(1))
    board.unplug(1, "station")
    assert registers(board) == (0.0, "no")


def test_a_jammed_lock_stays_as_it_is(board: SimulatedBoard) -> None:
    board.set_lock(1, True)
    board.plug(1, Ev())
    take(board, LOCKED)
    assert registers(board) == (32.0, "no")
    board.set_lock(1, False)
    assert registers(board) == (32.0, "yes")


def test_the_cable_outlasts_a_restart(board: SimulatedBoard) -> None:
    board.plug(1, Ev())
    board.unplug(1, "ev")
    again = SimulatedBoard(World({1: unpack(pack(board.world.outlets[1]))}), sockets=True)
    assert registers(again) == (32.0, "no")
    again.unplug(1)
    assert registers(again) == (0.0, "no")


def test_the_bolt_stays_where_it_was_until_the_first_setpoint(board: SimulatedBoard) -> None:
    board.plug(1, Ev())
    take(board, LOCKED)
    board.unplug(1, "ev")
    again = SimulatedBoard(World({1: unpack(pack(board.world.outlets[1]))}), sockets=True)
    again.step(0.1)
    assert registers(again) == (32.0, "yes")
    with pytest.raises(NotNowError, match="lock"):
        again.unplug(1, "station")
    take(again, LOCKED)
    assert registers(again) == (32.0, "yes")
    take(again, EvseSetpoint(1))
    assert registers(again) == (32.0, "no")
    again.reset("Watchdog")
    assert registers(again) == (32.0, "no"), "nor does it shut by itself"


def test_where_the_bolt_is_is_worth_keeping(board: SimulatedBoard) -> None:
    board.plug(1, Ev())
    before = board.world.changes
    take(board, LOCKED)
    assert board.world.changes == before + 1
    board.step(1.0)
    assert board.world.changes == before + 1


def test_a_fixed_cable_has_one_end_and_no_lock() -> None:
    board = SimulatedBoard(World({1: Outlet()}))
    board.plug(1, Ev())
    with pytest.raises(NotNowError, match="fixed"):
        board.unplug(1, "station")
    with pytest.raises(NotNowError, match="fixed"):
        board.set_lock(1, True)
    board.unplug(1, "ev")
    assert registers(board) == (32.0, "no")
