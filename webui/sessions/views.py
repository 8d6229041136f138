"""The history: all sessions, and each one's own page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from station.store.models import JournalEntry, MeterPoint, Transaction
from webui import words
from webui.accounts.guard import signed_in
from webui.charts.curve import draw, table
from webui.sessions.filters import BadCursor, SessionFilter, page

MOST_POINTS = 50_000  # of one session; ten seconds apart they reach almost six days
MOST_EVENTS = 500
LEAD, TAIL = timedelta(minutes=3), timedelta(seconds=30)
_OF_THE_STATION = ("link_up", "link_down", "started", "reset")


@never_cache
@require_safe
@signed_in
def sessions(request: HttpRequest) -> HttpResponse:
    """The list. A filter or cursor that makes no sense is named, and answered with status 400."""
    form = SessionFilter(request.GET or {})
    everything = Transaction.objects.defer("state")
    context: dict[str, Any] = {"form": form, "filtered": any(request.GET.get(name) for name in form.fields)}
    if not form.is_valid():
        return render(request, "sessions/sessions.html", context, status=400)
    try:
        found = page(form.apply(everything), before=request.GET.get("before", ""), after=request.GET.get("after", ""))
    except BadCursor:
        context["problem"] = _("This page of the list does not exist.")
        return render(request, "sessions/sessions.html", context, status=400)
    now = timezone.now()
    for item in found.sessions:
        item.lasted = (item.ended_at or now) - item.started_at
    query = request.GET.copy()
    for name in ("before", "after"):
        query.pop(name, None)
    for name in [name for name in query if not query[name]]:
        del query[name]
    context |= {"page": found, "query": query.urlencode(), "today": timezone.localdate()}
    return render(request, "sessions/sessions.html", context)


@never_cache
@require_safe
@signed_in
def session(request: HttpRequest, transaction_id: str) -> HttpResponse:
    """One session: its power curve, its figures, its events in words."""
    if "\x00" in transaction_id:
        raise Http404
    found = get_object_or_404(Transaction.objects.defer("state"), pk=transaction_id)
    started = timezone.localtime(found.started_at)
    readings = list(
        MeterPoint.objects.filter(transaction=found).order_by("id").values_list("at", "power", "soc")[:MOST_POINTS]
    )
    points = [((at - found.started_at).total_seconds(), power) for at, power, _soc in readings]
    charges = [soc for _at, _power, soc in readings if soc is not None]
    curve = draw(points, started_at=started)
    context = {
        "session": found,
        "lasted": (found.ended_at or timezone.now()) - found.started_at,
        "curve": curve,
        "rows": [(started + timedelta(seconds=at), watt) for at, watt in table(points)],
        "soc": (charges[0], charges[-1]) if charges else None,
        "events": [
            (entry.at, words.event(entry.kind, entry.data if isinstance(entry.data, dict) else {}))
            for entry in _events(found)
        ],
    }
    piece = request.htmx and request.htmx.target == "session-live"
    return render(request, "sessions/_live.html" if piece else "sessions/session.html", context)


def _events(session: Transaction) -> QuerySet[JournalEntry]:
    """What the journal holds of a session.

    Its own entries, and what happened at its EVSE or to the station's links around it: a card is read and accepted
    before there is a transaction that the entry could name.
    """
    begin, end = session.started_at - LEAD, (session.ended_at or timezone.now()) + TAIL
    before = Transaction.objects.filter(
        evse_id=session.evse_id, started_at__lt=session.started_at, ended_at__gt=begin
    ).aggregate(last=Max("ended_at"))["last"]
    alone = Q(transaction_id=None)
    here = Q(evse_id=session.evse_id) if session.evse_id is not None else Q(pk=None)
    return JournalEntry.objects.filter(
        Q(transaction_id=session.pk)
        | (alone & here & Q(at__range=(max(begin, before or begin), end)))
        | (alone & Q(evse_id=None, kind__in=_OF_THE_STATION, at__range=(session.started_at, end)))
    ).order_by("at", "id")[:MOST_EVENTS]
