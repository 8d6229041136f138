"""Axes: where the ticks go. Pure arithmetic, no Django."""

from __future__ import annotations

import math

_STEPS = (1, 2, 5, 10)
# Seconds between two ticks of a time axis, as clocks are read.
_TIME_STEPS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def nice_step(span: float, ticks: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that covers ``span`` with at most ``ticks`` steps."""
    if not (span > 0 and math.isfinite(span)):
        return 1.0
    raw = span / ticks
    magnitude = 10.0 ** math.floor(math.log10(raw))
    return next(step * magnitude for step in (*_STEPS, 20) if step * magnitude >= raw * (1 - 1e-9))


def value_ticks(maximum: float, ticks: int = 4) -> list[float]:
    """Ticks from 0 to the first nice value at or above ``maximum``; never fewer than two."""
    step = nice_step(maximum, ticks)
    count = max(1, math.ceil(max(maximum, 0.0) / step - 1e-9)) if math.isfinite(maximum) else 1
    return [step * index for index in range(count + 1)]


def time_step(span: float, ticks: int = 6) -> int:
    """Seconds between the ticks of a time axis of ``span`` seconds; whole days once it is longer than a week."""
    for step in _TIME_STEPS:
        if span / step <= ticks:
            return step
    return 86400 * math.ceil(span / 86400 / ticks)
