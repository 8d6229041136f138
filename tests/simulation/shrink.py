"""A failing script made short: everything is left out without which the same rule still breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.simulation.life import live
from tests.simulation.script import DAY, Deed, Script

GAPS = (2.0, 20.0, 120.0, 1200.0)  # s between two deeds, where more is not needed


class Shrinker:
    """Shortens one script. ``seconds`` is how long it may take."""

    def __init__(self, script: Script, rule: str, *, seconds: float = 120.0) -> None:
        self.script = script
        self._rule = rule
        self._end = time.monotonic() + seconds
        self.tries = 0

    def run(self) -> Script:
        """The shortest script found."""
        outcome = live(self.script)
        if outcome.t < self.script.days * DAY:
            self._try(replace(self.script, deeds=tuple(one for one in self.script.deeds if one.at <= outcome.t)))
        self._groups()
        self._earlier()
        self._variables()
        self._chunks()
        self._earlier()
        return self.script

    def _fails(self, script: Script) -> bool:
        self.tries += 1
        broken = live(script).broken
        return broken is not None and broken.rule == self._rule

    def _try(self, script: Script) -> bool:
        if time.monotonic() > self._end or not self._fails(script):
            return False
        self.script = script
        return True

    def _groups(self) -> None:
        """Leave whole visits and mishaps out: half of them, a quarter, and so on down to one."""
        groups = list(dict.fromkeys(deed.group for deed in self.script.deeds))
        self._halve(groups, lambda kept: tuple(deed for deed in self.script.deeds if deed.group in set(kept)))

    def _chunks(self) -> None:
        """Leave single deeds out."""
        deeds = list(self.script.deeds)
        self._halve(deeds, lambda kept: tuple(kept))

    def _halve(
        self, items: list[object] | list[str] | list[Deed], chosen: Callable[[Sequence[object]], tuple[Deed, ...]]
    ) -> None:
        kept = list(items)
        size = max(1, len(kept) // 2)
        while kept and time.monotonic() < self._end:
            start, shorter = 0, False
            while start < len(kept):
                rest = [*kept[:start], *kept[start + size :]]
                if self._try(replace(self.script, deeds=chosen(rest))):
                    kept, shorter = rest, True
                else:
                    start += size
            if size == 1 and not shorter:
                return
            size = max(1, size // 2)

    def _variables(self) -> None:
        for name in list(self.script.variables):
            rest = {key: value for key, value in self.script.variables.items() if key != name}
            self._try(replace(self.script, variables=rest))

    def _earlier(self) -> None:
        """Begin shortly before the first deed, close the gaps between deeds, and end soon after the last."""
        deeds = list(self.script.deeds)
        for number in range(len(deeds)):
            before = deeds[number - 1].at if number else 0.0
            for gap in GAPS:
                shift = deeds[number].at - before - gap
                if shift > 0:
                    moved = [*deeds[:number], *(replace(one, at=round(one.at - shift, 3)) for one in deeds[number:])]
                    if self._try(replace(self.script, deeds=tuple(moved), days=self.script.days - shift / DAY)):
                        deeds = moved
                        break
        last = deeds[-1].at if deeds else 0.0
        for rest in (60.0, 7200.0):
            if self.script.days * DAY > last + rest and self._try(replace(self.script, days=(last + rest) / DAY)):
                return


def shrink(script: Script, rule: str, *, seconds: float = 120.0) -> Script:
    """A script as short as can be found within ``seconds`` in which that rule still breaks."""
    return Shrinker(script, rule, seconds=seconds).run()
