"""Commissioning: a wizard that can be left, gone on with and done anew, by one person or several."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webui.accounts.guard import installer
from webui.commissioning import codes, offer, pages, record, steps
from webui.commissioning.forms import SkipForm
from webui.commissioning.models import Commissioning
from webui.commissioning.pages import Visit

SHOWN = 20  # of those that were signed
PAPERS = {"protocol": "commissioning-protocol", "label": "commissioning-label"}


@never_cache
@require_safe
@installer
def commissioning(request: HttpRequest) -> HttpResponse:
    """What has been done, what is to be done, and what was signed."""
    running = steps.running()
    if running is not None:
        running = steps.settle(running)
    context = {
        "running": running,
        "steps": steps.all_of(running) if running else [],
        "next": steps.next_of(running) if running else "",
        "signed": Commissioning.objects.filter(signed_at__isnull=False)[:SHOWN],
        "not_set_up": offer.not_set_up(),
    }
    return render(request, "commissioning/commissioning.html", context)


@never_cache
@require_POST
@installer
def begin(request: HttpRequest) -> HttpResponse:
    """Begin, or with ``anew`` begin again; what was set at the station stays set."""
    who = request.user.get_username()
    found = steps.restart(who) if request.POST.get("anew") else steps.begin(who)
    return redirect("commissioning-step", name=steps.next_of(found))


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@installer
def step(request: HttpRequest, name: str) -> HttpResponse:
    """One step: its page, or what a button on it does."""
    running = steps.running()
    if name not in steps.TITLES:
        raise Http404
    if running is None:
        return redirect("commissioning")
    visit = Visit(request, running := steps.settle(running), steps.step(running, name))
    if request.method != "POST":
        return _show(visit, pages.PAGES[name](visit))
    try:
        wrong = _obey(visit)
    except steps.Conflict as conflict:
        return _conflict(visit, conflict)
    except steps.Over:
        return redirect("commissioning")
    if wrong is not None:
        return _show(visit, wrong, status=422)
    if name == steps.SIGN:
        return redirect("commissioning-signed", pk=running.pk)
    now = steps.step(visit.commissioning, name)
    over = now.status in (steps.DONE, steps.SKIPPED)
    return redirect("commissioning-step", name=steps.next_of(visit.commissioning) if over else name)


def _obey(visit: Visit) -> dict[str, Any] | None:
    if visit.pressed == "skip":
        if not visit.step.optional:
            raise Http404
        return pages.skip(visit)
    return pages.SAVES[visit.step.name](visit)


def _conflict(visit: Visit, conflict: steps.Conflict) -> HttpResponse:
    """Somebody was quicker. What is typed stays in the form; what is kept now is said, and may be replaced."""
    name = visit.step.name
    fresh = steps.step(running := steps.running() or visit.commissioning, name)
    posted = visit.request.POST.copy()
    posted["revision"] = str(fresh.revision)
    visit.request.POST = posted  # type: ignore[assignment]
    again = Visit(visit.request, running, fresh)
    context = pages.PAGES[name](again)
    form = context.get("form")
    if form is not None:
        filled = _bound(again, form)
        context["form"] = filled
    kept = [(form[field].label, value) for field, value in fresh.values.items() if form and field in form.fields]
    return _show(again, {**context, "conflict": conflict, "kept": kept}, status=409)


def _bound(visit: Visit, form: Any) -> Any:
    """The same form with what was typed."""
    form.data, form.is_bound = visit.request.POST, True
    return form


def _show(visit: Visit, context: dict[str, Any], status: int = 200) -> HttpResponse:
    all_ = steps.all_of(visit.commissioning)
    names = [one.name for one in all_]
    place = names.index(visit.step.name)
    page = {
        "step": visit.step,
        "steps": all_,
        "before": all_[place - 1] if place else None,
        "after": all_[place + 1] if place + 1 < len(all_) else None,
        "skip": SkipForm(initial={"revision": visit.step.revision}) if visit.step.optional else None,
        "template": f"commissioning/_{visit.step.name}.html",
        **context,
    }
    return render(visit.request, "commissioning/step.html", page, status=status)


# ------------------------------------------------------------------ what was signed


@never_cache
@require_safe
@installer
def signed(request: HttpRequest, pk: int) -> HttpResponse:
    """A protocol that was signed, and its papers."""
    found = get_object_or_404(Commissioning, pk=pk, signed_at__isnull=False)
    told: dict[str, Any] = found.protocol or {}
    whole = record.digest(told) == told.get("digest")
    address = str(told.get("signature", {}).get("address", ""))
    context = {"found": found, "told": told, "whole": whole, "code": codes.svg(address)}
    return render(request, "commissioning/signed.html", context)


@never_cache
@require_POST
@installer
def paper(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Have the protocol or the label made, in the language that it was asked for; the page of long work follows it."""
    from webui.work import orders
    from webui.work.views import too_many

    found = get_object_or_404(Commissioning, pk=pk, signed_at__isnull=False)
    if kind not in PAPERS:
        raise Http404
    with translation.override(_language(found)):
        title = _("Commissioning protocol") if kind == "protocol" else _("Label of the station")
        try:
            job = orders.order(request.user, PAPERS[kind], title, {"commissioning": found.pk})
        except orders.TooMany:
            return too_many(request)
    return redirect("work-job", pk=job.pk)


def _language(found: Commissioning) -> str | None:
    for one in (found.protocol or {}).get("steps", []):
        if one.get("name") == steps.PLACE:
            return str(one["values"].get("language") or "") or translation.get_language()
    return translation.get_language()
