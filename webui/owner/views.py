"""The owner's settings: the station's name and place, language, time, money, and who gives the receipts."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django import forms
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from station.device_model.naming import Names
from station.store.confidential import SET_VARIABLE
from webui.accounts.guard import signed_in
from webui.commands.views import answer_with
from webui.owner import here
from webui.owner.forms import LetterheadForm, StationForm, TimeZoneForm
from webui.owner.models import Settings
from webui.tariff import costs

FORMS: dict[str, type[forms.ModelForm]] = {"station": StationForm, "letterhead": LetterheadForm}
TIME_ZONE = Names("ClockCtrlr", "TimeZone")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def settings(request: HttpRequest) -> HttpResponse:
    """The page; POST saves the form named by ``form``. What is wrong is named, and answered with status 422."""
    if request.method != "POST":
        return render(request, "owner/settings.html", _page(request, Settings.objects.filter(pk=1).first()))
    name = request.POST.get("form", "")
    if name not in FORMS:
        raise Http404
    with transaction.atomic():
        row, _new = Settings.objects.get_or_create(pk=Settings.THE_ONE)
        shown = request.POST.get("serial", "")
        serial = row.serial
        form = FORMS[name](request.POST, instance=row)
        if form.is_valid() and shown != str(serial):
            # Somebody else was quicker. What was typed here stays, and whoever typed it decides.
            form.add_error(None, _("These settings were changed meanwhile. Look through them, and save again."))
        if form.is_valid():
            row.serial = serial + 1
            form.save()
    if not form.is_valid():
        fresh = Settings.objects.filter(pk=Settings.THE_ONE).first()
        return render(request, "owner/settings.html", _page(request, fresh, {name: form}), status=422)
    here.forget()
    return redirect(f"{request.path}?saved={name}")


@never_cache
@require_POST
@signed_in
async def time_zone(request: HttpRequest) -> HttpResponse:
    """File the station's time zone, which is a variable of its own."""
    now = await sync_to_async(here.zone_name)()
    form = TimeZoneForm(request.POST, initial={"time_zone": now})
    if not form.is_valid():
        row = await Settings.objects.filter(pk=Settings.THE_ONE).afirst()
        page = await sync_to_async(_page)(request, row, {"zone": form})
        return await sync_to_async(render)(request, "owner/settings.html", page, status=422)
    here.forget()
    value = form.cleaned_data["time_zone"]
    return await answer_with(request, SET_VARIABLE, {**TIME_ZONE._asdict(), "value": value}, back="settings")


def _page(request: HttpRequest, row: Settings | None, bound: dict[str, forms.BaseForm] | None = None) -> dict[str, Any]:
    row = row or Settings(pk=Settings.THE_ONE)
    shown: dict[str, forms.BaseForm] = {name: made(instance=row) for name, made in FORMS.items()}
    shown["zone"] = TimeZoneForm(initial={"time_zone": here.zone_name()})
    now = timezone.now()
    return {
        "forms": shown | (bound or {}),
        "serial": row.serial,
        "saved": request.GET.get("saved", ""),
        "now": timezone.localtime(now, here.zone()),
        "tariff": costs.tariff_at(now),
        "planned": [tariff for tariff in costs.book() if tariff.valid_from > now],
    }
