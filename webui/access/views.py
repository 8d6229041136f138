"""The access rules for administrators: what is in force, where one is, and what is to be."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from webui.access import record, rules, trials, vpn_name
from webui.access.forms import COLUMNS, RulesForm
from webui.access.origin import address_of, judge
from webui.access.rules import Rules
from webui.accounts.guard import administrator
from webui.accounts.roles import Role, role_of

_OF_TRIAL = {trials.RULES: "access", trials.VPN: "vpn", trials.CERTIFICATE: "https"}  # the rooms they belong to


@never_cache
@require_safe
@administrator
def access(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _page(request, RulesForm.of(rules.current()))


def _page(request: HttpRequest, form: RulesForm, status: int = 200) -> HttpResponse:
    current = rules.current()
    here = rules.origin_of(request)
    shown = {
        "form": form,
        "here": here,
        "columns": COLUMNS,
        "own_role": role_of(request.user),
        "matrix": [(role, [(place, current.permit(role, place)) for place in COLUMNS]) for role in Role],
        "sites": current.sites,
        "saved": request.GET.get("saved") == "1",
    }
    return render(request, "access/access.html", shown, status=status)


@never_cache
@require_POST
@administrator
def change(request: HttpRequest) -> HttpResponse:
    """Other rules: at once, or, where they would cut off whoever sets them, on trial."""
    form = RulesForm(request.POST)
    if not form.is_valid():
        return _page(request, form, 422)
    wanted: Rules = form.cleaned_data["rules"]
    current = rules.current()
    if wanted == current:
        return redirect(f"{reverse('access')}?saved=1")
    role = role_of(request.user)
    cut_off = not _would_permit(request, wanted, role)
    try:
        _put(request, wanted, cut_off)
    except BaseException:  # what is in the database after all counts
        rules.forget()
        trials.forget()
        raise
    record.note(request, "set_access_rules", {**wanted.written(), "on_trial": cut_off})
    return redirect(f"{reverse('access')}?saved=1")


def _put(request: HttpRequest, wanted: Rules, cut_off: bool) -> None:
    with transaction.atomic():
        # A trial that runs is about the rules of now; what comes on top is the next one, or is for good.
        if cut_off:
            trials.begin(trials.RULES, request.user.get_username(), rules.current().written())
        else:
            trials.end(trials.RULES)
        rules.put(wanted)


def _would_permit(request: HttpRequest, wanted: Rules, role: Role | None) -> bool:
    return wanted.permit(role, judge(address_of(request), wanted.sites, vpn_name()).place)


# ---------------------------------------------------------------------- trials, of all rooms


@never_cache
@require_safe
@administrator
def running(request: HttpRequest) -> HttpResponse:
    """The banner of what is on trial; asked for every second while there is one."""
    return render(request, "access/_trials.html", {"trials": trials.running()})


@never_cache
@require_POST
@administrator
def keep(request: HttpRequest, kind: str) -> HttpResponse:
    """What is on trial stays."""
    if trials.get(kind) is not None:
        trials.keep(kind)
        record.note(request, "keep_trial", {"kind": kind})
    return redirect(_OF_TRIAL.get(kind, "access"))


@never_cache
@require_POST
@administrator
def take_back(request: HttpRequest, kind: str) -> HttpResponse:
    """Back to what was before, now."""
    if trials.take_back(kind):
        record.note(request, "take_back_trial", {"kind": kind})
    return redirect(_OF_TRIAL.get(kind, "access"))
