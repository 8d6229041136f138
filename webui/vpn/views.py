"""The VPN for administrators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from webui.access import record, rules, vpn_name
from webui.access.origin import Place
from webui.accounts.guard import administrator
from webui.vpn import service, words
from webui.vpn.control import Found, control, folder
from webui.vpn.forms import ImportForm, VpnForm
from webui.vpn.service import Vpn


@never_cache
@require_safe
@administrator
def vpn(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **forms: Any) -> HttpResponse:
    kept = service.current()
    shown = {
        "kept": kept,
        "public_key": service.public_key(),
        "form": VpnForm.of(kept),
        "import_form": ImportForm(prefix="import"),
        "name": vpn_name(),
        "folder": folder(),
        "over_vpn": rules.origin_of(request).place is Place.VPN,
        **_now(kept),
        **forms,
    }
    return render(request, "vpn/vpn.html", shown, status=status)


def _now(kept: Vpn) -> dict[str, Any]:
    used = control()
    found = used.look() if kept.enabled else None
    said = words.state(kept.enabled, used.kind, found or Found())
    return {"said": said, "found": found.state if found else None, "control": used.kind, "kept": kept}


@never_cache
@require_safe
@administrator
def now(request: HttpRequest) -> HttpResponse:
    """How it is, asked for every few seconds by the page."""
    return render(request, "vpn/_now.html", _now(service.current()))


@never_cache
@require_POST
@administrator
def change(request: HttpRequest) -> HttpResponse:
    """What was typed; it switches the VPN on."""
    form = VpnForm(request.POST, kept=service.current())
    if not form.is_valid():
        return _page(request, 422, form=form)
    wanted = form.cleaned_data["wanted"]
    return _put(request, Vpn(True, service.text_of(wanted), wanted.preshared), "set_vpn")


@never_cache
@require_POST
@administrator
def take_in(request: HttpRequest) -> HttpResponse:
    """A file of wg-quick; it switches the VPN on."""
    form = ImportForm(request.POST, request.FILES, prefix="import")
    if not form.is_valid():
        return _page(request, 422, import_form=form)
    wanted = form.cleaned_data["wanted"]
    kept = Vpn(True, service.text_of(replace(wanted, private="")), wanted.preshared)
    return _put(request, kept, "import_vpn", wanted.private or None)


@never_cache
@require_POST
@administrator
def switch(request: HttpRequest) -> HttpResponse:
    """On or off; the settings stay."""
    kept = service.current()
    if kept.configuration is None:
        return redirect("vpn")
    return _put(request, replace(kept, enabled=request.POST.get("to") == "on"), "switch_vpn")


@never_cache
@require_POST
@administrator
def new_key(request: HttpRequest) -> HttpResponse:
    """Another key of the station's own; the other side has to be told."""
    return _put(request, service.current(), "new_vpn_key", "")


def _put(request: HttpRequest, wanted: Vpn, action: str, private: str | None = None) -> HttpResponse:
    """On trial where the person comes over the VPN itself: whoever comes by another way cannot be cut off by it."""
    on_trial = rules.origin_of(request).place is Place.VPN
    failure = service.change(request.user.get_username(), wanted, private=private, on_trial=on_trial)
    found = wanted.configuration
    facts = {"enabled": wanted.enabled, "endpoint": found.endpoint_text if found else "", "on_trial": on_trial}
    record.note(request, action, facts)
    if failure is None:
        messages.success(request, _("The settings are kept."))
    else:
        messages.warning(
            request, _("The settings are kept, but not in force: %(why)s") % {"why": words.failed(failure)}
        )
    return redirect("vpn")
