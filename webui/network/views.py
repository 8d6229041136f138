"""Network profiles for an installer: which there are, in which order, and changing them on trial."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from station.store import confidential, repositories
from webui import versions
from webui.accounts.guard import installer
from webui.commands import filing
from webui.commands.views import answer_with, followed
from webui.dashboard import latest
from webui.network import doctor, live
from webui.network.forms import AddressForm, CredentialsForm, OrderForm, SlotForm
from webui.network.reading import Connection, Slot, failures, history

_PASSWORD = ("SecurityCtrlr", "BasicAuthPassword")


@never_cache
@require_safe
@installer
def network(request: HttpRequest) -> HttpResponse:
    """The page; ``?asked=`` names the command whose outcome is to be followed."""
    return render(request, "network/network.html", _page(request))


def _page(request: HttpRequest, **forms: Any) -> dict[str, Any]:
    connection = Connection()
    station = latest.recent()
    return {
        "connection": connection,
        "now": live.now(station) if station is not None else "",
        "doctor": _doctor(),
        "asked": followed(request),
        "history": history(),
        "failures": failures(),
        "credentials": CredentialsForm(initial={"identity": connection.identity}),
        "has_password": _PASSWORD in repositories.secrets_set(),
        "order": OrderForm(connection) if sum(slot.profile is not None for slot in connection.slots) > 1 else None,
        **forms,
    }


def _doctor() -> str:
    station = latest.recent()
    told = station.diagnosis if station is not None else None
    return live.doctor(doctor.last() if told is None else doctor.read(told))


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@installer
async def slot(request: HttpRequest, number: int) -> HttpResponse:
    """The form of one slot, and filing what was typed there."""
    filed = await sync_to_async(_slot)(request, number)
    if isinstance(filed, HttpResponse):
        return filed
    return await _file(request, "set_network_profile", filed)


def _slot(request: HttpRequest, number: int) -> HttpResponse | dict[str, Any]:
    """The page, or the arguments of the command."""
    connection = Connection()
    here = _known(connection, number)
    now = _initial(connection, here)
    context = {"slot": here, "connection": connection, "doctor": _doctor(), "version": versions.version_of(now)}
    if request.method != "POST":
        form = SlotForm(connection, here, initial=now)
        return render(request, "network/slot.html", {**context, "form": form})
    form = SlotForm(connection, here, request.POST)
    if not form.is_valid():
        context["version"] = versions.carried(request.POST, now)
        return render(request, "network/slot.html", {**context, "form": form}, status=422)
    labels = {name: field.label for name, field in form.fields.items()}
    if found := versions.conflict(request.POST, now, form.cleaned_data, labels):
        context["conflict"] = found
        return render(request, "network/slot.html", {**context, "form": form}, status=versions.STATUS)
    return confidential.sealed_password({"slot": number, **form.cleaned_data})


def _initial(connection: Connection, here: Slot) -> dict[str, Any]:
    known = {"identity": connection.identity}
    if here.profile is None:
        return known
    names = ("csms_url", "security_profile", "interface", "message_timeout")
    return {**known, **{name: getattr(here.profile, name) for name in names}}


@never_cache
@require_POST
@installer
async def check(request: HttpRequest, number: int) -> HttpResponse:
    """Have the doctor look at a slot as it is stored."""
    await sync_to_async(lambda: _known(Connection(), number))()
    return await answer_with(request, "diagnose_connection", {"slot": number}, back="network")


@never_cache
@require_POST
@installer
async def check_typed(request: HttpRequest) -> HttpResponse:
    """Have the doctor look at what is typed and not saved: address and security profile."""
    form = AddressForm(request.POST)
    if not form.is_valid():
        said = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return render(request, "device_model/_refused.html", {"said": said}, status=422)
    return await answer_with(request, "diagnose_connection", form.cleaned_data, back="network")


@never_cache
@require_POST
@installer
async def remove(request: HttpRequest, number: int) -> HttpResponse:
    """Empty a slot."""
    await sync_to_async(lambda: _known(Connection(), number))()
    return await _file(request, "remove_network_profile", {"slot": number})


@never_cache
@require_POST
@installer
async def order(request: HttpRequest) -> HttpResponse:
    """Which slot comes first."""
    filed = await sync_to_async(_order)(request)
    if isinstance(filed, HttpResponse):
        return filed
    return await _file(request, "set_network_priority", filed)


def _order(request: HttpRequest) -> HttpResponse | dict[str, Any]:
    form = OrderForm(Connection(), request.POST)
    if not form.is_valid():
        return render(request, "network/network.html", _page(request, order=form), status=422)
    return form.cleaned_data


@sensitive_post_parameters("password")
@never_cache
@require_POST
@installer
async def credentials(request: HttpRequest) -> HttpResponse:
    """Another identity or password."""
    filed = await sync_to_async(_credentials)(request)
    if isinstance(filed, HttpResponse):
        return filed
    return await _file(request, "set_credentials", filed)


def _credentials(request: HttpRequest) -> HttpResponse | dict[str, Any]:
    form = CredentialsForm(request.POST)
    if not form.is_valid():
        return render(request, "network/network.html", _page(request, credentials=form), status=422)
    return confidential.sealed_password(form.cleaned_data)


@never_cache
@require_POST
@installer
async def take_back(request: HttpRequest) -> HttpResponse:
    """End the trial that runs."""
    return await _file(request, "take_back", {})


def _known(connection: Connection, number: int) -> Slot:
    try:
        return connection.slot(number)
    except KeyError:
        raise Http404 from None


async def _file(request: HttpRequest, action: str, arguments: dict[str, Any]) -> HttpResponse:
    command = await filing.file(await request.auser(), action, arguments)
    await filing.nudge(command)
    if request.htmx:
        response = HttpResponse(status=204)
        response["HX-Redirect"] = f"{reverse('network')}?asked={command.pk}"
        return response
    return redirect(f"{reverse('network')}?asked={command.pk}")
