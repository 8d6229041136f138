"""A selection as a statement on paper (PDF), made as long work: a receipt of one session, or a list of many.

``order`` files it, ``make`` makes it, in a process of its own (see webui.work).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from station.store.models import Transaction
from webui import words
from webui.accounts.guard import signed_in
from webui.owner import here
from webui.sessions import sums
from webui.sessions.filters import RUNNING, Selection, SessionFilter
from webui.sessions.paging import Found
from webui.sessions.views import prepare, sessions
from webui.templatetags.quantities import kwh_mwh, kwh_sum, lasting, money, whole
from webui.work import orders, views

KIND = "statement"
MOST = 50_000  # sessions on paper: 1,500 pages
CHUNK = 500


@never_cache
@require_POST
@signed_in
def order(request: HttpRequest) -> HttpResponse:
    """Have the statement of the selection in the address made; a filter that makes no sense is told by the list."""
    form = SessionFilter(request.GET or {})
    if not form.is_valid():
        request.method = "GET"  # the list shows the fields and what is wrong with them
        return sessions(request)
    selection = form.selection()
    arguments = {
        "since": selection.since and f"{selection.since:%Y-%m-%d}",
        "until": selection.until and f"{selection.until:%Y-%m-%d}",
        "evse": selection.evse,
        "card": selection.card,
        "ended": selection.ended,
    }
    try:
        job = orders.order(request.user, KIND, _title(selection), arguments)
    except orders.TooMany:
        return views.too_many(request)
    return redirect("work-job", pk=job.pk)


def make(work: Any) -> None:
    """Write the statement; what ``webui.work`` calls."""
    from webui.work.doing import Refused

    try:
        chosen = _selection(work.arguments)
    except ValueError as failure:
        raise Refused(_("This selection makes no sense any more.")) from failure
    found = Found.of(chosen)
    count = found.totals.sessions if found.totals else found.sessions().count()
    if not count:
        raise Refused(_("There is no session in this selection any more."))
    if count > MOST:
        raise Refused(
            _("These are %(count)s sessions, and a statement holds %(most)s. Choose a shorter time, or take the CSV.")
            % {"count": whole(count), "most": whole(MOST)}
        )
    _draw(work, chosen, found, count)
    work.deliver(f"{_file_name(chosen)}.pdf", "application/pdf")


def _draw(work: Any, chosen: Selection, found: Found, count: int) -> None:
    from webui.paper.letterhead import current
    from webui.paper.paper import Column, Paper

    zone, now = here.zone(), datetime.now(here.zone())
    totals = sums.Totals()
    with Paper(work.path, _title(chosen), current()) as paper:
        paper.pairs([*_asked(chosen), (_("Made on"), f"{date_format(now, 'DATE_FORMAT')}, {now:%H:%M} ({zone})")])
        table = paper.table(
            [
                Column(_("Start"), 3.0),
                Column(_("EVSE"), 1.2),
                Column(_("Who"), 3.4),
                Column(_("Duration"), 2),
                Column(_("Meter, kWh"), 3.6, right=True),
                Column(_("kWh"), 1.7, right=True),
                Column(_("Cost"), 1.9, right=True),
            ]
        )
        day: date | None = None
        for number, one in enumerate(_in_order(found), 1):
            started = one.started_at.astimezone(zone)
            if started.date() != day:
                day = started.date()
                table.group(date_format(started, "DATE_FORMAT"))
            table.row(_line(one, started, zone))
            totals.add(1, one.energy, one.worth.currency if one.worth else "", one.worth.minor if one.worth else 0)
            work.tell(number, count)
        told = ngettext("%(count)s session", "%(count)s sessions", totals.sessions) % {"count": whole(totals.sessions)}
        worth = [money(one) for one in totals.money] or [""]
        table.row([_("Total"), "", told, "", "", kwh_sum(totals.energy), worth[0]], bold=True)
        for more in worth[1:]:
            table.row(["", "", "", "", "", "", more], bold=True)
        table.end()
        if totals.costs and (vat := _vat()):
            paper.text(vat, size=7.5)
        paper.text(_("Energy as measured by the meter of the charging point. Times are local times."), size=7.5)


def _in_order(found: Found) -> Iterator[Any]:
    """All sessions of the selection, the oldest first, with what a line shows."""
    rows = found.sessions().defer("state").select_related("cost").order_by("started_at", "transaction_id")
    several = rows.iterator(CHUNK)
    while some := list(islice(several, CHUNK)):
        prepare(some)
        yield from some


def _line(one: Transaction | Any, started: datetime, zone: Any) -> list[str]:
    ended = one.ended_at.astimezone(zone) if one.ended_at else None
    end = f"{ended:%H:%M}" if ended else ""
    if ended and (later := (ended.date() - started.date()).days):
        end = f"{end} (+{later})"
    meter = "" if one.meter_start is None else f"{kwh_mwh(one.meter_start, 3)} –"
    if one.meter_stop is not None:
        meter = f"{meter} {kwh_mwh(one.meter_stop, 3)}"
    return [
        f"{started:%H:%M} – {end or _('running')}",
        str(one.evse_id or "–"),
        one.who or "–",
        lasting(one.lasted),
        meter,
        kwh_mwh(one.energy, 3),
        money(one.worth),
    ]


def _selection(arguments: dict[str, Any]) -> Selection:
    """The selection of an order; raises ValueError where it is none."""
    form = SessionFilter({name: value for name, value in arguments.items() if value is not None})
    if not form.is_valid():
        raise ValueError("no selection")
    return form.selection()


def _title(chosen: Selection) -> str:
    if chosen.since and chosen.until:
        if chosen.since == chosen.until:
            return _("Charging statement, %(day)s") % {"day": date_format(chosen.since, "DATE_FORMAT")}
        return _("Charging statement, %(since)s to %(until)s") % {
            "since": date_format(chosen.since, "DATE_FORMAT"),
            "until": date_format(chosen.until, "DATE_FORMAT"),
        }
    return _("Charging statement")


def _asked(chosen: Selection) -> list[tuple[str, str]]:
    """The selection in words."""
    found = []
    if chosen.since and not chosen.until:
        found.append((_("From"), date_format(chosen.since, "DATE_FORMAT")))
    if chosen.until and not chosen.since:
        found.append((_("To"), date_format(chosen.until, "DATE_FORMAT")))
    if chosen.evse:
        found.append((_("EVSE"), str(chosen.evse)))
    if chosen.card:
        found.append((_("Card"), chosen.card))
    if chosen.ended:
        ended = _("still running") if chosen.ended == RUNNING else words.reason(chosen.ended)
        found.append((_("How it ended"), ended))
    return found


def _vat() -> str:
    rate = here.settings().vat_rate
    if rate is None:
        return ""
    return _("All prices include %(rate)s %% VAT.") % {"rate": f"{rate.normalize():f}"}


def _file_name(chosen: Selection) -> str:
    parts = [f"{day:%Y-%m-%d}" for day in (chosen.since, chosen.until) if day]
    return "_".join(["statement", *parts])
