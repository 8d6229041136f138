"""How often somebody may ask: a bucket for each, in memory, because the web server is one process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

CALLERS = 256  # that are remembered; beyond, who has not been heard of for longest begins anew


class Pace:
    """``burst`` requests at once, and then ``per_second`` of them."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # who: (requests left, as of)

    def wait(self, who: str) -> float:
        """Take one request of ``who``; 0.0 where it may go on, else the seconds until the next may."""
        now = self._clock()
        left, as_of = self._left.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - as_of) * self._per_second)
        taken = left >= 1.0
        self._left[who] = (left - 1.0 if taken else left, now)
        while len(self._left) > CALLERS:
            self._left.popitem(last=False)
        return 0.0 if taken else (1.0 - left) / self._per_second

    def forget(self) -> None:
        """Nobody has asked anything."""
        self._left.clear()


READING_PER_SECOND, DOING_PER_SECOND = 10, 2
READING = Pace(READING_PER_SECOND, burst=60)
DOING = Pace(DOING_PER_SECOND, burst=20)
STRANGERS = Pace(per_second=1, burst=20)  # by address: whoever brings no good token
