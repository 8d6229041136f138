"""The list, a page at a time, and all of a selection in order: quick however many sessions there are.

By position rather than by number: page one thousand costs what the first one costs, and a session that starts meanwhile
shifts nothing. Which index leads is decided here, from what the sums say about the selection: SQLite does not know how
often a card or a reason occurs. All others are then columns of that index, or rows looked at on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet

from station.store.models import Transaction
from webui.owner import here
from webui.sessions import sums
from webui.sessions.filters import RUNNING, Selection, beside_index

PER_PAGE = 25
SORTED = 5_000  # sessions that may be sorted for a page; of more, the newest are soon found among all


@dataclass(frozen=True, slots=True)
class Page:
    """Some sessions, newest first; ``newer`` and ``older`` are the cursors of the pages beside it."""

    sessions: list[Transaction]
    newer: str
    older: str


class BadCursor(ValueError):
    """A cursor that is none of ours."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a selection before its sessions are read; without totals they could not be worked out yet."""

    selection: Selection
    totals: sums.Totals | None
    tokens: list[str] | None  # of the cards; None: of any, or not known

    @classmethod
    def of(cls, selection: Selection) -> Found:
        """Look it up."""
        try:
            asked = sums.Asked(selection)
        except sums.NotYet:
            return cls(selection, None, None)
        totals = asked.totals()
        return cls(sums.narrowed(selection, totals), totals, asked.tokens if selection.card else None)

    @property
    def is_empty(self) -> bool:
        """Surely no session."""
        return self.totals is not None and not self.totals.sessions

    def sessions(self) -> QuerySet[Transaction]:
        """All of them; to be put in the order of their beginnings."""
        wanted, rows = self.selection, Transaction.objects.filter(self.selection.within(here.zone()))
        if wanted.ended == RUNNING:
            return wanted.among(rows.filter(pk__in=running()))
        if self.tokens is None and wanted.card:
            return wanted.apply(Transaction.objects.all())
        if wanted.ended:
            rows = rows.filter(active=False)
        sparse = self.totals is not None and self.totals.sessions <= SORTED
        leads = self.tokens is not None and (len(self.tokens) == 1 or sparse)
        if self.tokens is not None:
            rows = _by(rows, "id_token", self.tokens, leads=leads)
        if wanted.ended:
            rows = _by(rows, "stopped_reason", [wanted.ended], leads=not leads)
            leads = True
        return _by(rows, "evse_id", [wanted.evse], leads=not leads) if wanted.evse else rows


def _by(rows: QuerySet[Transaction], name: str, values: list[Any], *, leads: bool) -> QuerySet[Transaction]:
    if leads:
        return rows.filter(**{name: values[0]} if len(values) == 1 else {f"{name}__in": values})
    return beside_index(rows, name, values)


def running() -> list[str]:
    """The sessions that run; a few. Asked by itself, or SQLite looks for them among all."""
    return list(Transaction.objects.filter(active=True).order_by("started_at").values_list("pk", flat=True))


def page(found: Found, *, before: str = "", after: str = "") -> Page:
    """The page that begins below ``before`` or ends above ``after``; raises BadCursor."""
    at, last = _position(after or before) if after or before else (None, "")
    if found.is_empty:
        return Page([], "", "")
    if at is not None and after:
        above = Q(started_at__gte=at) & (Q(started_at__gt=at) | Q(transaction_id__gt=last))
        some = _read(found, above, "started_at", "transaction_id")
        more_newer, more_older = len(some) > PER_PAGE, True
        some = some[:PER_PAGE][::-1]
    else:
        below = Q()
        if at is not None:
            below = Q(started_at__lte=at) & (Q(started_at__lt=at) | Q(transaction_id__lt=last))
        some = _read(found, below, "-started_at", "-transaction_id")
        more_newer, more_older = bool(before), len(some) > PER_PAGE
        some = some[:PER_PAGE]
    return Page(
        some,
        newer=_cursor(some[0]) if some and more_newer else "",
        older=_cursor(some[-1]) if some and more_older else "",
    )


def _read(found: Found, where: Q, *order: str) -> list[Transaction]:
    """One more than a page, in that order. Those that have ended are in indices of their own; few others run."""
    rows = found.sessions() if found.selection.ended else found.sessions().filter(active=False)
    some = _whole(rows.filter(where).order_by(*order)[: PER_PAGE + 1])
    if found.selection.ended:
        return some
    wanted = Transaction.objects.filter(where, found.selection.within(here.zone()), pk__in=running())
    some += _whole(found.selection.among(wanted).order_by(*order)[: PER_PAGE + 1])
    some.sort(key=lambda one: (one.started_at, one.pk), reverse=order[0].startswith("-"))
    return some[: PER_PAGE + 1]


def _whole(rows: QuerySet[Transaction]) -> list[Transaction]:
    return list(rows.defer("state").select_related("cost"))


def _cursor(session: Transaction) -> str:
    return f"{session.started_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}_{session.transaction_id}"


def _position(cursor: str) -> tuple[datetime, str]:
    at, separator, transaction_id = cursor.partition("_")
    try:
        moment = datetime.strptime(at, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError as failure:
        raise BadCursor(cursor[:80]) from failure
    if not separator or not 0 < len(transaction_id) <= 36 or "\x00" in transaction_id:
        raise BadCursor(cursor[:80])
    return moment, transaction_id


def beside(session: Transaction) -> tuple[str, str]:
    """The sessions of the same card before and after this one; empty where there is none, or it has no card."""
    if not session.id_token:
        return "", ""
    same = Transaction.objects.filter(id_token=session.id_token, active=False).exclude(pk=session.pk)
    earlier = same.filter(started_at__lte=session.started_at).exclude(
        started_at=session.started_at, transaction_id__gt=session.pk
    )
    later = same.filter(started_at__gte=session.started_at).exclude(
        started_at=session.started_at, transaction_id__lt=session.pk
    )
    before = earlier.order_by("-started_at", "-transaction_id").values_list("pk", flat=True).first()
    after = later.order_by("started_at", "transaction_id").values_list("pk", flat=True).first()
    return before or "", after or ""
