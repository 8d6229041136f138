"""When to connect next, and by which network profile (part 4, section 5.3; B09, B10). Pure: no clock, no socket."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 24 * 3600.0  # s; what doubles for ever is no waiting any more


@dataclass(frozen=True, slots=True)
class BackOffRules:
    """RetryBackOffWaitMinimum and RetryBackOffRandomRange in seconds, RetryBackOffRepeatTimes."""

    wait_minimum: float
    random_range: float
    repeat_times: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """Connect with network configuration slot ``slot`` after ``wait`` seconds."""

    slot: int
    wait: float


class BackOff:
    """The growing, randomised pause between connection attempts."""

    def __init__(self, entropy: random.Random) -> None:
        self._entropy = entropy
        self._waits = 0
        self._last = 0.0

    def reset(self) -> None:
        """A connection was made: the next pause is a first one again."""
        self._waits = 0

    def next(self, rules: BackOffRules) -> float:
        """Seconds to wait now. Doubles ``repeat_times`` times, each time with new chance, and then stays as it is."""
        if self._waits == 0:
            self._last = rules.wait_minimum + self._chance(rules)
        elif self._waits <= rules.repeat_times:
            self._last = 2 * self._last + self._chance(rules)
        self._last = min(self._last, LONGEST)
        self._waits += 1
        return self._last

    def _chance(self, rules: BackOffRules) -> float:
        return self._entropy.uniform(0.0, max(0.0, rules.random_range))


class Itinerary:
    """Which slot to try, and when.

    ``last_good`` is the slot of the last successful connection, also from an earlier life, None where there never
    was one.
    """

    def __init__(self, entropy: random.Random, last_good: int | None = None) -> None:
        self._backoff = BackOff(entropy)
        self._slot: int | None = None
        self._failures = 0  # in a row, with this slot
        self._given_up: set[int] = set()
        self._last_good = last_good
        self._falling_back = False

    def restart(self) -> None:
        """Begin with the first slot, at once (B10.FR.04)."""
        self._slot = None
        self._new_round()
        self._backoff.reset()

    def failed(self) -> None:
        """The attempt came to nothing."""
        self._failures += 1

    def succeeded(self) -> None:
        """The attempt led to a connection; when that is lost, the same slot is tried first."""
        self._last_good = self._slot or self._last_good
        self._new_round()
        self._backoff.reset()

    def plan(self, slots: Sequence[int], attempts: int, rules: BackOffRules) -> Attempt:
        """The next attempt. ``slots`` by priority, not empty; ``attempts``: NetworkProfileConnectionAttempts."""
        if self._slot not in slots:
            self._slot = slots[0]
            self._failures = 0
            return Attempt(self._slot, 0.0)
        if self._failures >= max(1, attempts) and len(slots) > 1:
            self._move_on(slots)
        assert self._slot is not None  # noqa: S101 - for the type checker: it is one of ``slots``
        return Attempt(self._slot, self._backoff.next(rules))

    def _move_on(self, slots: Sequence[int]) -> None:
        """B10.FR.03: this slot had its attempts."""
        assert self._slot is not None  # noqa: S101 - as in ``plan``
        self._given_up.add(self._slot)
        left = [slot for slot in slots if slot not in self._given_up]
        if left:
            self._slot = left[0]
            self._backoff.reset()  # nobody has troubled that CSMS yet
        elif not self._falling_back and self._last_good in slots:
            # B10.FR.07; from here the pause only grows
            self._slot = self._last_good
            self._falling_back = True
        else:
            # Not even that one answers. A station that then tried no other would stay dark until somebody came.
            self._new_round()
            self._slot = slots[0]
        self._failures = 0

    def _new_round(self) -> None:
        self._failures = 0
        self._given_up.clear()
        self._falling_back = False
