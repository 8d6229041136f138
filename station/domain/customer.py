"""What is told about a customer (N09), a line for each fact: no format is prescribed, but people are to read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from station.domain.moment import rfc3339
from station.domain.transaction import IdToken, Transaction


def transaction_line(transaction: Transaction) -> str:
    """A session: where, when, how much, why it ended."""
    parts = [f"{rfc3339(transaction.started_at)} transaction {transaction.transaction_id}"]
    if transaction.id_token:
        parts.append(f"{transaction.id_token.type} {transaction.id_token.id_token}")
    if transaction.evse_id is not None:
        parts.append(f"EVSE {transaction.evse_id}")
    if transaction.meter_start is not None and transaction.meter_stop is not None:
        parts.append(f"{max(0, transaction.meter_stop - transaction.meter_start) / 1_000_000:.3f} kWh")
    if transaction.ended_at:
        parts.append(f"ended {rfc3339(transaction.ended_at)} {transaction.stopped_reason}".rstrip())
    return ", ".join(parts)


def journal_line(at: datetime, kind: str, evse_id: int | None, data: Mapping[str, Any]) -> str:
    """An entry of the journal that names the customer's token."""
    place = f", EVSE {evse_id}" if evse_id is not None else ""
    return f"{rfc3339(at)} {kind}, {data.get('type', '')} {data.get('id_token', '')}{place}"


def names(data: Mapping[str, Any], tokens: tuple[IdToken, ...]) -> bool:
    """True where the data of a journal entry, or the arguments of a command, name one of ``tokens``."""
    token = data.get("id_token")
    if not isinstance(token, str):
        return False
    told = IdToken(token, str(data.get("type", "")))
    # A command may leave the type out; then the number alone counts.
    return any(one.matches(told) or (not told.type and one.id_token.casefold() == token.casefold()) for one in tokens)


def without(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same data without who it was."""
    return {name: value for name, value in data.items() if name not in ("id_token", "type", "customer_identifier")}


def anonymous(transaction: Transaction, tokens: tuple[IdToken, ...]) -> bool:
    """Take ``tokens`` out of an ended transaction; False where it has none of them."""
    found = False
    for field in ("id_token", "group_id_token"):
        token: IdToken | None = getattr(transaction, field)
        if token and any(one.matches(token) for one in tokens):
            setattr(transaction, field, None)
            found = True
    if found:
        transaction.extra.pop("signed", None)  # a signed reading names the token, and cannot be changed
    return found
