"""A selection as CSV (RFC 4180), written while it is read, so that a million sessions take no more memory than ten.

The header and each column are described in docs/sessions.md; the names are a promise to those who read them by program.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from station.store.models import Transaction
from webui import words
from webui.accounts.guard import signed_in
from webui.cards.naming import names
from webui.owner import here
from webui.sessions.filters import SessionFilter
from webui.sessions.paging import Found
from webui.sessions.views import sessions
from webui.tariff import costs
from webui.tariff.money import Money, places

HEADER = (
    "session",
    "evse",
    "started",
    "ended",
    "duration_s",
    "card_type",
    "card",
    "card_name",
    "authorized_by",
    "energy_kwh",
    "meter_start_kwh",
    "meter_end_kwh",
    "cost",
    "currency",
    "end_reason",
    "running",
)
CHUNK = 2_000  # rows
_COLUMNS = (
    "transaction_id",
    "evse_id",
    "started_at",
    "ended_at",
    "id_token",
    "id_token_type",
    "authorized_by",
    "energy",
    "meter_start",
    "meter_stop",
    "stopped_reason",
    "active",
    "cost__minor",
    "cost__currency",
)
_CENTS = frozenset(("EUR", "CHF", "GBP", "USD"))
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with these a spreadsheet begins to calculate


@never_cache
@require_safe
@signed_in
def as_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The selection of the list, the oldest first; a filter that makes no sense is answered by the list itself."""
    form = SessionFilter(request.GET or {})
    if not form.is_valid():
        return sessions(request)
    chunks = encoded(Found.of(form.selection()))
    # Under ASGI a plain iterator would be read to its end before the first octet leaves.
    content = _stepwise(chunks) if isinstance(request, ASGIRequest) else chunks
    response = StreamingHttpResponse(content, content_type="text/csv; charset=utf-8; header=present")
    today = datetime.now(here.zone())
    response["Content-Disposition"] = f'attachment; filename="sessions_{today:%Y-%m-%d}.csv"'
    return response


async def _stepwise(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    step: Callable[[], bytes] = lambda: next(chunks, b"")  # noqa: E731
    while chunk := await sync_to_async(step)():
        yield chunk


def encoded(found: Found) -> Iterator[bytes]:
    """The file, a chunk at a time, with its header."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for some in rows(found):
        writer.writerows(some)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    if text.tell():
        yield text.getvalue().encode()


def rows(found: Found) -> Iterator[list[tuple[Any, ...]]]:
    """The lines, some at a time. Read past the ORM: to make objects of a million rows takes longer than all else."""
    query = found.sessions().order_by("started_at", "transaction_id").values_list(*_COLUMNS)
    make = _Lines(here.zone())
    if found.is_empty:
        return
    statement, parameters = query.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        while some := cursor.fetchmany(CHUNK):
            yield make(some)


class _Harmless(dict[str, str]):
    """What ``harmless`` makes of words that come again and again."""

    def __missing__(self, text: str) -> str:
        made = harmless(text)
        if len(self) < 1000:
            self[text] = made
        return made


class _Lines:
    """Makes lines of rows, and remembers what many have in common. Written for speed: it is called a million times."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._offsets: dict[str, tuple[timedelta, str]] = {}
        self._cards: dict[tuple[str, str], tuple[str, str, str]] = {}
        self._words = _Harmless()
        self._has_costs = bool(costs.book())

    def __call__(self, some: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        self._look_up_cards(some)
        new = self._new_costs(some)
        time_, cards, known = self._time, self._cards, self._words
        lines = []
        for pk, evse, started, ended, token, kind, by, energy, begin, end, reason, active, minor, currency in some:
            begun, started = time_(started)
            duration: Any = ""
            if ended is not None:
                over, ended = time_(ended)
                duration = int((over - begun).total_seconds())
            if minor is None and pk in new:
                minor, currency = new[pk].minor, new[pk].currency
            lines.append(
                (
                    f"'{pk}" if pk[0] in _FORMULA else pk,
                    evse,
                    started,
                    ended,
                    duration,
                    *cards[token, kind],
                    known[by],
                    _kwh(energy),
                    None if begin is None else _kwh(begin),
                    None if end is None else _kwh(end),
                    None if minor is None else _amount(minor, currency),
                    currency,
                    known[reason],
                    "yes" if active else "no",
                )
            )
        return lines

    def _time(self, value: Any) -> tuple[datetime, str]:
        """A time of the database (SQLite gives text, UTC) and how it is written: ISO 8601 with the offset."""
        if isinstance(value, str):
            at, hour = datetime.fromisoformat(value), value[:13]
        else:
            at = value.astimezone(UTC).replace(tzinfo=None)
            hour = at.isoformat(" ", "hours")
        known = self._offsets.get(hour)
        if known is None:
            if len(self._offsets) > 50_000:
                self._offsets.clear()
            local = at.replace(tzinfo=UTC).astimezone(self._zone)
            known = self._offsets[hour] = (
                local.utcoffset() or timedelta(0),
                f"{local:%z}"[:3] + ":" + f"{local:%z}"[3:5],
            )
        offset, text = known
        return at, (at + offset).isoformat("T", "seconds") + text

    def _look_up_cards(self, some: list[tuple[Any, ...]]) -> None:
        new = {(row[4], row[5]) for row in some} - self._cards.keys()
        if not new:
            return
        if len(self._cards) > 20_000:
            self._cards.clear()
            new = {(row[4], row[5]) for row in some}
        called = names(token for token, _kind in new)
        for token, kind in new:
            shown = words.tail(token, kind)
            self._cards[token, kind] = (harmless(kind), harmless(shown), harmless(called.get(token, "")))

    def _new_costs(self, some: list[tuple[Any, ...]]) -> dict[str, Money]:
        """Of those sessions whose cost nobody has asked for yet."""
        if not self._has_costs:
            return {}
        missing = [row[0] for row in some if row[12] is None]
        if not missing:
            return {}
        found = list(Transaction.objects.filter(pk__in=missing).defer("state"))
        worth = costs.costs_of(found)
        running = {one.pk: money for one in found if one.active and (money := costs.cost_of(one))}
        return worth | running


def _kwh(milliwatt_hours: int) -> str:
    """To the Wh, half up, as pages show it."""
    watt_hours = (milliwatt_hours + 500) // 1000
    return f"{watt_hours // 1000}.{watt_hours % 1000:03d}"


def _amount(minor: int, currency: str) -> str:
    if currency in _CENTS:
        return f"{minor // 100}.{minor % 100:02d}"
    decimals = places(currency)
    return f"{Decimal(minor).scaleb(-decimals):.{decimals}f}"


def harmless(text: str) -> str:
    """``text`` that no spreadsheet takes for a formula: with an apostrophe before it, where it would."""
    return f"'{text}" if text.startswith(_FORMULA) else text
