"""A curve of power over time as SVG paths, made on the server so that the page needs no script for it.

The paths live in a box of ``WIDTH`` by ``HEIGHT`` that the browser stretches; ticks and marks are in per cent, so that
their text keeps its size on a phone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from webui.charts.scale import time_step, value_ticks

WIDTH = 1000
HEIGHT = 200
MOST_POINTS = 240

Point = tuple[float, float]  # (seconds since the session's start, W)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid: ``at`` in per cent from the left or the top, and what it stands for."""

    at: float
    value: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of interest, in per cent from the left and the top."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Curve:
    """What a template needs to draw a curve; ``line`` is empty where there is nothing to draw."""

    line: str
    area: str
    rows: tuple[Tick, ...]  # power, in kW
    columns: tuple[Tick, ...]  # time
    last: Mark | None
    peak: float  # W
    mean: float  # W, over time
    width: int = WIDTH
    height: int = HEIGHT


def plausible(points: Iterable[Sequence[float]]) -> list[Point]:
    """Only finite points, in order of time; power below nothing counts as nothing."""
    kept: list[Point] = []
    for at, watt in points:
        if math.isfinite(at) and math.isfinite(watt) and at >= 0 and (not kept or at >= kept[-1][0]):
            kept.append((float(at), max(0.0, float(watt))))
    return kept


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most ``most`` points: lowest and highest of each stretch of time, so that no peak is lost; both ends stay."""
    if len(points) <= most:
        return list(points)
    start, end = points[0][0], points[-1][0]
    stretches = max(1, (most - 2) // 2)
    span = (end - start) / stretches or 1.0
    kept = [points[0]]
    bucket: list[Point] = []
    number = 0

    def close() -> None:
        if bucket:
            ends = {min(bucket, key=lambda point: point[1]), max(bucket, key=lambda point: point[1])}
            kept.extend(sorted(ends))

    for point in points[1:-1]:
        here = min(stretches - 1, int((point[0] - start) / span))
        if here != number:
            close()
            bucket, number = [], here
        bucket.append(point)
    close()
    kept.append(points[-1])
    return kept


def mean_power(points: Sequence[Point]) -> float:
    """The mean over time, by trapezia; W."""
    if not points:
        return 0.0
    span = points[-1][0] - points[0][0]
    if span <= 0:
        return points[-1][1]
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(points))
    return area / span


def _number(value: float) -> str:
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def draw(
    points: Iterable[Sequence[float]],
    *,
    started_at: datetime | None = None,
    least_span: float = 60.0,
    least_power: float = 1000.0,
) -> Curve:
    """The curve through ``points``.

    ``started_at`` (aware, in the zone to be shown) gives the time axis its clock times; without it there are no
    columns. The axes reach at least ``least_span`` seconds and ``least_power`` W, so that a session's first seconds
    do not fill the picture with noise.
    """
    good = plausible(points)
    peak = max((watt for _, watt in good), default=0.0)
    span = max(least_span, good[-1][0] if good else 0.0)
    ticks = value_ticks(max(peak, least_power) / 1000)
    top = ticks[-1] * 1000
    rows = tuple(Tick(at=round(100 - 100 * tick * 1000 / top, 2), value=tick) for tick in ticks)
    columns = _columns(started_at, span) if started_at is not None else ()
    if not good:
        return Curve("", "", rows, columns, None, 0.0, 0.0)

    drawn = thinned(good)
    placed = [(WIDTH * at / span, HEIGHT - HEIGHT * watt / top) for at, watt in drawn]
    line = "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in placed)
    if len(placed) == 1:
        line += f"h{_number(max(1.0, WIDTH / 200))}"
    area = f"{line}V{HEIGHT}H{_number(placed[0][0])}Z"
    x, y = placed[-1]
    last = Mark(round(100 * x / WIDTH, 2), round(100 * y / HEIGHT, 2))
    return Curve(line, area, rows, columns, last, peak, mean_power(good))


def _columns(started_at: datetime, span: float) -> tuple[Tick, ...]:
    step = time_step(span)
    midnight = started_at.replace(hour=0, minute=0, second=0, microsecond=0)
    begun = (started_at - midnight).total_seconds()
    first = math.ceil(begun / step) * step
    pattern = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d.%m."
    found: list[Tick] = []
    at = first - begun
    while at <= span:
        place = 100 * at / span
        # A label at the very edge would hang out of the picture.
        if 3 <= place <= 97:
            found.append(Tick(round(place, 2), at, (started_at + timedelta(seconds=at)).strftime(pattern)))
        at += step
    return tuple(found)


def table(points: Iterable[Sequence[float]], rows: int = 24) -> list[Point]:
    """The curve as a few points at even distances, for those who read rather than look."""
    good = plausible(points)
    if len(good) <= rows:
        return good
    return [good[round(index * (len(good) - 1) / (rows - 1))] for index in range(rows)]
