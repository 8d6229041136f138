"""The ring of messages in Redis, as the web server reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from station.live import trace
from station.live.trace import FIELD, Record

PATIENCE = 2.0  # s
AT_ONCE = 500  # entries of one look
ENTRY = re.compile(r"\d{1,16}-\d{1,10}")  # an id in the stream


class Away(Exception):
    """Redis does not answer."""


def key() -> str:
    """The stream of this appliance."""
    return trace.stream(settings.ENVIRONMENT.instance)


def whole() -> list[tuple[str, Record]]:
    """All that is kept, the oldest first; raises Away."""
    client = redis.Redis.from_url(
        settings.ENVIRONMENT.redis,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
    )
    try:
        return list(records(client.xrange(key())))
    except (redis.RedisError, OSError) as error:
        raise Away(str(error)) from error
    finally:
        client.close()


def records(entries: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, Record]]:
    """Entries of the stream as records; what is none is left out."""
    for entry, fields in entries:
        try:
            yield entry.decode(), trace.decode(fields[FIELD])
        except (KeyError, ValueError, TypeError):
            continue


class Follower:
    """Reads on in the stream, for a page that is open."""

    def __init__(self, after: str = "0-0") -> None:
        self.after = after
        self._client = redis.asyncio.Redis.from_url(
            settings.ENVIRONMENT.redis,
            max_connections=1,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=AsyncRetry(NoBackoff(), 0),
            driver_info=None,
        )

    async def news(self) -> list[tuple[str, Record]]:
        """What came since the last look, ``AT_ONCE`` at most; raises Away."""
        try:
            found = await self._client.xrange(key(), min=f"({self.after}", count=AT_ONCE)
        except (redis.RedisError, OSError, TimeoutError) as error:
            raise Away(str(error)) from error
        if found:
            self.after = found[-1][0].decode()
        return list(records(found))

    async def close(self) -> None:
        await self._client.aclose()
