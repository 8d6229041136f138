"""What history and journal hold about a customer: found (N09) and taken out (N10).

Called by the uplink alone, from the one thread that owns its database connection.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.dispatch import Signal

from station.domain import customer
from station.domain.transaction import IdToken
from station.store import mapping, models

MOST_LINES = 20_000  # of one report, the newest ones: the journal itself is not longer
CHUNK = 200  # rows
ERASED_BITE = 500  # rows per statement

# Rooms that keep something about customers themselves hear of it here, within the same database transaction.
asked = Signal()  # ``tokens``; a receiver returns pairs of a time and a line
erased = Signal()  # ``tokens``, ``identifier``


def look_up(tokens: tuple[IdToken, ...]) -> tuple[str, ...]:
    """A line for each fact, the oldest first. Raises django.db.Error, or ValueError where a row is damaged."""
    if not tokens:
        return ()
    sessions = _transactions(tokens).order_by("-started_at")[:MOST_LINES].iterator(CHUNK)
    found = [(row.started_at, customer.transaction_line(mapping.from_row(row))) for row in sessions]
    entries = _naming(models.JournalEntry.objects.all(), "data", tokens).order_by("-id")[:MOST_LINES].iterator(CHUNK)
    found += [(one.at, customer.journal_line(one.at, one.kind, one.evse_id, one.data)) for one in entries]
    found += [line for _, lines in asked.send(None, tokens=tokens) for line in lines]
    found.sort()
    return tuple(line for _, line in found[-MOST_LINES:])


def erase(tokens: tuple[IdToken, ...], identifier: str = "") -> None:
    """Take the tokens and the customerIdentifier out, within the caller's database transaction.

    Sessions stay, and what they charged. A TransactionEvent that still waits for the CSMS keeps its token: it is
    owed to the CSMS.
    """
    if tokens:
        for row in _transactions(tokens, active=False).iterator(CHUNK):
            record = mapping.from_row(row)
            if customer.anonymous(record, tokens):
                mapping.to_row(record).save(force_update=True)
        _blank(models.JournalEntry, "data", tokens)
        _blank(models.Command, "arguments", tokens)
    if identifier:
        rows = list(models.Command.objects.filter(arguments__customer_identifier=identifier).only("pk", "arguments"))
        for row in rows:
            row.arguments = customer.without(row.arguments)
        models.Command.objects.bulk_update(rows, ["arguments"], batch_size=ERASED_BITE)
    erased.send(None, tokens=tokens, identifier=identifier)


def _transactions(tokens: tuple[IdToken, ...], *, active: bool | None = None) -> QuerySet[models.Transaction]:
    wanted = Q()
    for token in tokens:
        wanted |= Q(id_token__iexact=token.id_token[:36], id_token_type=token.type)
        wanted |= Q(state__group_id_token__id_token__iexact=token.id_token, state__group_id_token__type=token.type)
    rows = models.Transaction.objects.filter(wanted)
    return rows if active is None else rows.filter(active=active)


def _naming(rows: QuerySet[Any], column: str, tokens: tuple[IdToken, ...]) -> QuerySet[Any]:
    wanted = Q()
    for token in tokens:
        wanted |= Q(**{f"{column}__id_token__iexact": token.id_token, f"{column}__type": token.type})
    return rows.filter(wanted)


def _blank(model: type[Any], column: str, tokens: tuple[IdToken, ...]) -> None:
    wanted = Q()
    for token in tokens:
        wanted |= Q(**{f"{column}__id_token__iexact": token.id_token})
    changed = []
    for row in model.objects.filter(wanted).only("pk", column).iterator(CHUNK):
        data = getattr(row, column)
        if customer.names(data, tokens):
            setattr(row, column, customer.without(data))
            changed.append(row)
    model.objects.bulk_update(changed, [column], batch_size=ERASED_BITE)
