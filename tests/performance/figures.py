"""One measured quantity with its bound, and the table of all of them. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

# Which of the three the bound is for.
P95, MAX = "p95", "max"


@dataclass(frozen=True, slots=True)
class Part:
    """What one process has of a quantity, what of that is its alone, and where most of that lies."""

    name: str
    value: float
    private: float
    largest: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """Samples of one quantity. ``bound`` is for ``judged`` (p95 or max); ``parts`` are those of the last sample."""

    name: str
    unit: str
    bound: float
    judged: str
    samples: Sequence[float]
    parts: Sequence[Part] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        """The nearest rank: a value that was measured."""
        return sorted(self.samples)[math.ceil(0.95 * len(self.samples)) - 1]

    @property
    def max(self) -> float:
        return max(self.samples)

    @property
    def within(self) -> bool:
        return (self.p95 if self.judged == P95 else self.max) <= self.bound

    def summary(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "p95": self.p95,
            "max": self.max,
            "bound": self.bound,
            "judged": self.judged,
            "within": self.within,
            "samples": list(self.samples),
            "parts": [asdict(part) for part in self.parts],
        }


def table(figures: Iterable[Figure]) -> str:
    """The figures for people, one a line."""
    rows = [("", "unit", "n", "median", "p95", "max", "bound", "")]
    rows += [
        (
            figure.name,
            figure.unit,
            str(len(figure.samples)),
            f"{figure.median:.1f}",
            f"{figure.p95:.1f}",
            f"{figure.max:.1f}",
            f"{figure.judged} ≤ {figure.bound:g}",
            "" if figure.within else "OVER",
        )
        for figure in figures
    ]
    return _aligned(rows, left=(0, 1, 6, 7))


def parts_table(figure: Figure) -> str:
    """What each process has of a figure, one a line."""
    rows = [(f"{figure.name} ({figure.unit})", "", "private", "of that")]
    rows += [
        (
            part.name,
            f"{part.value:.1f}",
            f"{part.private:.1f}",
            ", ".join(f"{where} {value:.1f}" for where, value in part.largest.items()),
        )
        for part in figure.parts
    ]
    return _aligned(rows, left=(0, 3))


def _aligned(rows: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
