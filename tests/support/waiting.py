"""Waiting for conditions instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T | Literal[False] | None], what: str, timeout: float = 15, every: float = 0.05
) -> T:
    """The first true value of ``condition``; AssertionError naming ``what`` and the last value after ``timeout`` s."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, f"{what}: not within {timeout} s (last: {value!r})"
        time.sleep(every)
    return value
