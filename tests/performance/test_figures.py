"""The arithmetic of the bench; its measurements are not tests."""

from __future__ import annotations

import pytest

from tests.performance.figures import MAX, P95, Figure, table


def test_median_p95_and_max_are_values_that_were_measured() -> None:
    figure = Figure("x", "ms", 95, P95, [float(value) for value in range(100, 0, -1)])
    assert (figure.median, figure.p95, figure.max) == (50.5, 95.0, 100.0)
    assert figure.within


@pytest.mark.parametrize(("judged", "within"), [(P95, True), (MAX, False)])
def test_the_bound_is_for_what_it_says(judged: str, within: bool) -> None:
    figure = Figure("x", "ms", 10, judged, [1.0] * 99 + [11.0])
    assert figure.within is within


def test_the_table_marks_what_is_over() -> None:
    text = table([Figure("slow", "ms", 1, MAX, [2.0]), Figure("quick", "ms", 1, MAX, [0.5])])
    head, slow, quick = text.splitlines()
    assert "median" in head
    assert slow.endswith("OVER")
    assert not quick.endswith("OVER")
