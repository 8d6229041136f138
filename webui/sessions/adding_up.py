"""Adding sessions up, by the transfer worker: each that has ended once, in the order in which they were stored.

The order is that of SQLite's row numbers: they grow with every session, whatever the clock says meanwhile, and no
column need be written for it. Sessions are added up to the first that still runs; those behind it are few, and counted
by whoever asks (``sums``). With another database nothing is added up: a larger machine than a station counts them all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import BigIntegerField, Q, QuerySet
from django.db.models.expressions import RawSQL

from station.domain.transaction import IdToken
from station.store.models import Transaction
from webui.owner import here
from webui.sessions.models import Added, Card, CardSum, DaySum
from webui.tariff import costs

log = logging.getLogger(__name__)

BITE = 1000  # sessions per commit
BREATH = 0.05  # s between two bites: the uplink's commits wait for milliseconds only
_ROW = '"station_transaction"."rowid"'  # no text of anybody's
_KEY = ("day", "evse_id", "stopped_reason", "currency")
_FIGURES = ("sessions", "energy", "minor")

Key = tuple[Any, ...]


class Part(NamedTuple):
    """What is added up of a session."""

    pk: str
    started_at: datetime
    evse_id: int | None
    id_token: str
    id_token_type: str
    stopped_reason: str
    energy: int


_PART = Part._fields
_asked = -60.0  # monotonic


def possible() -> bool:
    """Whether this database numbers its rows."""
    return bool(connection.vendor == "sqlite")


def add_up(breath: float = BREATH, most: int | None = None) -> int:
    """Add what has ended since, ``most`` bites of it (None: all); returns the number of sessions."""
    if not possible():
        return 0
    state = valid()
    if state is None:
        state = _begin(breath)
    done, limit = 0, _limit()
    while state.until < limit and (most is None or done < most * BITE):
        count = _bite(state, limit)
        if not count:
            break
        done += count
        time.sleep(breath)
    return done


def valid() -> Added | None:
    """How far the sums reach; None where there are none, or none that mean anything now."""
    state = Added.objects.first()
    if state is None or state.zone != str(here.zone()) or state.tariff_from != tariff_from():
        return None
    if state.until and row_of(state.last) != state.until:
        return None
    return state


def tariff_from() -> datetime | None:
    """When the first tariff began; no session before it has a cost."""
    book = costs.book()
    return book[0].valid_from if book else None


def row_of(transaction_id: str) -> int | None:
    """The number of a session's row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rowid FROM station_transaction WHERE transaction_id = %s", [transaction_id])
        found = cursor.fetchone()
    return int(found[0]) if found else None


def last_row() -> int:
    """The number of the last session's row; 0 where there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT MAX(rowid) FROM station_transaction")
        return int(cursor.fetchone()[0] or 0)


def ask() -> None:
    """Have the worker add up, at most once a minute."""
    global _asked
    now = time.monotonic()
    if now - _asked < 60:
        return
    _asked = now
    from celery import current_app

    try:
        current_app.send_task("webui.add_up_sessions", expires=600)
    except Exception as failure:  # whatever the broker's client raises; the housekeeping does it in any case
        log.warning("the transfer worker could not be told to add sessions up: %s", failure)


def forget() -> None:
    """The sums hold no more; they are made anew by and by."""
    Added.objects.all().delete()


def erase(tokens: Iterable[IdToken]) -> None:
    """A customer is forgotten: the cards go at once, and all is added up again, for their sessions are nobody's now.

    Runs in the uplink, within its database transaction.
    """
    wanted = Q(pk=None)
    for token in tokens:
        wanted |= Q(id_token__iexact=token.id_token, id_token_type=token.type)
    numbers = list(Card.objects.filter(wanted).values_list("pk", flat=True))
    if numbers:
        CardSum.objects.filter(card__in=numbers).delete()
        Card.objects.filter(pk__in=numbers).delete()
        forget()


def _limit() -> int:
    """The row before the first session that still runs, or the last one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT MIN(rowid) FROM station_transaction WHERE active")
        first = cursor.fetchone()[0]
    return int(first) - 1 if first is not None else last_row()


