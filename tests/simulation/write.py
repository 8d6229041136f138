"""From a seed to a script."""

from __future__ import annotations

import random

from tests.simulation import configurations
from tests.simulation.faults import STYLES, Faults
from tests.simulation.people import CARDS, People
from tests.simulation.script import Script


def write(seed: int, *, days: float = 2.0, style: str | None = None) -> Script:
    """The script of that seed: the same every time, on every machine."""
    rng = random.Random(seed)
    style = style or rng.choice(list(STYLES))
    evses = rng.choice((1, 2, 2, 3))
    variables = configurations.draw(rng)
    sockets = tuple(number for number in range(1, evses + 1) if rng.random() < 0.25)
    people = sorted(People(rng, evses, days).deeds(), key=lambda deed: deed.at)
    faults = list(Faults(rng, evses, days, style).deeds(people))
    deeds = sorted((deed for deed in [*people, *faults] if deed.at >= 0), key=lambda deed: deed.at)
    return Script(seed, days, evses, variables, tuple(deeds), sockets, CARDS, style)
