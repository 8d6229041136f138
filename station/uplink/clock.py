"""The one place where the uplink reads a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

from station.domain.moment import Moment


class Clock(Protocol):
    """Now, on both clocks."""

    def __call__(self) -> Moment: ...


def system_clock() -> Moment:
    """The machine's own."""
    return Moment(datetime.now(UTC), time.monotonic())
