"""Back-off and the order of network profiles: part 4, section 5.3, and B10."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.uplink.backoff import LONGEST, Attempt, BackOff, BackOffRules, Itinerary

STEADY = BackOffRules(wait_minimum=10, random_range=0, repeat_times=2)


def test_doubles_as_often_as_told_then_stays():
    backoff = BackOff(random.Random(1))
    assert [backoff.next(STEADY) for _ in range(5)] == [10, 20, 40, 40, 40]
    backoff.reset()
    assert backoff.next(STEADY) == 10


def test_no_repeats_means_no_growth():
    backoff = BackOff(random.Random(1))
    rules = BackOffRules(wait_minimum=5, random_range=0, repeat_times=0)
    assert [backoff.next(rules) for _ in range(3)] == [5, 5, 5]


@given(
    seed=st.integers(),
    rules=st.builds(BackOffRules, st.integers(0, 3600), st.integers(0, 3600), st.integers(0, 20)),
)
def test_chance_stays_within_its_range(seed, rules):
    backoff = BackOff(random.Random(seed))
    previous = backoff.next(rules)
    assert rules.wait_minimum <= previous <= rules.wait_minimum + rules.random_range
    for _ in range(rules.repeat_times):
        wait = backoff.next(rules)
        assert min(LONGEST, 2 * previous) <= wait <= min(LONGEST, 2 * previous + rules.random_range)
        previous = wait
    assert backoff.next(rules) == previous


def test_two_stations_do_not_come_back_together():
    rules = BackOffRules(wait_minimum=10, random_range=30, repeat_times=3)
    assert BackOff(random.Random(1)).next(rules) != BackOff(random.Random(2)).next(rules)


def fail(itinerary: Itinerary, slots: list[int], times: int, attempts: int = 2) -> list[Attempt]:
    """The next ``times`` attempts, all of which come to nothing."""
    plans = []
    for _ in range(times):
        plans.append(itinerary.plan(slots, attempts, STEADY))
        itinerary.failed()
    return plans


def test_first_attempt_is_at_once_and_with_the_first_slot():
    assert Itinerary(random.Random(1), last_good=1).plan([2, 1], 3, STEADY) == Attempt(2, 0)


def test_one_slot_backs_off_for_ever():
    attempts = fail(Itinerary(random.Random(1)), [1], 6)
    assert attempts == [Attempt(1, wait) for wait in (0, 10, 20, 40, 40, 40)]


def test_lost_connection_comes_back_to_the_same_slot():
    itinerary = Itinerary(random.Random(1))
    fail(itinerary, [1, 2], 2)
    itinerary.plan([1, 2], 2, STEADY)
    itinerary.succeeded()  # slot 2
    assert fail(itinerary, [1, 2], 3) == [Attempt(2, 10), Attempt(2, 20), Attempt(1, 10)]


def test_each_slot_gets_its_attempts_then_the_last_good_one_is_kept_trying():
    # TC_B_49_CS: slot 2 is new, slot 1 worked before the reboot
    itinerary = Itinerary(random.Random(1), last_good=1)
    assert fail(itinerary, [2, 1], 6) == [
        Attempt(2, 0),
        Attempt(2, 10),
        Attempt(1, 10),
        Attempt(1, 20),
        Attempt(1, 40),  # B10.FR.07
        Attempt(1, 40),
    ]
    assert fail(itinerary, [2, 1], 3) == [Attempt(2, 40), Attempt(2, 40), Attempt(1, 10)]


def test_without_a_last_good_slot_the_round_begins_anew():
    attempts = fail(Itinerary(random.Random(1)), [1, 2, 3], 8, attempts=1)
    assert [attempt.slot for attempt in attempts] == [1, 2, 3, 1, 2, 3, 1, 2]


def test_restart_goes_to_the_first_slot_at_once():
    itinerary = Itinerary(random.Random(1))
    fail(itinerary, [1, 2], 3)
    itinerary.restart()
    assert itinerary.plan([3, 1], 2, STEADY) == Attempt(3, 0)


def test_slot_that_is_no_longer_configured_is_left():
    itinerary = Itinerary(random.Random(1))
    fail(itinerary, [1, 2], 1)
    assert itinerary.plan([2], 2, STEADY) == Attempt(2, 0)


@given(
    seed=st.integers(),
    outcomes=st.lists(st.sampled_from(["failed", "succeeded", "restart"]), max_size=40),
    slots=st.permutations([1, 2, 3]).flatmap(lambda order: st.integers(1, 3).map(lambda count: order[:count])),
    attempts=st.integers(0, 4),
    last_good=st.none() | st.integers(1, 4),
)
def test_always_a_slot_that_is_configured_and_none_is_forgotten(seed, outcomes, slots, attempts, last_good):
    itinerary = Itinerary(random.Random(seed), last_good)
    for outcome in outcomes:
        attempt = itinerary.plan(slots, attempts, STEADY)
        assert attempt.slot in slots
        assert attempt.wait >= 0
        getattr(itinerary, outcome)()
    many = (len(slots) + 2) * max(1, attempts)
    assert {attempt.slot for attempt in fail(itinerary, slots, 2 * many, attempts)} == set(slots)


@pytest.mark.parametrize("attempts", [0, -1])
def test_nonsense_attempts_count_as_one(attempts):
    assert [attempt.slot for attempt in fail(Itinerary(random.Random(1)), [1, 2], 4, attempts)] == [1, 2, 1, 2]
