"""The history: the list of sessions, and files of any selection of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webui import words
from webui.accounts.guard import signed_in
from webui.cards.naming import names
from webui.owner import here
from webui.sessions.filters import SessionFilter
from webui.sessions.paging import BadCursor, Found, page
from webui.tariff import costs


@never_cache
@require_safe
@signed_in
def sessions(request: HttpRequest) -> HttpResponse:
    """The list. A filter or cursor that makes no sense is named, and answered with status 400."""
    form = SessionFilter(request.GET or {})
    context: dict[str, Any] = {"form": form, "filtered": any(request.GET.get(name) for name in form.fields)}
    if not form.is_valid():
        return render(request, "sessions/sessions.html", context, status=400)
    found = Found.of(form.selection())
    try:
        shown = page(found, before=request.GET.get("before", ""), after=request.GET.get("after", ""))
    except BadCursor:
        context["problem"] = _("This page of the list does not exist.")
        return render(request, "sessions/sessions.html", context, status=400)
    prepare(shown.sessions)
    context |= {
        "page": shown,
        "totals": found.totals,
        "query": query_of(request),
        "today": timezone.localdate(timezone=here.zone()),
        "zone": here.zone(),
        "has_costs": bool(costs.book()),
    }
    return render(request, "sessions/sessions.html", context)


def prepare(shown: list[Any]) -> None:
    """What a line of the list shows besides: how long it lasted, who it was, what it cost."""
    now, called = timezone.now(), names(one.id_token for one in shown)
    worth = costs.costs_of(one for one in shown if getattr(one, "cost", None) is None) if costs.book() else {}
    for one in shown:
        one.lasted = (one.ended_at or now) - one.started_at
        one.who = called.get(one.id_token) or words.masked(one.id_token, one.id_token_type)
        kept = getattr(one, "cost", None)
        one.worth = kept.money if kept is not None else worth.get(one.pk)


def query_of(request: HttpRequest) -> str:
    """The filter as the address has it, without what is empty, and without the page."""
    query = request.GET.copy()
    for name in [name for name in query if not query[name] or name in ("before", "after")]:
        del query[name]
    return query.urlencode()
