"""Slots on a monotonic clock: when the next one is, how many went by, how exactly they were kept."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

RING = 600  # the last two minutes at five slots a second


@dataclass(slots=True)
class Pace:
    """Slots every ``interval`` seconds from ``start``. They never drift: a late one does not move those after it."""

    interval: float
    start: float
    missed: int = 0
    _slot: int = 0
    _late: deque[float] = field(default_factory=lambda: deque(maxlen=RING))

    @property
    def due(self) -> float:
        """The monotonic time of the next slot."""
        return self.start + self._slot * self.interval

    def begin(self, now: float) -> None:
        """The work of the slot that is due begins."""
        self._late.append(abs(now - self.due))

    def done(self, now: float) -> None:
        """It is done; slots that went by meanwhile are skipped and counted."""
        upcoming = max(self._slot + 1, math.ceil((now - self.start) / self.interval))
        self.missed += upcoming - self._slot - 1
        self._slot = upcoming

    def jitter(self) -> tuple[float, float]:
        """How late slots began, in s: 95th percentile and maximum of the last two minutes; zeros before the first."""
        late = sorted(self._late)
        return (late[math.ceil(0.95 * len(late)) - 1], late[-1]) if late else (0.0, 0.0)
