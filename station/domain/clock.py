"""The station's own idea of what time it is (ClockCtrlr), which no jump of the machine's clock can disturb."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from station.domain.moment import Moment

JUMP = timedelta(seconds=2)  # the machine's clock moved by more than this against the monotonic one: it jumped
SYNC = timedelta(seconds=1)  # a CSMS time nearer than this is not worth a correction: the message itself took time
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)  # what a CSMS may mean in earnest


class Clock:
    """UTC from the monotonic clock and an anchor.

    The anchor is the machine's wall clock plus ``offset`` at the first look, and moves when the CSMS tells the time
    (B01.FR.06). Where the machine keeps its own time (``follow_machine``: TimeSource names NTP or GNSS before
    Heartbeat), a jump of the wall clock is followed instead, and the CSMS's time is not taken. ``not_before``: what
    was already told in an earlier life; a machine that lost its time starts no earlier.
    """

    def __init__(
        self, offset: timedelta = timedelta(), *, follow_machine: bool = False, not_before: datetime | None = None
    ) -> None:
        self._offset = offset
        self._not_before = not_before
        self.follow_machine = follow_machine
        self.synchronized = False
        self._anchor: Moment | None = None
        self._moved = timedelta()

    def utc(self, now: Moment) -> datetime:
        """The station's time, aware, UTC."""
        if self._anchor is None:
            wall = now.wall + self._offset
            self._anchor = Moment(max(wall, self._not_before or wall), now.monotonic)
        at = self._anchor.wall + timedelta(seconds=now.monotonic - self._anchor.monotonic)
        if self.follow_machine and abs(now.wall - at) > JUMP:
            self._moved += now.wall - at
            self._anchor = Moment(now.wall, now.monotonic)
            return now.wall
        return at

    def offset(self, now: Moment) -> timedelta:
        """The station's time minus the machine's, as it is now: what the next life needs to know the time."""
        return self.utc(now) - now.wall

    def synchronize(self, told: datetime, now: Moment) -> timedelta:
        """Take over the CSMS's time; returns by how much the clock moved (zero where it was near enough).

        A time outside ``EARLIEST`` to ``LATEST`` is no time and changes nothing.
        """
        if self.follow_machine or not EARLIEST <= told < LATEST:
            return timedelta()
        moved = told - self.utc(now)
        self.synchronized = True
        if abs(moved) < SYNC:
            return timedelta()
        self._moved += moved
        self._anchor = Moment(told.astimezone(UTC), now.monotonic)
        return moved

    def take_moved(self) -> timedelta:
        """By how much the clock was adjusted since the last time that somebody asked."""
        moved, self._moved = self._moved, timedelta()
        return moved
