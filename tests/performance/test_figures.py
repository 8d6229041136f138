"""The arithmetic of the bench; its measurements are not tests."""

from __future__ import annotations

import pytest

from tests.performance.figures import MAX, P95, Figure, Part, parts_table, table
from tests.performance.memory import account


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


SMAPS = """\
55a0-55b0 rw-p 00000000 00:00 0                          [heap]
Size:               2000 kB
Pss:                1500 kB
Private_Clean:         0 kB
Private_Dirty:      1000 kB
7f00-7f10 rw-p 00000000 00:00 0
Pss:                3000 kB
Private_Dirty:      2000 kB
7f10-7f20 rw-p 00000000 00:00 0
Pss:                1000 kB
Private_Dirty:      1000 kB
7f20-7f30 r-xp 00000000 fe:00 12                         /usr/lib/a library.so
Pss:                 500 kB
Private_Clean:       400 kB
7f30-7f40 r--p 00000000 fe:00 12                         /usr/lib/small.so
Pss:                   4 kB
Private_Clean:         4 kB
"""


def test_memory_is_accounted_for_by_what_it_is_of() -> None:
    part = account("web", SMAPS)
    assert part.value == pytest.approx(6004 * 1024 / 1e6)
    assert part.private == pytest.approx(4404 * 1024 / 1e6)
    assert list(part.largest) == ["small objects", "heap", "a library.so"]
    assert part.largest["small objects"] == pytest.approx(3000 * 1024 / 1e6)


def test_the_table_of_parts_has_a_line_for_each() -> None:
    figure = Figure("PSS", "MB", 200, MAX, [9.0], [Part("web", 6.0, 4.5, {"heap": 3.0, "small objects": 1.5})])
    head, web = parts_table(figure).splitlines()
    assert head.startswith("PSS (MB)")
    assert web.split() == ["web", "6.0", "4.5", "heap", "3.0,", "small", "objects", "1.5"]
    assert figure.summary()["parts"][0]["private"] == 4.5
