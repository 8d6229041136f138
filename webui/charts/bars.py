"""Bars as SVG rectangles, made on the server; all places are in per cent, so that the browser stretches the picture.

One quantity above the other, each with its own axis, over the same columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webui.charts.curve import Tick
from webui.charts.scale import value_ticks

GAP = 0.28  # of a column's width, between two bars
BEYOND = 1e15
LEAST = 0.8  # per cent: what is not nothing can be seen


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; ``height`` is 0 where there is nothing."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of one quantity, and the lines of its axis."""

    bars: tuple[Bar, ...]
    rows: tuple[Tick, ...]


def column(number: int, of: int) -> tuple[float, float]:
    """Left edge and width of a whole column."""
    return round(100 * number / of, 3), round(100 / of, 3)


def draw(values: Sequence[float], top: float = 0.0, bottom: float = 100.0, *, ticks: int = 4) -> Bars:
    """A bar for each of ``values`` between two heights of the picture, in per cent from above.

    What is no number above zero, or beyond all measure either way, has no bar.
    """
    good = [value if 1 / BEYOND < value < BEYOND else 0.0 for value in values]
    rows = value_ticks(max(good, default=0.0) or 1.0, ticks)
    most, room = rows[-1], bottom - top
    found = []
    for number, value in enumerate(good):
        left, width = column(number, len(good))
        height = max(LEAST, room * value / most) if value else 0.0
        found.append(
            Bar(
                round(left + width * GAP / 2, 3),
                round(bottom - height, 3),
                round(width * (1 - GAP), 3),
                round(height, 3),
            )
        )
    return Bars(tuple(found), tuple(Tick(round(bottom - room * row / most, 3), row) for row in rows))
