"""What a selection comes to: from the sums where sessions are added up, and counted where they are not yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import CharField, Max, Min, QuerySet, Sum
from django.db.models.functions import Cast, Substr

from station.store.models import Transaction
from webui.owner import here
from webui.sessions import adding_up
from webui.sessions.filters import RUNNING, Selection
from webui.sessions.models import Added, CardSum, DaySum
from webui.tariff import costs
from webui.tariff.money import Money

MOST_COUNTED = 20_000  # sessions that somebody who asks may wait for
# Django's own functions of dates are Python in SQLite, and called for each row.
_TEXT = Cast("day", CharField())


class NotYet(Exception):
    """The sums are being made; there are too many sessions to count while somebody waits."""


@dataclass(slots=True)
class Figures:
    """Of some sessions. ``costs`` are minor units by currency; sessions that no tariff was valid for have none."""

    sessions: int = 0
    energy: int = 0  # mWh
    costs: dict[str, int] = field(default_factory=dict)

    def add(self, sessions: int, energy: int, currency: str, minor: int) -> None:
        self.sessions += sessions
        self.energy += energy
        if currency:
            self.costs[currency] = self.costs.get(currency, 0) + minor

    @property
    def money(self) -> list[Money]:
        return [Money(minor, currency) for currency, minor in sorted(self.costs.items())]


@dataclass(slots=True)
class Totals(Figures):
    """Of a selection, and on which days its first and its last session lie."""

    first: date | None = None
    last: date | None = None

    def reach(self, day: date | None) -> None:
        if day is not None:
            self.first = day if self.first is None else min(self.first, day)
            self.last = day if self.last is None else max(self.last, day)


class Counted(NamedTuple):
    """A session that is in no sum."""

    started: datetime  # local
    evse_id: int | None
    energy: int
    currency: str
    minor: int


class Asked:
    """One question about a selection; it looks once for how far the sums reach. Raises NotYet."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self._state = _reached()
        self._cards = selection.known_cards() if selection.card and self._state else []
        self._counted = list(_count(selection, self._state))

    @property
    def tokens(self) -> list[str]:
        """The numbers of the cards that fit, among all sessions that have ended."""
        behind = _behind(self._state).filter(self.selection.cards())
        return sorted({card.id_token for card in self._cards} | set(behind.values_list("id_token", flat=True)))

    def totals(self) -> Totals:
        """All of it."""
        found = Totals()
        rows = self._rows().values("currency").annotate(Sum("sessions"), Sum("energy"), Sum("minor"))
        for row in rows.annotate(first=Min("day"), last=Max("day")):
            found.add(row["sessions__sum"], row["energy__sum"], row["currency"], row["minor__sum"])
            found.reach(row["first"])
            found.reach(row["last"])
        for one in self._counted:
            found.add(1, one.energy, one.currency, one.minor)
            found.reach(one.started.date())
        return found

    def by_year(self) -> dict[int, Figures]:
        """By years."""
        return self._by(Substr(_TEXT, 1, 4), lambda at: at.year)

    def by_month(self) -> dict[int, Figures]:
        """By months, 1 to 12; the selection lies within a year."""
        return self._by(Substr(_TEXT, 6, 2), lambda at: at.month)

    def by_day(self) -> dict[int, Figures]:
        """By days of a month; the selection lies within a month."""
        return self._by(Substr(_TEXT, 9, 2), lambda at: at.day)

    def _by(self, part: Substr, of: Callable[[datetime], int]) -> dict[int, Figures]:
        found: dict[int, Figures] = {}
        rows = self._rows().annotate(part=part).values("part", "currency")
        for row in rows.annotate(Sum("sessions"), Sum("energy"), Sum("minor")):
            figures = found.setdefault(int(row["part"]), Figures())
            figures.add(row["sessions__sum"], row["energy__sum"], row["currency"], row["minor__sum"])
        for one in self._counted:
            found.setdefault(of(one.started), Figures()).add(1, one.energy, one.currency, one.minor)
        return found

    def _rows(self) -> QuerySet[Any]:
        wanted = self.selection
        if self._state is None or wanted.ended == RUNNING:
            return DaySum.objects.none()
        rows: QuerySet[Any] = DaySum.objects.all()
        if wanted.card:
            rows = CardSum.objects.filter(card__in=[card.pk for card in self._cards])
        if wanted.since:
            rows = rows.filter(day__gte=wanted.since)
        if wanted.until:
            rows = rows.filter(day__lte=wanted.until)
        if wanted.evse:
            rows = rows.filter(evse_id=wanted.evse)
        return rows.filter(stopped_reason=wanted.ended) if wanted.ended else rows


def by_hour(selection: Selection) -> dict[int, Figures]:
    """Of one day, which the selection is: by the hours in which sessions began, as the clock on the wall says."""
    found: dict[int, Figures] = {}
    for one in _with_costs(selection.apply(Transaction.objects.all())):
        found.setdefault(one.started.hour, Figures()).add(1, one.energy, one.currency, one.minor)
    return found


def _reached() -> Added | None:
    """How far the sums reach, where they are usable and reach far enough. Raises NotYet, and has them made."""
    if not adding_up.possible():
        return None
    state = adding_up.valid()
    if adding_up.last_row() - (state.until if state else 0) > MOST_COUNTED:
        adding_up.ask()
        raise NotYet
    return state


def _behind(state: Added | None) -> QuerySet[Transaction]:
    """Sessions that are in no sum."""
    if state is None:
        return Transaction.objects.all()
    return adding_up.numbered().filter(row__gt=state.until).order_by()


def _count(selection: Selection, state: Added | None) -> Iterator[Counted]:
    """Those of the selection; by the number of their rows, which are few, and never by an index of the many."""
    return (one for one in _with_costs(selection.among(_behind(state))) if selection.holds(one.started.date()))


def _with_costs(sessions: QuerySet[Transaction]) -> Iterator[Counted]:
    zone = here.zone()
    rows = list(sessions.defer("state").select_related("cost"))
    worth = {row.pk: row.cost.money for row in rows if getattr(row, "cost", None)}
    if costs.book():
        worth |= costs.costs_of(row for row in rows if row.pk not in worth)
        for row in rows:
            if row.active and (money := costs.cost_of(row)):
                worth[row.pk] = money
    for row in rows:
        money = worth.get(row.pk)
        yield Counted(
            row.started_at.astimezone(zone),
            row.evse_id,
            row.energy,
            money.currency if money else "",
            money.minor if money else 0,
        )


def narrowed(selection: Selection, totals: Totals) -> Selection:
    """The same selection on the days only on which it has sessions."""
    if totals.first is None or totals.last is None:
        return selection
    since = max(selection.since, totals.first) if selection.since else totals.first
    until = min(selection.until, totals.last) if selection.until else totals.last
    return replace(selection, since=since, until=until)
