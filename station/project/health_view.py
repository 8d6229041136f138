"""``GET /healthz``: does everything run that charging needs. Without a login, so nothing here is a secret."""

from __future__ import annotations

import functools
import logging
from typing import Any

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from station.project import health

logger = logging.getLogger(__name__)

FRESH = 5.0  # s; uplink and poll thread beat at least once a second
NO_NEIGHBOURS = {"mqtt": "off", "mdns": False}
NO_LINK = {"connected": False, "registration": None, "security_profile": 1}


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 where web server, Redis, database, hardware poll and uplink run, else 503; a word for each either way."""
    beats = health.read()
    redis_word = _redis()
    database_word = _database()
    hardware_word = _process(beats[health.HARDWARE])
    uplink_age, uplink_word = beats[health.UPLINK]
    uplink_runs = uplink_age <= FRESH
    runs = redis_word == "ok" and database_word == "ok" and hardware_word == "ok" and uplink_runs
    response = JsonResponse(
        {
            "status": "ok" if runs else "unavailable",
            "web": "ok",
            "redis": redis_word,
            "database": database_word,
            "hardware": hardware_word,
            "poll": beats[health.HARDWARE][1],  # how many, how many slots missed, how late they began (ms)
            "transfers": _process(beats[health.TRANSFERS], fresh=15.0),
            "neighbours": _neighbours(beats[health.NEIGHBOURS]),
            "uplink": _uplink(uplink_runs, uplink_word),
        },
        status=200 if runs else 503,
    )
    response._has_been_logged = True  # Django would log every 503 of a start as an error
    return response


def _uplink(runs: bool, word: dict[str, Any]) -> dict[str, Any]:
    known = {key: word.get(key, default) for key, default in NO_LINK.items()}
    # What the last life of the process said of its link is over; what it said of its configuration still holds.
    return known if runs else {**known, "connected": False, "registration": None}


def _neighbours(beat: tuple[float, dict[str, Any]]) -> dict[str, Any]:
    """How MQTT and mDNS fare; charging needs neither of them."""
    age, word = beat
    return {"mqtt": word.get("mqtt", "off"), "mdns": word.get("mdns", False)} if age <= FRESH else NO_NEIGHBOURS


def _process(beat: tuple[float, dict[str, Any]], fresh: float = FRESH) -> str:
    age, _ = beat
    if age <= fresh:
        return "ok"
    return "starting" if age == float("inf") else "stuck"


@functools.cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.ENVIRONMENT.redis, socket_connect_timeout=1, socket_timeout=1)


def _redis() -> str:
    try:
        _client().ping()
    except redis.RedisError as error:
        logger.warning("Redis does not answer: %s", error)
        return "unreachable"
    return "ok"


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
            cursor.fetchone()
    except DatabaseError as error:
        logger.warning("the database does not answer: %s", error)
        return "unreachable"
    return "ok"
