"""Slots that do not drift."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.pace import Pace


def test_a_late_slot_does_not_move_the_next() -> None:
    pace = Pace(0.2, 100.0)
    pace.begin(100.05)
    pace.done(100.1)
    assert pace.due == pytest.approx(100.2)
    assert pace.missed == 0
    assert pace.jitter() == (pytest.approx(0.05), pytest.approx(0.05))


def test_slots_that_went_by_are_skipped_and_counted() -> None:
    pace = Pace(0.2, 100.0)
    pace.begin(100.0)
    pace.done(100.75)
    assert pace.missed == 3
    assert pace.due == pytest.approx(100.8)


def test_no_jitter_before_the_first_slot() -> None:
    assert Pace(0.2, 0.0).jitter() == (0.0, 0.0)


@given(st.lists(st.floats(0, 3), max_size=50))
def test_the_next_slot_is_always_ahead_and_every_slot_is_accounted_for(works: list[float]) -> None:
    pace, now = Pace(0.2, 10.0), 10.0
    for work in works:
        now = max(now, pace.due)
        pace.begin(now)
        now += work
        pace.done(now)
        assert pace.due > now - 1e-6
        assert pace.due - now <= 0.2 + 1e-6
    assert round((pace.due - 10.0) / 0.2) == len(works) + pace.missed
