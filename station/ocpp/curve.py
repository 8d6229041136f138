"""The power curve of a session: a point where something changed, so that a day costs little flash."""

from __future__ import annotations

from station.domain.effects import SaveMeterPoint
from station.domain.evse import Evse
from station.domain.moment import Moment
from station.ocpp.context import Context

AT_LEAST = 60.0  # s between points while nothing changes
AT_MOST = 2.0  # s between points while much changes
CHANGE = 0.04  # of the EVSE's largest power: a change worth a point


class Curve:
    """Remembers the last point of each running transaction and says when the next is due."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._last: dict[str, tuple[float, float]] = {}  # transaction id -> (monotonic, W)

    def note(self, evse: Evse, now: Moment, *, final: bool = False) -> None:
        """Store a point if one is due; ``final`` stores one in any case and forgets the transaction."""
        transaction, reading = evse.transaction, evse.meter.reading
        if transaction is None or reading is None or evse.snapshot is None:
            return
        power = evse.meter.power
        last = self._last.get(transaction.transaction_id)
        if last is not None and not final:
            waited, changed = now.monotonic - last[0], abs(power - last[1])
            if waited < AT_MOST or (waited < AT_LEAST and changed < CHANGE * evse.meter.max_power):
                return
        self._context.emit(
            SaveMeterPoint(
                transaction_id=transaction.transaction_id,
                at=self._context.clock.utc(now),
                power=power,
                current=max(reading.current),
                energy=reading.energy / 1000,
                soc=evse.snapshot.soc,
            )
        )
        if final:
            self._last.pop(transaction.transaction_id, None)
        else:
            self._last[transaction.transaction_id] = (now.monotonic, power)
