"""One publication, decoded once and rendered once for each kind of viewer, however many browsers watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from station.live.payloads import StationLive, decode
from webui.dashboard import fragments
from webui.dashboard.fragments import Viewer


@dataclass(frozen=True, slots=True)
class Rendered:
    """The pieces by id, and the marks of a browser that shows them."""

    found: dict[str, str]
    marks: dict[str, str]
    cards: str


class Publication:
    """The station as once published."""

    def __init__(self, station: StationLive) -> None:
        self.station = station
        self._rendered: dict[Viewer, Rendered] = {}

    def seen_by(self, viewer: Viewer) -> Rendered:
        """What that kind of viewer gets to see."""
        if viewer not in self._rendered:
            found = fragments.pieces(self.station, viewer)
            marks = fragments.marks(self.station, found)
            self._rendered[viewer] = Rendered(found, marks, fragments.cards(self.station, found, viewer))
        return self._rendered[viewer]


_last: Publication | None = None


def publication(data: dict[str, Any]) -> Publication:
    """The publication behind ``bus.LIVE_STATION``'s ``station``. Raises KeyError, TypeError or ValueError for rubbish.

    Only the latest is kept: while it is on its way to all who watch, the next is at least a fifth of a second away.
    """
    global _last
    if _last is None or (_last.station.life, _last.station.serial) != (data["life"], data["serial"]):
        _last = Publication(decode(data))
    return _last


def forget() -> None:
    """As after a start of the process; and where what is known of prices, names or time zone has changed."""
    global _last
    _last = None
