"""The power curve of a session: points where something changed, so that a day costs little flash."""

from __future__ import annotations

from dataclasses import dataclass

from station.domain.effects import SaveMeterPoint
from station.domain.evse import Evse
from station.domain.moment import Moment
from station.ocpp.context import Context

AT_LEAST = 60.0  # s between points while nothing changes
AT_MOST = 2.0  # s between points while much changes
CHANGE = 0.04  # of the EVSE's largest power: a change worth a point


@dataclass(slots=True)
class _Drawn:
    """How far a transaction's curve is drawn: the last point stored, and the last reading not stored since."""

    at: float  # monotonic
    power: float
    held_at: float
    held: SaveMeterPoint | None = None


class Curve:
    """Remembers the last point of each running transaction and says when the next is due."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._drawn: dict[str, _Drawn] = {}  # by transaction id

    def note(self, evse: Evse, now: Moment, *, final: bool = False) -> None:
        """Store a point if one is due; ``final`` stores one in any case and forgets the transaction."""
        point = self._point(evse, now)
        if point is None:
            return
        drawn = self._drawn.get(point.transaction_id)
        stepped = drawn is not None and abs(point.power - drawn.power) >= CHANGE * evse.meter.max_power
        if drawn is not None and not final:
            waited = now.monotonic - drawn.at
            if waited < AT_MOST or (waited < AT_LEAST and not stepped):
                drawn.held, drawn.held_at = point, now.monotonic
                return
        if drawn is not None and drawn.held is not None and stepped and drawn.held_at - drawn.at > AT_MOST:
            self._context.emit(drawn.held)  # where the level part ended: else the line would slope all along it
        self._context.emit(point)
        if final:
            self._drawn.pop(point.transaction_id, None)
        else:
            self._drawn[point.transaction_id] = _Drawn(now.monotonic, point.power, now.monotonic)

    def _point(self, evse: Evse, now: Moment) -> SaveMeterPoint | None:
        transaction, reading = evse.transaction, evse.meter.reading
        if transaction is None or reading is None or evse.snapshot is None:
            return None
        return SaveMeterPoint(
            transaction_id=transaction.transaction_id,
            at=self._context.clock.utc(now),
            power=evse.meter.power,
            current=max(reading.current),
            energy=reading.energy / 1000,
            soc=evse.snapshot.soc,
            currents=reading.current[: evse.snapshot.phases],
        )
