"""How the queue fills and drains, as SVG paths: steps, for a message waits or does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from webui.charts.curve import HEIGHT, WIDTH, Tick
from webui.charts.scale import time_step, value_ticks

LEAST_SPAN = 60.0  # s
LEAST_TOP = 4  # messages


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the template needs; ``line`` is empty where there is nothing to draw."""

    line: str
    area: str
    rows: tuple[Tick, ...]  # messages
    columns: tuple[Tick, ...]  # time
    most: int
    now: float = 100.0  # where the newest value is, in per cent from the top
    width: int = WIDTH
    height: int = HEIGHT


def draw(points: Sequence[tuple[float, int]], now: datetime) -> Drawing:
    """The steps through ``points`` (seconds since 1970, how many waited from then on) up to ``now``.

    ``now`` is aware, in the zone to be shown.
    """
    end = now.timestamp()
    good = [(at, max(0, count)) for at, count in points if math.isfinite(at) and at <= end]
    if not good:
        return Drawing("", "", (), (), 0)
    begin = min(good[0][0], end - LEAST_SPAN)
    span = end - begin
    most = max(count for _, count in good)
    ticks = value_ticks(max(most, LEAST_TOP))
    top = ticks[-1]

    def place(at: float, count: int) -> tuple[str, str]:
        return f"{WIDTH * (at - begin) / span:.1f}", f"{HEIGHT - HEIGHT * count / top:.1f}"

    x, y = place(*good[0])
    line = f"M{x} {y}"
    for at, count in good[1:]:
        x, y = place(at, count)
        line += f"H{x}V{y}"
    line += f"H{WIDTH}"
    return Drawing(
        line=line,
        area=f"{line}V{HEIGHT}H{place(*good[0])[0]}Z",
        rows=tuple(Tick(round(100 - 100 * tick / top, 2), tick) for tick in ticks if tick == int(tick)),
        columns=_columns(now, span),
        most=most,
        now=round(100 - 100 * good[-1][1] / top, 2),
    )


def _columns(now: datetime, span: float) -> tuple[Tick, ...]:
    step = time_step(span, 5)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    until = (now - midnight).total_seconds()
    found, at = [], math.ceil((until - span) / step) * step
    while at <= until:
        across = 100 * (1 - (until - at) / span)
        if 4 <= across <= 96:  # a label at the very edge would hang out of the picture
            label = (midnight + timedelta(seconds=at)).strftime("%H:%M:%S" if step < 60 else "%H:%M")
            found.append(Tick(round(across, 2), at, label))
        at += step
    return tuple(found)
