"""The watchdog's states and what leads from one to the next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hardware.simulator.watchdog import Watchdog
from station.domain.board import WatchdogState


def tripped() -> Watchdog:
    watchdog = Watchdog(timeout=10)
    watchdog.feed()
    assert watchdog.step(10.0)
    return watchdog


def test_disarmed_it_never_trips_and_lets_nothing_flow() -> None:
    watchdog = Watchdog(timeout=10)
    watchdog.setpoint_taken()
    watchdog.acknowledge()
    assert not watchdog.step(1000.0)
    assert watchdog.state is WatchdogState.DISARMED
    assert not watchdog.lets_power_flow


def test_only_the_heartbeat_feeds_it() -> None:
    watchdog = Watchdog(timeout=10)
    watchdog.feed()
    for _ in range(3):
        watchdog.step(6.0)
        watchdog.feed()
    assert watchdog.state is WatchdogState.OK
    for _ in range(2):
        watchdog.step(5.0)
        watchdog.setpoint_taken()
        watchdog.acknowledge()
    assert watchdog.state is WatchdogState.TRIPPED


def test_it_comes_back_with_heartbeat_setpoint_and_acknowledge() -> None:
    watchdog = tripped()
    watchdog.feed()
    assert watchdog.state is WatchdogState.RESTORED
    watchdog.acknowledge()
    assert watchdog.state is WatchdogState.RESTORED
    watchdog.setpoint_taken()
    assert watchdog.state is WatchdogState.OK


def test_a_setpoint_may_come_before_the_heartbeat_but_an_acknowledge_may_not() -> None:
    watchdog = tripped()
    watchdog.setpoint_taken()
    watchdog.acknowledge()
    watchdog.feed()
    assert watchdog.state is WatchdogState.RESTORED
    watchdog.acknowledge()
    assert watchdog.state is WatchdogState.OK


def test_restored_it_trips_again_and_forgets_what_had_come() -> None:
    watchdog = tripped()
    watchdog.feed()
    watchdog.acknowledge()
    assert watchdog.step(10.0)
    assert watchdog.state is WatchdogState.TRIPPED
    watchdog.feed()
    watchdog.setpoint_taken()
    assert watchdog.state is WatchdogState.RESTORED


@given(st.lists(st.sampled_from(["feed", "setpoint", "acknowledge", "short", "long"]), max_size=30))
def test_power_never_flows_without_a_recent_heartbeat(actions: list[str]) -> None:
    watchdog = Watchdog(timeout=10)
    unfed = 1e9
    for action in actions:
        if action == "feed":
            watchdog.feed()
            unfed = 0.0
        elif action == "setpoint":
            watchdog.setpoint_taken()
        elif action == "acknowledge":
            watchdog.acknowledge()
        else:
            seconds = 4.0 if action == "short" else 11.0
            watchdog.step(seconds)
            unfed += seconds
        if unfed >= 10:
            assert not watchdog.lets_power_flow
        assert 0 <= watchdog.left <= 10