def _begin(breath: float) -> Added:
    """From nothing: what was added up by another time zone, or of a table that was made anew, goes first."""
    forget()
    for model in (CardSum, DaySum, Card):
        while True:
            with transaction.atomic():
                keys = list(model.objects.order_by("pk").values_list("pk", flat=True)[: 5 * BITE])
                if keys:
                    model.objects.filter(pk__range=(keys[0], keys[-1])).delete()
            if len(keys) < 5 * BITE:
                break
            time.sleep(breath)
    log.info("the sessions are added up from the beginning")
    return Added.objects.create(until=0, last="", zone=str(here.zone()), tariff_from=tariff_from())


def _bite(state: Added, limit: int) -> int:
    """The next sessions; the number of them. ``state`` moves on."""
    rows = list(numbered().filter(row__gt=state.until, row__lte=limit).values_list(*_PART, "row")[:BITE])
    if not rows:
        return 0
    until = rows[-1][-1]
    parts = [Part(*row[:-1]) for row in rows]
    worth, zone = _costs(parts), here.zone()
    with transaction.atomic():
        moved = Added.objects.filter(pk=state.pk, until=state.until).update(until=until, last=parts[-1].pk)
        if not moved:  # forgotten meanwhile
            return 0
        numbers = _numbers({(part.id_token, part.id_token_type) for part in parts})
        days: dict[Key, list[int]] = {}
        cards: dict[Key, list[int]] = {}
        for part in parts:
            money = worth.get(part.pk)
            day = part.started_at.astimezone(zone).date()
            key = (day, part.evse_id or 0, part.stopped_reason, money.currency if money else "")
            card = numbers[part.id_token, part.id_token_type]
            for sums in (days.setdefault(key, [0, 0, 0]), cards.setdefault((*key, card), [0, 0, 0])):
                sums[0] += 1
                sums[1] += part.energy
                sums[2] += money.minor if money else 0
        _keep(DaySum, _KEY, DaySum.objects.all(), days)
        _keep(CardSum, (*_KEY, "card_id"), CardSum.objects.filter(card__in=set(numbers.values())), cards)
    state.until, state.last = until, parts[-1].pk
    return len(rows)


def numbered() -> QuerySet[Transaction]:
    """Sessions with the number of their row as ``row``, in its order."""
    return Transaction.objects.annotate(row=RawSQL(_ROW, [], BigIntegerField())).order_by("row")  # noqa: S611


def _costs(parts: list[Part]) -> dict[str, Any]:
    """What they came to; worked out and kept here where nobody has asked before."""
    if not costs.book():
        return {}
    return costs.costs_of(Transaction.objects.filter(pk__in=[part.pk for part in parts]).defer("state"))


def _numbers(cards: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    tokens = {token for token, _kind in cards}
    known = {(card.id_token, card.id_token_type): card.pk for card in Card.objects.filter(id_token__in=tokens)}
    new = [Card(id_token=token, id_token_type=kind) for token, kind in sorted(cards - known.keys())]
    return known | {(card.id_token, card.id_token_type): card.pk for card in Card.objects.bulk_create(new)}


def _keep(model: Any, names: tuple[str, ...], there: QuerySet[Any], sums: dict[Key, list[int]]) -> None:
    """Add to what is there."""
    for row in there.filter(day__in={key[0] for key in sums}).values_list(*names, *_FIGURES):
        mine = sums.get(row[: len(names)])
        if mine is not None:
            mine[:] = [one + other for one, other in zip(mine, row[len(names) :], strict=True)]
    model.objects.bulk_create(
        [
            model(**dict(zip(names, key, strict=True)), **dict(zip(_FIGURES, figures, strict=True)))
            for key, figures in sums.items()
        ],
        update_conflicts=True,
        unique_fields=list(names),
        update_fields=list(_FIGURES),
    )
