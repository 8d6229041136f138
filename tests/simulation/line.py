"""The way between station and CSMS: a connection that delays, breaks, and swallows what is on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Timetable(Protocol):
    """Where deliveries are entered."""

    t: float

    def at(self, when: float, act: Callable[[], None]) -> None: ...


class Line:
    """TCP as it is: in order each way, and whatever was on its way when it broke may or may not have arrived.

    ``station`` and ``csms`` take a text. ``latency`` is in seconds, one way. ``hole``: nothing arrives any more, and
    nobody knows it yet.
    """

    def __init__(self, timetable: Timetable, station: Callable[[str], None], csms: Callable[[str], None]) -> None:
        self.up = False
        self.number = 0  # of the connection
        self.latency = 0.02
        self.hole = False
        self._timetable = timetable
        self._station = station
        self._csms = csms
        self._clear: dict[bool, float] = {True: 0.0, False: 0.0}  # when the last one of a direction arrives
        self._lingering: int | None = None  # the connection whose last words still reach the CSMS

    def open(self) -> None:
        self.up, self.hole = True, False
        self.number += 1
        self._clear = {True: 0.0, False: 0.0}

    def close(self, *, swallowed: bool) -> None:
        """``swallowed``: what the station had sent still reaches the CSMS; its answers reach nobody."""
        self.up = False
        self._lingering = self.number if swallowed else None

    def to_csms(self, text: str) -> None:
        self._send(text, up=True)

    def to_station(self, text: str) -> None:
        self._send(text, up=False)

    def _send(self, text: str, *, up: bool) -> None:
        if not self.up or self.hole:
            return
        number = self.number
        when = max(self._clear[up], self._timetable.t + self.latency)
        self._clear[up] = when

        def arrive() -> None:
            if up and number == self._lingering and not self.hole:
                self._csms(text)
            elif self.up and number == self.number and not self.hole:
                (self._csms if up else self._station)(text)

        self._timetable.at(when, arrive)
