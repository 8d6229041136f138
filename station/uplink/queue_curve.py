"""How the queue grew and drained in the last hour; kept in memory, and only while there is something to see."""

from __future__ import annotations

Point = tuple[float, int]  # seconds since 1970, how many waited from then on

POINTS = 80  # with every publication they travel to every browser
SPAN = 3600.0  # s
APART = 1.0  # s
QUIET = 600.0  # s after which an empty queue is no story any more


class QueueCurve:
    def __init__(self) -> None:
        self._points: list[Point] = []

    def after(self, at: float, waiting: int) -> tuple[Point, ...]:
        """The curve, now that at ``at`` so many wait. A point for each change, at least a second apart."""
        points = self._points
        if points and at < points[-1][0]:
            points.clear()  # the clock was set back
        if waiting == (points[-1][1] if points else 0):
            if points and not waiting and at - points[-1][0] > QUIET:
                points.clear()
        elif points and at - points[-1][0] < APART:
            points[-1] = (points[-1][0], waiting)
        else:
            if not points:
                points.append((round(at - APART, 1), 0))
            points.append((round(at, 1), waiting))
        while len(points) > 2 and points[1][0] < at - SPAN:
            del points[0]
        if len(points) > POINTS:
            points[:] = [*points[:-1:2], points[-1]]
        return tuple(points)
