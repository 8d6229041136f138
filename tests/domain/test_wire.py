"""Snapshots and setpoints survive their way between the processes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.board import (
    BoardSnapshot,
    BoardWarning,
    CardRead,
    CPState,
    EvseSetpoint,
    EvseSnapshot,
    Fault,
    MeterReading,
    Setpoint,
    WatchdogState,
)
from station.domain.wire import pack_setpoint, pack_snapshot, unpack_setpoint, unpack_snapshot

COUNTS = st.integers(0, 65_535)
AMOUNTS = st.floats(-1e9, 1e9)
PHASES = st.tuples(AMOUNTS, AMOUNTS, AMOUNTS)
METERS = st.builds(
    MeterReading,
    voltage=PHASES,
    current=PHASES,
    power_factor=PHASES,
    energy=st.integers(),
    energy_phases=st.lists(st.integers(), max_size=3).map(tuple),
    ok=st.booleans(),
)
EVSES = st.builds(
    EvseSnapshot,
    evse_id=COUNTS,
    cp_state=st.sampled_from(CPState),
    faults=st.frozensets(st.sampled_from(Fault)),
    warnings=st.frozensets(st.sampled_from(BoardWarning)),
    watchdog=st.sampled_from(WatchdogState),
    temperature=st.none() | AMOUNTS,
    meter=METERS,
)
READS = st.builds(CardRead, count=COUNTS, uid=st.text(), type=st.text(), evse_id=st.none() | COUNTS)
SNAPSHOTS = st.builds(
    BoardSnapshot,
    at=AMOUNTS,
    error=st.text(),
    evses=st.lists(EVSES, max_size=3).map(tuple),
    card_reads=st.lists(READS, max_size=3).map(tuple),
)
SETPOINTS = st.builds(EvseSetpoint, evse_id=COUNTS, allow_power=st.booleans(), current=AMOUNTS, lock=st.booleans())


@given(SNAPSHOTS)
def test_a_snapshot_round_trip(snapshot: BoardSnapshot) -> None:
    assert unpack_snapshot(json.loads(json.dumps(pack_snapshot(snapshot)))) == snapshot


TESTS = st.lists(st.tuples(COUNTS, COUNTS), max_size=2).map(tuple)


@given(st.builds(Setpoint, sequence=COUNTS, evses=st.lists(SETPOINTS, max_size=3).map(tuple), self_tests=TESTS))
def test_a_setpoint_round_trip(setpoint: Setpoint) -> None:
    assert unpack_setpoint(json.loads(json.dumps(pack_setpoint(setpoint)))) == setpoint


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"at": 1.0},
        {**pack_snapshot(BoardSnapshot(1.0)), "surprise": 1},
        {**pack_snapshot(BoardSnapshot(1.0)), "evses": [{"evse_id": 1}]},
        {**pack_snapshot(BoardSnapshot(1.0)), "evses": None},
    ],
)
def test_what_is_no_snapshot_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        unpack_snapshot(broken)


def test_an_unknown_state_is_refused() -> None:
    packed = pack_snapshot(BoardSnapshot(1.0, evses=(EvseSnapshot(1),)))
    packed["evses"][0]["cp_state"] = "Z"
    with pytest.raises(ValueError, match="Z"):
        unpack_snapshot(packed)
