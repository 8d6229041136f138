"""Local time, as shown to drivers: the offset that was configured for the next transition takes over (part 2, 2.1)."""

from __future__ import annotations

from datetime import datetime

from station.device_model.components import ClockCtrlr
from station.domain.board import BoardSnapshot
from station.domain.events import Started, Tick
from station.domain.moment import Moment
from station.ocpp.block import Block
from station.ocpp.context import Context


class LocalTime(Block):
    """Timestamps in messages stay UTC, whatever the offset is."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._now: Moment | None = None

    def on(self, event: object, now: Moment) -> None:
        match event:
            case Started() | BoardSnapshot() | Tick():
                self._now = now
                self._pass(now)

    def deadline(self) -> float | None:
        at = self._transition()
        if at is None or self._now is None:
            return None
        left = (at - self._context.clock.utc(self._now)).total_seconds()
        return self._now.monotonic + max(0.0, left)

    def _transition(self) -> datetime | None:
        """When the offset changes next; None where nothing is configured for it."""
        model = self._context.model
        if not model[ClockCtrlr.TimeOffsetNextTransition]:
            return None
        try:
            return model[ClockCtrlr.NextTimeOffsetTransitionDateTime]
        except LookupError:
            return None

    def _pass(self, now: Moment) -> None:
        at = self._transition()
        if at is None or self._context.clock.utc(now) < at:
            return
        model = self._context.model
        offset = model[ClockCtrlr.TimeOffsetNextTransition]
        for effect in (
            model.assign(ClockCtrlr.TimeOffset, offset),
            model.assign(ClockCtrlr.TimeOffsetNextTransition, ""),
        ):
            if effect is not None:
                self._context.emit(effect)
        self._context.journal(now, "time_offset", offset=offset)
