"""Charts of energy and cost: by hours, days, months or years. A click on a bar goes into its time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webui.accounts.guard import signed_in
from webui.charts import bars
from webui.owner import here
from webui.sessions import sums
from webui.sessions.filters import Selection, SessionFilter
from webui.sessions.periods import BadPeriod, Column, Period
from webui.sessions.sums import Figures
from webui.tariff.money import Money
from webui.templatetags.quantities import kwh_mwh, money

FIELDS = ("evse", "card", "ended")
MOST_YEARS = 40
UPPER = (0.0, 54.0)  # per cent: where energy is drawn where there are costs, too
LOWER = (64.0, 100.0)


@dataclass(frozen=True, slots=True)
class Bar:
    """A column of the picture, and a line of its table."""

    column: Column
    figures: Figures
    x: float
    width: float
    energy: bars.Bar
    cost: bars.Bar | None
    money: Money | None
    is_minor: bool = False  # its name goes where there is little room

    @property
    def words(self) -> str:
        told = {"name": self.column.name, "energy": kwh_mwh(self.figures.energy, 2)}
        if self.money is None:
            return _("%(name)s: %(energy)s kWh") % told
        return _("%(name)s: %(energy)s kWh, %(cost)s") % {**told, "cost": money(self.money)}

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@never_cache
@require_safe
@signed_in
def chart(request: HttpRequest) -> HttpResponse:
    """The page. What makes no sense in the address is named, and answered with status 400."""
    form = SessionFilter({name: request.GET.get(name, "") for name in FIELDS})
    today = datetime.now(here.zone()).date()
    text = request.GET.get("period", "") or str(today.year)
    context: dict[str, Any] = {
        "fields": [form[name] for name in FIELDS],
        "form": form,
        "filtered": any(request.GET.get(name) for name in FIELDS),
        "today": today,
    }
    try:
        period = Period.read(text)
    except BadPeriod:
        context["problem"] = _("This is no year, month or day of the calendar.")
        return render(request, "sessions/chart.html", context, status=400)
    if not form.is_valid():
        return render(request, "sessions/chart.html", context | {"period": period}, status=400)
    selection = replace(form.selection(), since=period.first, until=period.last)
    context |= {"period": period, "query": _query(request), "list_query": _list_query(request, period)}
    context |= {"units": _units(period, today), "earlier": period.beside(-1), "later": period.beside(1)}
    try:
        context |= _pictured(selection, period, today.year)
    except sums.NotYet:
        context["adding"] = True
    return render(request, "sessions/chart.html", context)


def _pictured(selection: Selection, period: Period, this_year: int) -> dict[str, Any]:
    """All that the picture needs. Raises NotYet."""
    asked = sums.Asked(selection)
    totals = asked.totals()
    found: dict[int, Figures]
    if period.unit == "day":
        found = sums.by_hour(selection)
    else:
        found = {"all": asked.by_year, "year": asked.by_month, "month": asked.by_day}[period.unit]()
    begin = totals.first.year if totals.first else this_year
    end = max(totals.last.year, this_year) if totals.last else this_year
    columns = period.columns(range(max(begin, end - MOST_YEARS + 1), end + 1))
    figures = [found.get(number) or Figures() for number in columns]
    currency = _currency(totals)
    moneys = [Money(one.costs[currency], currency) if currency in one.costs else None for one in figures]
    energy = bars.draw([one.energy / 1_000_000 for one in figures], *(UPPER if currency else ()))
    cost = bars.draw([float(one.amount) if one else 0.0 for one in moneys], *LOWER, ticks=2) if currency else None
    drawn = [
        Bar(
            column,
            figures[number],
            *bars.column(number, len(columns)),
            energy.bars[number],
            cost.bars[number] if cost else None,
            moneys[number],
            is_minor=number % _named_each(len(columns)) != 0,
        )
        for number, column in enumerate(columns.values())
    ]
    most = max(drawn, key=lambda one: one.figures.energy, default=None)
    return {
        "totals": totals,
        "bars": drawn,
        "energy_rows": energy.rows,
        "cost_rows": cost.rows if cost else (),
        "currency": currency,
        "most": most if most and most.figures.energy else None,
    }


def _named_each(columns: int) -> int:
    """Of how many columns one has its name on a phone."""
    return -(-columns // 8)


def _currency(totals: Figures) -> str:
    """In which costs are drawn: the owner's, or the one that most was paid in; empty where there are no costs."""
    own = here.settings().currency
    if own in totals.costs:
        return str(own)
    return max(totals.costs, key=lambda one: totals.costs[one], default="")


def _units(period: Period, today: Any) -> list[dict[str, Any]]:
    """The same place as a day, a month, a year; a longer period leads to today where today lies in it."""
    inside = period.first is None or period.last is None or period.first <= today <= period.last
    day = today if inside else period.first
    found = [
        {"name": name, "period": str(Period.of(day, unit)), "current": period.unit == unit}
        for unit, name in (("day", _("Day")), ("month", _("Month")), ("year", _("Year")))
    ]
    return [*found, {"name": _("All years"), "period": "all", "current": not period.year}]


def _query(request: HttpRequest) -> str:
    """The filter, without the period."""
    return _filter(request).urlencode()


def _filter(request: HttpRequest) -> QueryDict:
    query = request.GET.copy()
    for name in [name for name in query if not query[name] or name not in FIELDS]:
        del query[name]
    return query


def _list_query(request: HttpRequest, period: Period) -> str:
    """The same selection for the list."""
    query = _filter(request)
    if period.first and period.last:
        query["since"], query["until"] = f"{period.first:%Y-%m-%d}", f"{period.last:%Y-%m-%d}"
    return query.urlencode()
