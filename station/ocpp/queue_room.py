"""The limit of the durable queue, and what goes first where it is reached (part 2, 2.1.9; E04.FR.07, J02.FR.12)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from station.domain.memory import QUEUE_LIMIT, QueuedCall

AT_MOST = QUEUE_LIMIT
METERING = ("MeterValuePeriodic", "MeterValueClock")


def _meter_values(call: QueuedCall) -> bool:
    return call.action == "MeterValues"


def _status(call: QueuedCall) -> bool:
    return call.action == "StatusNotification"


def _metering(call: QueuedCall) -> bool:
    """An event that tells nothing but meter values."""
    if call.action != "TransactionEvent" or call.payload["triggerReason"] not in METERING:
        return False
    return call.payload["eventType"] == "Updated" and "idToken" not in call.payload


IN_TURN: tuple[Callable[[QueuedCall], bool], ...] = (_meter_values, _status, _metering)


def dispensable(waiting: Sequence[QueuedCall]) -> list[QueuedCall]:
    """What of ``waiting`` (in order) is dropped to make room: of the first kind that there is any of, every second.

    Meter values outside of transactions go first, then statuses, events of transactions last, and of these only
    such that tell nothing but meter values. Intermediate ones go (1st, 3rd, 5th …), never the newest (E04.FR.08,
    J02.FR.13). What must be told for certain is never dropped, and where nothing else is left, nothing is.
    """
    for belongs in IN_TURN:
        found = [call for call in waiting if belongs(call)]
        if len(found) > 1:
            return found[:-1:2]
    return []
