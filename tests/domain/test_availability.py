"""Three levels of availability, each with its own state (G03, G04)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.availability import STATION, Availability, key

LEVELS = st.sampled_from([STATION, "1", "2", "1.1", "2.1"])


@pytest.mark.parametrize(("evse", "connector", "name"), [(0, 0, "0"), (1, 0, "1"), (2, 1, "2.1")])
def test_keys(evse: int, connector: int, name: str) -> None:
    assert key(evse, connector) == name


@given(st.lists(st.tuples(LEVELS, st.booleans())))
def test_operative_needs_every_level_above(changes: list[tuple[str, bool]]) -> None:
    states = Availability()
    last = {}
    for level, operative in changes:
        states.set(level, operative)
        last[level] = operative
    for evse in (1, 2):
        expected = all(last.get(level, True) for level in (STATION, str(evse), f"{evse}.1"))
        assert states.operative(evse) is expected
    assert all(states.is_set(level) is operative for level, operative in last.items())


@given(st.sets(LEVELS), st.dictionaries(LEVELS, st.booleans()))
def test_it_outlasts_a_reboot(inoperative: set[str], scheduled: dict[str, bool]) -> None:
    states = Availability(set(inoperative), dict(scheduled))
    assert Availability.restore(json.loads(json.dumps(states.dump()))) == states


def test_setting_a_level_takes_back_what_was_scheduled_for_it() -> None:
    states = Availability(scheduled={"1": False})
    states.set("1", True)
    assert states.scheduled == {}


@pytest.mark.parametrize("stored", [None, {}, {"inoperative": "1", "scheduled": []}])
def test_nothing_usable_is_a_station_where_all_is_operative(stored: dict[str, object] | None) -> None:
    assert Availability.restore(stored).operative(1)
