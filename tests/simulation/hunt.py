"""Many lives, one after the other, counted; and what is kept of those in which a rule broke."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.faults import STYLES
from tests.simulation.life import Outcome, live
from tests.simulation.script import DAY
from tests.simulation.write import write

KEPT = 20  # failures that are kept with their words


@dataclass
class Tally:
    """The lives of one style."""

    lives: int = 0
    days: float = 0.0
    deeds: int = 0
    steps: int = 0
    starts: int = 0  # of the station: power cuts, crashes and reboots are all but the first
    transactions: int = 0
    events: int = 0
    broken: int = 0

    def take(self, outcome: Outcome) -> None:
        self.lives += 1
        self.days += outcome.t / DAY
        self.deeds += len(outcome.script.deeds)
        self.steps += outcome.steps
        self.starts += outcome.lives
        self.transactions += outcome.transactions
        self.events += outcome.events
        self.broken += outcome.broken is not None


@dataclass
class Hunt:
    """Lives the seeds from ``first`` on until ``days`` station-days are lived or ``seconds`` of processor are used."""

    first: int = 1
    days: float = 10_000.0
    seconds: float = 3_600.0
    days_each: float = 2.0
    style: str | None = None
    progress: Callable[[str], None] = lambda words: None
    tallies: dict[str, Tally] = field(default_factory=lambda: {style: Tally() for style in STYLES})
    failures: list[dict[str, Any]] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)
    took: float = 0.0
    last: int = 0

    def run(self) -> bool:
        """True where every rule held in every life."""
        began, told = time.process_time(), 0.0
        for seed in self._seeds(began):
            outcome = live(write(seed, days=self.days_each, style=self.style))
            self.tallies[outcome.script.style].take(outcome)
            self.last = seed
            if outcome.broken is not None:
                self._keep(seed, outcome)
            self.took = time.process_time() - began
            if self.took - told > 30:
                told = self.took
                self.progress(
                    f"{self.lived:.0f} of {self.days:g} days, {sum(self.rules.values())} lives with a broken rule"
                )
        return not self.rules

    @property
    def lived(self) -> float:
        """Station-days so far."""
        return sum(tally.days for tally in self.tallies.values())

    def _seeds(self, began: float) -> Iterator[int]:
        seed = self.first
        while self.lived < self.days and time.process_time() - began < self.seconds:
            yield seed
            seed += 1

    def _keep(self, seed: int, outcome: Outcome) -> None:
        assert outcome.broken is not None
        self.rules[outcome.broken.rule] += 1
        if len(self.failures) < KEPT:
            self.failures.append({"seed": seed, "rule": outcome.broken.rule, "text": outcome.broken.text})
            self.progress(f"seed {seed}: {outcome.broken}")

    # ------------------------------------------------------------------ told

    def table(self) -> str:
        """For people."""
        rows = [("", "lives", "days", "deeds", "steps", "starts", "transactions", "events", "broken")]
        total = Tally()
        for style, one in self.tallies.items():
            if one.lives:
                rows.append((style, *_cells(one)))
                for name in vars(total):
                    setattr(total, name, getattr(total, name) + getattr(one, name))
        rows.append(("all", *_cells(total)))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        faster = self.lived * DAY / self.took if self.took else 0.0
        lines.append(
            f"\nseeds {self.first} to {self.last}, {self.took:.0f} s of processor: "
            f"{1000 * self.took / max(self.lived, 1e-9):.0f} ms a day, {faster:,.0f} times as fast as life"
        )
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "seeds": [self.first, self.last],
            "days": round(self.lived, 2),
            "wanted": self.days,
            "processor_seconds": round(self.took, 1),
            "styles": {style: vars(one) for style, one in self.tallies.items() if one.lives},
            "rules_broken": dict(self.rules),
            "failures": self.failures,
        }


def _cells(one: Tally) -> tuple[str, ...]:
    return (
        f"{one.lives}",
        f"{one.days:,.0f}",
        f"{one.deeds:,}",
        f"{one.steps:,}",
        f"{one.starts:,}",
        f"{one.transactions:,}",
        f"{one.events:,}",
        f"{one.broken}",
    )
