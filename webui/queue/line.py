"""What waits for the operator, in a sentence: for owners, from the live view alone."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import ngettext

from station.domain.moment import parse_rfc3339
from station.live.payloads import StationLive


def oldest(station: StationLive) -> datetime | None:
    """Since when the oldest message waits, by the live view."""
    lanes = station.queue.lanes if station.queue else ()
    moments = [at for one in lanes if (at := _moment(one.since)) is not None]
    return min(moments, default=None)


def _moment(text: str) -> datetime | None:
    try:
        return timezone.localtime(parse_rfc3339(text)) if text else None
    except (ValueError, OverflowError):
        return None


def one_line(station: StationLive | None) -> str:
    """For owners: what waits for the operator, in a sentence; empty where nothing does. Reads no database.

    While the operator's system answers, a handful of messages on their way are no news, and nothing is said of them.
    """
    if station is None or not station.queue_length:
        return ""
    if station.connected and station.registration == "Accepted" and station.queue_length < 20:
        return ""
    since = oldest(station)
    count = station.queue_length
    if since is None:
        return ngettext(
            "%(count)s message waits for the operator's system and is kept until it can be sent.",
            "%(count)s messages wait for the operator's system and are kept until they can be sent.",
            count,
        ) % {"count": count}
    today = since.date() == timezone.localdate()
    return ngettext(
        "%(count)s message waits for the operator's system since %(since)s and is kept until it can be sent.",
        "%(count)s messages wait for the operator's system, the oldest since %(since)s, "
        "and are kept until they can be sent.",
        count,
    ) % {"count": count, "since": _clock(since, today=today)}


def _clock(at: datetime, *, today: bool) -> str:
    return date_format(at, "H:i" if today else "j M, H:i")
