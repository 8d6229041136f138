"""What the live pieces need of the database: looked up beside the event loop, and kept for some seconds."""

from __future__ import annotations

import asyncio
import logging
import time

from asgiref.sync import sync_to_async

from station.live.payloads import EvseLive, StationLive
from webui import words
from webui.cards.naming import names
from webui.owner import here
from webui.tariff import running

log = logging.getLogger(__name__)

FRESH = 10.0  # s
PATIENCE = 1.0  # s; the live view does not wait longer for a database that is busy

_names: dict[str, str] = {}  # of the cards that are seen now
_asked: frozenset[str] = frozenset()
_at = float("-inf")
_under_way: asyncio.Task[None] | None = None


def who(evse: EvseLive) -> str:
    """Who charges there: the card's name where it has one, else a part of its number."""
    return _names.get(evse.id_token or "") or words.masked(evse.id_token, evse.id_token_type)


def look_up(station: StationLive) -> None:
    """Tariff, time zone, names; where they are old. Never on the event loop."""
    if _is_due(station):
        _look_up(_tokens(station))


async def refresh(station: StationLive) -> None:
    """The same for the event loop. The database is asked once for all; where it fails, the old is good enough."""
    global _under_way
    if not _is_due(station):
        return
    if _under_way is None or _under_way.done():
        _under_way = asyncio.create_task(_try(_tokens(station)))
    await asyncio.wait({_under_way}, timeout=PATIENCE)


def forget() -> None:
    """As after a start of the process."""
    global _at, _under_way
    _at, _under_way = float("-inf"), None
    _names.clear()


async def _try(tokens: frozenset[str]) -> None:
    try:
        await sync_to_async(_look_up)(tokens)
    except Exception as failure:  # whatever the database raises
        _note(tokens)
        log.warning("live view: cost and names are not to be had: %s", failure)


def _look_up(tokens: frozenset[str]) -> None:
    running.look_up()
    here.settings()
    found = names(tokens)
    _names.clear()
    _names.update(found)
    _note(tokens)


def _note(tokens: frozenset[str]) -> None:
    global _at, _asked
    _at, _asked = time.monotonic(), tokens


def _is_due(station: StationLive) -> bool:
    return time.monotonic() - _at > FRESH or not _tokens(station) <= _asked


def _tokens(station: StationLive) -> frozenset[str]:
    return frozenset(evse.id_token for evse in station.evses if evse.id_token)
