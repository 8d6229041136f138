"""Curves: axes, thinning, and points as they should not be."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import pytest

from webui.charts.curve import HEIGHT, MOST_POINTS, WIDTH, draw, mean_power, plausible, table, thinned
from webui.charts.scale import nice_step, time_step, value_ticks

START = datetime(2025, 6, 1, 12, 7, 30, tzinfo=UTC)


def corners(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


@pytest.mark.parametrize(
    ("span", "ticks", "step"), [(7.4, 4, 2), (8, 4, 2), (8.1, 4, 5), (1, 4, 0.5), (22, 4, 10), (0.03, 4, 0.01)]
)
def test_steps_are_nice(span: float, ticks: int, step: float) -> None:
    assert nice_step(span, ticks) == pytest.approx(step)


@pytest.mark.parametrize("span", [0.0, -1.0, math.nan, math.inf])
def test_step_of_nothing(span: float) -> None:
    assert nice_step(span, 4) == 1.0
    assert len(value_ticks(span)) >= 2


def test_ticks_cover_the_maximum() -> None:
    assert value_ticks(7.4) == [0, 2, 4, 6, 8]
    assert value_ticks(8.0) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize(
    ("span", "step"), [(60, 10), (90, 15), (3600, 600), (86400, 21600), (6 * 86400, 86400), (90 * 86400, 15 * 86400)]
)
def test_time_steps(span: float, step: int) -> None:
    assert time_step(span) == step


def test_empty_curve_has_axes_only() -> None:
    curve = draw([], started_at=START)
    assert (curve.line, curve.area, curve.last) == ("", "", None)
    assert curve.rows
    assert curve.columns


def test_one_point_is_visible() -> None:
    curve = draw([(0, 500)])
    assert curve.line == f"M0 {HEIGHT / 2:g}h5"
    assert curve.last is not None
    assert (curve.last.x, curve.last.y) == (0, 50)
    assert curve.mean == 500


def test_curve_fits_its_box() -> None:
    curve = draw([(0, 0), (600, 7400), (1200, 3700)], started_at=START)
    assert corners(curve.line) == [(0, HEIGHT), (WIDTH / 2, 15), (WIDTH, 107.5)]
    assert curve.area.endswith(f"V{HEIGHT}H0Z")
    assert curve.peak == 7400
    assert [row.value for row in curve.rows] == [0, 2, 4, 6, 8]
    assert [row.at for row in curve.rows] == [100, 75, 50, 25, 0]
    assert [column.label for column in curve.columns] == ["12:10", "12:15", "12:20", "12:25"]


def test_short_session_shows_seconds() -> None:
    labels = [column.label for column in draw([(0, 1), (60, 1)], started_at=START).columns]
    assert labels[0] == "12:07:40"


def test_what_cannot_be_is_left_out() -> None:
    points = [(0, 100), (math.nan, 5), (10, math.inf), (20, -50), (15, 900), (-3, 9), (30, 200)]
    assert plausible(points) == [(0, 100), (20, 0), (30, 200)]


def test_huge_curve_is_thinned_and_keeps_its_peaks() -> None:
    points = [(float(i), 7000.0) for i in range(100_000)]
    points[51_234] = (51_234.0, 22_000.0)
    points[70_001] = (70_001.0, 0.0)
    kept = thinned(points)
    assert len(kept) <= MOST_POINTS
    assert kept == sorted(kept)
    assert {points[0], points[51_234], points[70_001], points[-1]} <= set(kept)
    assert len(draw(points).line) < 5000


def test_points_at_one_instant_do_not_divide_by_nothing() -> None:
    same = [(5.0, float(i)) for i in range(1000)]
    assert len(thinned(same)) <= MOST_POINTS
    assert mean_power(same) == 999.0
    assert draw(same).peak == 999.0


def test_mean_is_over_time_not_over_points() -> None:
    assert mean_power([(0, 0), (1, 0), (2, 0), (3, 0), (103, 100)]) == pytest.approx(5000 / 103)


def test_table_has_both_ends() -> None:
    rows = table([(float(i), 1.0) for i in range(1000)])
    assert (len(rows), rows[0][0], rows[-1][0]) == (24, 0, 999)
    assert table([]) == []
    assert table([(1, 2)]) == [(1, 2)]
