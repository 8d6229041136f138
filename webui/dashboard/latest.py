"""The last that this web server process heard of the station: the first paint of a page, never a source of truth."""

from __future__ import annotations

import time

from station.live.payloads import StationLive
from webui.dashboard.fragments import STALE_AFTER

_last: tuple[float, StationLive] | None = None


def remember(station: StationLive) -> None:
    """Keep what the uplink has just published."""
    global _last
    _last = (time.monotonic(), station)


def forget() -> None:
    """As after a start of the process."""
    global _last
    _last = None


def recent() -> StationLive | None:
    """The station as last published, where that is not stale yet; None also while no browser watches."""
    if _last is None or time.monotonic() - _last[0] > STALE_AFTER:
        return None
    return _last[1]
