"""The tariff: what holds, what is planned, what held; and a new one."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from webui.accounts.guard import signed_in
from webui.dashboard import known, shared
from webui.owner import here
from webui.tariff import costs
from webui.tariff.describe import Described, described
from webui.tariff.forms import ROWS, TariffForm, WindowForms, stored
from webui.tariff.models import Tariff

MOST = 50  # tariffs of the history that are shown


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def tariff(request: HttpRequest) -> HttpResponse:
    """The page; POST adds a tariff. What is wrong is named, and answered with status 422."""
    costs.book.forget()
    if request.method != "POST":
        return render(request, "tariff/tariff.html", _page(request, *_like_the_present()))
    form, windows = TariffForm(request.POST), WindowForms(request.POST, prefix="window")
    valid, also = form.is_valid(), windows.is_valid()
    if valid and also:
        new = _made(form.cleaned_data, windows, request.user.get_username())
        before = costs.tariff_at(new.valid_from)
        if before is not None and before.terms == new.terms:
            form.add_error(None, _("These are the prices that hold then already."))
        else:
            with transaction.atomic():
                new.save()
                costs.begin_again(new.valid_from)
            _forget()
            return redirect(f"{request.path}?saved=1")
    return render(request, "tariff/tariff.html", _page(request, form, windows), status=422)


@never_cache
@require_POST
@signed_in
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a tariff that is only planned. One that holds or held stays: sessions were charged by it."""
    planned = get_object_or_404(Tariff, pk=pk)
    done = Tariff.objects.filter(pk=planned.pk, valid_from__gt=timezone.now()).delete()[0]
    _forget()
    return redirect(f"{reverse('settings-tariff')}?saved={'removed' if done else 'held'}")


def _made(data: dict[str, Any], windows: Any, who: str) -> Tariff:
    return Tariff(
        valid_from=data["begins"],
        currency=data["currency"],
        price=data["price"],
        session_fee=data["session_fee"],
        standing=data["standing"],
        standing_free=data["standing_free"],
        windows=stored(windows.windows),
        who=who,
    )


def _forget() -> None:
    costs.book.forget()
    known.forget()
    shared.forget()


def _like_the_present() -> tuple[TariffForm, Any]:
    """A new tariff begins as a copy of what holds."""
    present = costs.tariff_at(timezone.now())
    if present is None:
        return TariffForm(initial={"currency": here.settings().currency}), WindowForms(prefix="window")
    initial = {
        "currency": present.currency,
        "price": present.price.normalize(),
        "session_fee": present.session_fee.normalize() if present.session_fee else None,
        "standing": present.standing.normalize() if present.standing else None,
        "standing_free": present.standing_free or None,
    }
    rows = [
        {
            "days": "".join(map(str, sorted(window.days))),
            "begin": _clock(window.begin),
            "end": _clock(window.end),
            "price": window.price.normalize(),
        }
        for window in present.terms.windows[:ROWS]
    ]
    return TariffForm(initial=initial), WindowForms(initial=rows, prefix="window")


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _page(request: HttpRequest, form: TariffForm, windows: Any) -> dict[str, Any]:
    now = timezone.now()
    present = costs.tariff_at(now)
    zone = here.zone()

    def shown(one: Tariff) -> tuple[Tariff, Described, Any]:
        return one, described(one.terms), timezone.localtime(one.valid_from, zone)

    tariffs = costs.book()
    return {
        "form": form,
        "windows": windows,
        "by_time": any(row.has_changed() or row.initial for row in windows),
        "present": shown(present) if present else None,
        "planned": [shown(one) for one in tariffs if one.valid_from > now],
        "past": [shown(one) for one in reversed(tariffs) if one.valid_from <= now and one != present][:MOST],
        "saved": request.GET.get("saved", ""),
        "zone": str(zone),
    }
