"""The queue at this moment, pushed to the page while somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from station.domain.memory import QUEUE_LIMIT
from station.live.payloads import StationLive
from webui import words
from webui.dashboard.fragments import moment
from webui.pieces import marked
from webui.queue import reading
from webui.queue.drawing import draw
from webui.queue.line import oldest

NOW, CURVE = "queue-now", "queue-curve"


def now(station: StationLive) -> str:
    """How many wait, since when, and how each kind fares."""
    here = moment(station.at)
    accepted = station.connected and station.registration == "Accepted"
    lanes: list[dict[str, Any]] = [
        {
            "name": reading.lane(lane.kind),
            "waiting": lane.waiting,
            "what": reading.what(lane.action),
            "since": moment(lane.since),
            "attempts": lane.attempts,
            "sending": lane.sending,
            "next": _next(moment(lane.next_at), here),
        }
        for lane in (station.queue.lanes if station.queue else ())
    ]
    return paint(
        station.queue_length,
        oldest(station),
        lanes=lanes,
        accepted=accepted,
        link=words.registration(station.connected, station.registration),
        note=station.link_note,
    )


def _next(at: datetime | None, here: datetime | None) -> datetime | None:
    return at if at is not None and (here is None or at > here) else None


def paint(count: int, oldest: datetime | None, **known: Any) -> str:
    """The same from what the database has, where the station has said nothing yet."""
    context = {
        "count": count,
        "oldest": oldest,
        "room": reading.room(count),
        "limit": QUEUE_LIMIT,
        "full": round(100 * min(count, QUEUE_LIMIT) / QUEUE_LIMIT, 1),
        **known,
    }
    return marked(NOW, render_to_string("queue/_now.html", context))


def curve(station: StationLive | None) -> str:
    """How it fills and drains."""
    points = station.queue.curve if station is not None and station.queue is not None else ()
    here = (moment(station.at) if station is not None else None) or timezone.localtime()
    # to the next ten seconds, so that time alone does not send a picture with every publication
    return marked(CURVE, render_to_string("queue/_curve.html", {"curve": draw(points, _rounded(here))}))


def _rounded(at: datetime) -> datetime:
    return at.replace(microsecond=0) + timedelta(seconds=10 - at.second % 10)


PIECES: Mapping[str, Callable[[StationLive], str]] = {NOW: now, CURVE: curve}
