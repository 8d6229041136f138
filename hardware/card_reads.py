"""The last few cards, out of a register that shows only the last one and a counter."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from hardware.board import BoardReading
from station.domain.board import CardRead

KEPT = 8


class CardReads:
    """Card reads since the board's reset, as far as polls could see them."""

    def __init__(self) -> None:
        self._reads: deque[CardRead] = deque(maxlen=KEPT)
        self._count: int | None = None
        self._fresh = True  # nothing was polled yet, in the whole life of this object

    @property
    def reads(self) -> tuple[CardRead, ...]:
        """Oldest first."""
        return tuple(self._reads)

    def forget(self) -> None:
        """The board was reset: its counter starts at 0 again."""
        self._reads.clear()
        self._count = None if self._fresh else 0

    def take(self, reading: BoardReading, now: float) -> None:
        """See what a poll read.

        A card that is already there at the very first poll has no time. Where the counter leapt (two cards within
        one poll, or a broken line), only the last UID can be known.
        """
        if reading.card_count != self._count and reading.card:
            self._reads.append(replace(reading.card, at=None if self._count is None else now))
        self._count = reading.card_count
        self._fresh = False
