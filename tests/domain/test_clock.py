"""The station's time against the machine's and the CSMS's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.clock import Clock
from station.domain.moment import Moment

START = Moment(datetime(2026, 3, 1, 12, tzinfo=UTC), 1000.0)
YEARS = timedelta(days=20_000)


def test_it_runs_by_the_monotonic_clock() -> None:
    clock = Clock()
    assert clock.utc(START) == START.wall
    assert clock.utc(START.plus(90)) == START.wall + timedelta(seconds=90)


@pytest.mark.parametrize("jump", [YEARS, -YEARS, timedelta(hours=1)])
def test_a_jump_of_the_machine_is_not_followed(jump: timedelta) -> None:
    clock = Clock()
    clock.utc(START)
    later = Moment(START.wall + jump, START.monotonic + 5)
    assert clock.utc(later) == START.wall + timedelta(seconds=5)
    assert clock.offset(later) == timedelta(seconds=5) - jump


@pytest.mark.parametrize("jump", [YEARS, -YEARS])
def test_a_machine_that_keeps_its_own_time_is_followed(jump: timedelta) -> None:
    clock = Clock(follow_machine=True)
    clock.utc(START)
    later = Moment(START.wall + jump, START.monotonic + 5)
    assert clock.utc(later) == later.wall
    assert clock.synchronize(START.wall, later) == timedelta()
    assert clock.utc(later) == later.wall


def test_the_csms_tells_the_time() -> None:
    clock = Clock()
    told = START.wall + timedelta(hours=3)
    assert not clock.synchronized
    assert clock.synchronize(told, START) == timedelta(hours=3)
    assert clock.synchronized
    assert clock.utc(START.plus(10)) == told + timedelta(seconds=10)
    assert clock.offset(START.plus(10)) == timedelta(hours=3)


def test_a_second_is_no_correction() -> None:
    clock = Clock()
    assert clock.synchronize(START.wall + timedelta(seconds=0.9), START) == timedelta()
    assert clock.utc(START) == START.wall


def test_another_zone_is_the_same_time() -> None:
    clock = Clock()
    clock.synchronize((START.wall + timedelta(hours=1)).astimezone(timezone(timedelta(hours=5))), START)
    assert clock.utc(START) == START.wall + timedelta(hours=1)
    assert clock.utc(START).tzinfo == UTC


@pytest.mark.parametrize(
    "told", [datetime(1, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)]
)
def test_what_no_csms_means_is_not_taken(told: datetime) -> None:
    clock = Clock()
    assert clock.synchronize(told, START) == timedelta()
    assert not clock.synchronized
    assert clock.utc(START) == START.wall


def test_the_next_life_begins_with_the_offset() -> None:
    assert Clock(YEARS).utc(START) == START.wall + YEARS


def test_the_next_life_begins_no_earlier_than_what_was_told() -> None:
    told = START.wall + timedelta(minutes=5)
    assert Clock(not_before=told).utc(START) == told
    assert Clock(not_before=told - YEARS).utc(START) == START.wall


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(-20_000, 20_000)), max_size=20))
def test_without_the_csms_it_never_goes_back(steps: list[tuple[float, int]]) -> None:
    clock, now = Clock(), START
    before = clock.utc(now)
    for seconds, days in steps:
        now = Moment(START.wall + timedelta(days=days), now.monotonic + seconds)
        assert clock.utc(now) >= before
        before = clock.utc(now)
