"""Sessions for the API: pages by position, so that page one thousand costs what the first one does."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from station.store.models import MeterPoint, Transaction
from webui.api import presenting
from webui.api.problems import Problem
from webui.api.schemas import SessionFilter

MOST_POINTS = 5000  # of one session
READ_POINTS = 100_000  # that are looked at, to leave some out of them evenly


def page(asked: SessionFilter) -> dict[str, Any]:
    """A ``schemas.SessionPage``. Raises Problem for a cursor that is none of ours."""
    rows = Transaction.objects.defer("state")
    if asked.since is not None:
        rows = rows.filter(started_at__gte=_aware(asked.since))
    if asked.until is not None:
        rows = rows.filter(started_at__lt=_aware(asked.until))
    if asked.evse is not None:
        rows = rows.filter(evse_id=asked.evse)
    if asked.running is not None:
        rows = rows.filter(active=asked.running)
    if asked.reason is not None:
        rows = rows.filter(stopped_reason=asked.reason, active=False)
    if asked.cursor is not None:
        at, last = _position(asked.cursor)
        rows = rows.filter(started_at__lte=at).filter(Q(started_at__lt=at) | Q(transaction_id__lt=last))
    found = list(rows.order_by("-started_at", "-transaction_id")[: asked.limit + 1])
    more = len(found) > asked.limit
    found = found[: asked.limit]
    return {
        "items": [presenting.session(row) for row in found],
        "next": _cursor(found[-1]) if more else None,
    }


def one(session_id: str, points: int) -> dict[str, Any]:
    """A ``schemas.SessionWithPoints``, with at most so many points. Raises Problem where there is no such session."""
    row = Transaction.objects.defer("state").filter(pk=session_id).first()
    if row is None:
        raise Problem("not-found", "")
    readings: list[Any] = []
    if points:
        readings = list(
            MeterPoint.objects.filter(transaction_id=session_id)
            .order_by("id")
            .values("at", "power", "current", "energy", "soc")[:READ_POINTS]
        )
    if len(readings) > points:
        # The first and the last one stay, and between them every so many-th.
        apart = (len(readings) - 1) / max(1, points - 1)
        readings = [readings[round(index * apart)] for index in range(points)] if points > 1 else readings[-1:]
    return {**presenting.session(row), "points": readings}


def _aware(moment: datetime) -> datetime:
    """In UTC, which is also meant where there is no zone; at the ends of the calendar as near as there is."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def _cursor(row: Transaction) -> str:
    text = f"{row.started_at.astimezone(UTC).isoformat()}|{row.transaction_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, separator, transaction_id = text.partition("|")
        moment = datetime.fromisoformat(at)
    except (binascii.Error, ValueError) as failure:
        raise _bad_cursor() from failure
    if not separator or moment.tzinfo is None or not 0 < len(transaction_id) <= 36 or "\x00" in transaction_id:
        raise _bad_cursor()
    return _aware(moment), transaction_id


def _bad_cursor() -> Problem:
    return Problem(
        "invalid",
        "",
        errors=[{"where": "query.cursor", "why": "not a cursor of this list: use `next` of the page before"}],
    )
