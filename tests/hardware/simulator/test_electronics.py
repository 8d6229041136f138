"""When power flows and when not: pilot, contactor, protection, watchdog, reset."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hardware import registers
from hardware.registers import INPUT
from hardware.simulator.board import NoSuchEvseError, NotNowError, SimulatedBoard
from hardware.simulator.electronics import CABLE_LIMIT, STOP_TIME
from hardware.simulator.ev import Ev
from hardware.simulator.modbus import input_values
from station.domain.board import CPState, EvseSetpoint, Fault, WatchdogState
from tests.hardware.support import allow, charging, new_board, run


def state(board: SimulatedBoard) -> CPState:
    return board.electronics[1].cp_state


def set_current(board: SimulatedBoard, current: float, allow_power: bool = True, noted: int = 0) -> None:
    electronics = board.electronics[1]
    electronics.take(
        electronics.sequence + 1,
        EvseSetpoint(1, allow_power=allow_power, current=current, fault_acknowledged=noted),
    )


def test_plugging_in_without_an_offer_is_b1_and_with_one_b2_then_c2() -> None:
    board = new_board()
    board.plug(1, Ev())
    assert state(board) is CPState.B1
    run(board, 60.0, dt=1.0)
    assert state(board) is CPState.B1
    allow(board)
    run(board, 0.1)
    assert state(board) is CPState.B2
    run(board, 2.0)
    assert state(board) is CPState.C2
    assert board.electronics[1].closed


@pytest.mark.parametrize(("current", "duty"), [(6.0, 10.0), (16.0, 26.7), (32.0, 53.3), (0.0, 100.0)])
def test_the_duty_cycle_is_that_of_the_standard(current: float, duty: float) -> None:
    board = new_board()
    allow(board, current)
    board.plug(1, Ev())
    assert board.electronics[1].duty == pytest.approx(duty, abs=0.05)


def test_no_power_before_a_heartbeat_nor_before_a_setpoint() -> None:
    board = new_board()
    electronics = board.electronics[1]
    board.plug(1, Ev())
    electronics.take(1, EvseSetpoint(1, allow_power=True, current=16.0))
    run(board, 10.0, feed=False)
    assert state(board) is CPState.B1
    board = new_board()
    board.plug(1, Ev())
    run(board, 10.0, feed=True)
    assert state(board) is CPState.B1


def test_the_cable_limits_the_offer_and_too_little_is_none() -> None:
    board = charging(63.0)
    assert board.electronics[1].offered == CABLE_LIMIT
    set_current(board, 5.9)
    run(board, 0.1)
    assert board.electronics[1].offered == 0.0


def test_unplugging_while_charging_opens_at_once_and_stops_the_current() -> None:
    board = charging()
    board.unplug(1)
    outlet = board.world.outlets[1]
    run(board, 0.1)
    assert not board.electronics[1].closed
    assert outlet.current == (0.0, 0.0, 0.0)
    assert state(board) is CPState.A


def test_a_pause_lets_the_ev_stop_before_the_contactor_opens() -> None:
    board = charging()
    set_current(board, 0.0)
    run(board, 0.1)
    assert state(board) is CPState.C1
    assert board.electronics[1].closed
    run(board, 2.0)
    assert state(board) is CPState.B1
    assert not board.electronics[1].closed
    set_current(board, 16.0)
    run(board, 5.0)
    assert state(board) is CPState.C2


def test_an_ev_that_does_not_stop_is_cut_off_after_three_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    board = charging()
    monkeypatch.setattr("hardware.simulator.ev.RAMP_DOWN", 0.0)
    set_current(board, 16.0, allow_power=False)
    run(board, STOP_TIME - 0.2)
    assert board.electronics[1].closed
    run(board, 0.4)
    assert not board.electronics[1].closed
    assert board.world.outlets[1].current[0] == 0.0


def test_three_phases_need_board_and_ev() -> None:
    board = charging(16.0, phases=3)
    outlet = board.world.outlets[1]
    assert outlet.current == (16.0, 16.0, 16.0)
    assert all(volts > 220 for volts in outlet.voltage)
    board = charging(16.0, phases=1)
    set_phases = board.electronics[1]
    set_phases.take(9, EvseSetpoint(1, allow_power=True, current=16.0, phases=3))
    run(board, 1.0)
    assert board.world.outlets[1].current == (16.0, 0.0, 0.0)


def test_voltage_sags_and_the_power_factor_falls_at_low_current() -> None:
    outlet = charging(32.0).world.outlets[1]
    assert 224.0 < outlet.voltage[0] < 228.0
    assert outlet.power_factor[0] > 0.99
    outlet = charging(32.0, max_current=2.0).world.outlets[1]
    assert outlet.power_factor[0] < 0.9
    assert outlet.power[0] == pytest.approx(outlet.voltage[0] * 2.0 * outlet.power_factor[0])


# ------------------------------------------------------------------ faults


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.POWER_LOSS])
def test_a_fault_opens_at_once_and_clears_when_over_and_noted(fault: Fault) -> None:
    board = charging()
    electronics = board.electronics[1]
    board.set_fault(1, fault)
    run(board, 0.1)
    assert electronics.faults == {fault}
    assert electronics.fault_latches == 1
    assert not electronics.commanded
    assert electronics.welded is (fault is Fault.CONTACTOR_WELDED)
    assert state(board).ev_connected is (fault is not Fault.CONTROL_PILOT), "the station still sees the EV"
    assert electronics.offered == 0.0

    set_current(board, 16.0, noted=1)
    run(board, 5.0)
    assert electronics.faults == {fault}, "noted, but its cause is still there"
    assert not electronics.commanded

    set_current(board, 16.0, noted=0)
    board.set_fault(1, None)
    run(board, 5.0)
    assert electronics.faults == {fault}, "over, but not noted"
    set_current(board, 16.0, noted=1)
    run(board, 6.0)
    assert electronics.faults == frozenset()
    assert state(board) is CPState.C2


def test_a_note_from_before_a_reset_acknowledges_nothing() -> None:
    board = charging()
    set_current(board, 16.0, noted=5)
    board.set_fault(1, Fault.OVER_CURRENT)
    board.set_fault(1, None)
    run(board, 5.0)
    assert board.electronics[1].faults == {Fault.OVER_CURRENT}


def test_the_sensors_show_what_protection_saw() -> None:
    board = new_board()
    board.set_fault(1, Fault.GROUND_FAILURE)
    assert board.world.outlets[1].residual > 0.03
    board.set_fault(1, Fault.OVER_TEMPERATURE)
    board.step(0.05)
    assert board.world.outlets[1].temperature > 85.0


def test_power_loss_opens_reports_and_ends_in_a_reset() -> None:
    board = charging()
    board.set_supply(False)
    electronics = board.electronics[1]
    assert (state(board), electronics.closed, electronics.faults) == (CPState.E, False, {Fault.POWER_LOSS})
    assert board.world.outlets[1].voltage == (0.0, 0.0, 0.0)
    with pytest.raises(NotNowError, match="supply"):
        board.hold_card("ISO14443", "04A2B3C4", None)
    run(board, 5.0)
    board.set_supply(False)
    assert board.world.boot_count == 1
    board.set_supply(True)
    assert (board.world.boot_count, board.reset_cause, board.uptime) == (2, "PowerOn", 0.0)
    assert board.electronics[1].watchdog.state is WatchdogState.DISARMED
    assert state(board) is CPState.B1
    run(board, 5.0)
    assert not board.electronics[1].closed, "nothing is allowed after a reset"


def test_a_self_test_runs_without_power_only() -> None:
    board = charging()
    electronics = board.electronics[1]
    assert not electronics.start_self_test()
    board.unplug(1)
    assert electronics.start_self_test()
    board.plug(1, Ev())
    assert (electronics.self_test, state(board)) == ("Running", CPState.B1)
    run(board, 1.0)
    assert (electronics.self_test, state(board)) == ("Passed", CPState.B2)
    board.unplug(1)
    board.set_fault(1, Fault.CONTACTOR_WELDED)
    assert not electronics.start_self_test()


# ------------------------------------------------------------------ the watchdog's effect


def test_a_trip_without_a_fallback_pauses_and_opens() -> None:
    board = charging()
    electronics = board.electronics[1]
    run(board, electronics.watchdog.timeout + 0.1, feed=False)
    assert (electronics.watchdog.state, electronics.sequence) == (WatchdogState.TRIPPED, 0)
    assert state(board) is CPState.C1
    run(board, STOP_TIME + 0.1, feed=False)
    assert not electronics.closed

    allow(board)
    run(board, 5.0)
    assert electronics.watchdog.state is WatchdogState.RESTORED
    assert not electronics.closed
    electronics.watchdog.acknowledge()
    run(board, 5.0)
    assert state(board) is CPState.C2


def test_a_trip_with_a_fallback_goes_on_slowly() -> None:
    board = charging(16.0)
    electronics = board.electronics[1]
    electronics.fallback_current = 8.0
    run(board, 40.0, feed=False)
    assert (electronics.offered, electronics.closed) == (8.0, True)
    assert board.world.outlets[1].current[0] == 8.0
    allow(board, 32.0)
    run(board, 40.0, feed=False)
    assert electronics.watchdog.state is WatchdogState.TRIPPED
    assert electronics.offered == 8.0, "a setpoint that never came into force raises nothing"


def test_a_fallback_is_no_permission() -> None:
    board = new_board()
    board.plug(1, Ev())
    board.electronics[1].fallback_current = 8.0
    board.electronics[1].watchdog.feed()
    run(board, 60.0, feed=False)
    assert board.electronics[1].watchdog.state is WatchdogState.TRIPPED
    assert board.electronics[1].offered == 0.0
    allow(board)
    run(board, 60.0, feed=False)
    assert board.electronics[1].offered == 0.0, "nor is a setpoint that waits for the acknowledge"


def test_hands_cannot_do_the_impossible() -> None:
    board = new_board()
    with pytest.raises(NotNowError, match="nothing is plugged in"):
        board.unplug(1)
    with pytest.raises(NotNowError, match="nothing is plugged in"):
        board.change_ev(1, {"soc": 1})
    board.plug(1, Ev())
    with pytest.raises(NotNowError, match="already"):
        board.plug(1, Ev())
    with pytest.raises(NoSuchEvseError, match="EVSE 2"):
        board.plug(2, Ev())


class AnyBoard(RuleBasedStateMachine):
    """Hands, station and time in any order: power flows only where it may, energy never goes back."""

    def __init__(self) -> None:
        super().__init__()
        self.board = new_board()
        self.energy = 0.0
        self.tripped_for = 0.0

    @property
    def electronics(self):
        return self.board.electronics[1]

    @property
    def outlet(self):
        return self.board.world.outlets[1]

    @precondition(lambda self: self.outlet.ev is None)
    @rule(phases=st.sampled_from([1, 2, 3]), soc=st.sampled_from([0.0, 79.0, 99.999, 100.0]), wants=st.booleans())
    def plug(self, phases: int, soc: float, wants: bool) -> None:
        self.board.plug(1, Ev(phases=phases, soc=soc, requests_energy=wants))

    @precondition(lambda self: self.outlet.ev is not None)
    @rule()
    def unplug(self) -> None:
        self.board.unplug(1)

    @precondition(lambda self: self.outlet.ev is not None)
    @rule(current=st.floats(0, 80), wants=st.booleans())
    def ev(self, current: float, wants: bool) -> None:
        self.board.change_ev(1, {"max_current": current, "requests_energy": wants})

    @rule(fault=st.none() | st.sampled_from(list(Fault)))
    def fault(self, fault: Fault | None) -> None:
        self.board.set_fault(1, fault)

    @rule(on=st.booleans())
    def supply(self, on: bool) -> None:
        self.board.set_supply(on)

    @rule(current=st.sampled_from([0.0, 5.9, 6.0, 16.0, 80.0]), allowed=st.booleans(), phases=st.sampled_from([1, 3]))
    def setpoint(self, current: float, allowed: bool, phases: int) -> None:
        noted = self.electronics.fault_latches
        self.electronics.take(1, EvseSetpoint(1, allowed, current, phases, True, noted))

    @rule(current=st.sampled_from([0.0, 6.0, 10.0]))
    def fallback(self, current: float) -> None:
        self.electronics.fallback_current = current

    @rule()
    def feed(self) -> None:
        self.electronics.watchdog.feed()

    @rule()
    def acknowledge(self) -> None:
        self.electronics.watchdog.acknowledge()

    @rule(steps=st.integers(1, 60), dt=st.sampled_from([0.05, 0.2, 1.0]))
    def time(self, steps: int, dt: float) -> None:
        for _ in range(steps):
            self.board.step(dt)
            tripped = self.electronics.watchdog.tripped and not self.electronics.offered
            self.tripped_for = self.tripped_for + dt if tripped else 0.0
            self.check()

    @invariant()
    def check(self) -> None:
        electronics, outlet = self.electronics, self.outlet
        assert outlet.energy >= self.energy
        self.energy = outlet.energy
        welded = Fault.CONTACTOR_WELDED in electronics.faults
        if electronics.commanded:
            assert not electronics.faults
            assert electronics.watchdog.state is not WatchdogState.DISARMED
            assert outlet.ev is not None
        if not electronics.closed:
            assert sum(outlet.power) == 0.0
        assert electronics.closed == (electronics.commanded or welded)
        assert electronics.offered == 0.0 or 6.0 <= electronics.offered <= CABLE_LIMIT
        if self.tripped_for > STOP_TIME + 1.0:
            assert not electronics.commanded
        registers.encode(INPUT, input_values(self.board, 1))


AnyBoard.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestAnyBoard = AnyBoard.TestCase
