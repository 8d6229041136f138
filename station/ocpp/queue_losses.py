"""What the durable queue could not keep, counted for good: "nothing is lost" is said where it is so."""

from __future__ import annotations

from collections.abc import Sequence

from station.domain.memory import QueuedCall
from station.domain.moment import Moment, rfc3339
from station.ocpp.context import Context

LOSSES = "queue_losses"  # remembered: a kind of loss -> count, at (of the latest), action and why (of the latest)
NO_ROOM, GIVEN_UP = "no_room", "given_up"
WHY_LENGTH = 120  # characters of what the CSMS said


class QueueLosses:
    """Hears of every call that leaves the queue without having been delivered."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def note(self, calls: Sequence[QueuedCall], why: str, now: Moment) -> None:
        """``calls`` were dropped for want of room (``why`` empty), or given up because of ``why``."""
        kind = GIVEN_UP if why else NO_ROOM
        losses = dict(self._context.remembered.get(LOSSES) or {})
        before = losses.get(kind) or {}
        latest = calls[-1]
        losses[kind] = {
            "count": int(before.get("count") or 0) + len(calls),
            "at": rfc3339(self._context.clock.utc(now)),
            "action": latest.action,
            "why": why[:WHY_LENGTH],
        }
        self._context.remember(LOSSES, losses)
        if not why:
            return  # of that the journal has a word already
        for call in calls:
            told = call.payload.get("transactionInfo") or {}
            self._context.journal(
                now,
                "message_given_up",
                transaction_id=told.get("transactionId"),
                action=call.action,
                attempts=call.attempts,
                why=why[:WHY_LENGTH],
            )
