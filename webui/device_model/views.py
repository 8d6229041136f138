"""The device model for an installer: every variable, its page, and setting it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from station.device_model.components import COMPONENTS
from station.device_model.definition import Mutability
from station.device_model.model import Entry
from station.device_model.naming import UnknownName
from station.device_model.values import DataType
from station.store.confidential import SET_VARIABLE
from station.store.models import VariableChange
from webui import versions
from webui.accounts.guard import installer
from webui.commands.views import answer_with
from webui.device_model import describe, history
from webui.device_model.forms import Search, typed
from webui.device_model.reading import Reading

MOST = 250  # rows of the list; a station of 32 EVSEs has twice as many
_DOCS = {component.name: (component.__doc__ or "").strip() for component in COMPONENTS}


@never_cache
@require_safe
@installer
def device_model(request: HttpRequest) -> HttpResponse:
    """The list, grouped by component. A search that makes no sense is named, and answered with status 400."""
    form = Search(request.GET or {})
    valid = form.is_valid()
    found = form.apply(Reading().all()) if valid else []
    found.sort(key=lambda item: bool(item.place))  # the station's own first, then each EVSE's
    context = {
        "form": form,
        "found": len(found),
        "left_out": max(0, len(found) - MOST),
        "components": [
            (name, _DOCS[name], list(variables))
            for name, variables in groupby(found[:MOST], lambda item: item.component)
        ],
        "filtered": any(request.GET.get(name) for name in form.fields),
        "changes": history.events(),
    }
    return render(request, "device_model/list.html", context, status=200 if valid else 400)


@never_cache
@require_safe
@installer
def variable(request: HttpRequest, name: str) -> HttpResponse:
    """One variable, with the form to set it where it can be set, and who has."""
    reading, entry = _entry(name)
    return render(request, "device_model/variable.html", _page(reading, entry, entry.text()))


@sensitive_post_parameters("value")
@never_cache
@require_POST
@installer
async def set_variable(request: HttpRequest, name: str) -> HttpResponse:
    """File the new value. What the station would refuse by its own rules is said at once, and not filed."""
    filed = await sync_to_async(_judge)(request, name)
    if isinstance(filed, HttpResponse):
        return filed
    return await answer_with(request, SET_VARIABLE, filed, back=reverse("variable", args=[name]))


@sensitive_variables("value")
def _judge(request: HttpRequest, name: str) -> HttpResponse | dict[str, Any]:
    """The arguments of the command, or the refusal."""
    reading, entry = _entry(name)
    value = typed(entry.variable, request.POST)
    if found := _conflict(request, reading, entry, value):
        if request.htmx:
            return render(request, "device_model/_overtaken.html", {"conflict": found}, status=versions.STATUS)
        page = {**_page(reading, entry, value), "conflict": found}
        return render(request, "device_model/variable.html", page, status=versions.STATUS)
    change = reading.model.check(entry.names, value)
    if change.status in ("Accepted", "RebootRequired"):
        return history.arguments(entry.names, value)
    said = describe.refusal(change.info)
    if request.htmx:  # the page is still there, with all that was typed
        return render(request, "device_model/_refused.html", {"said": said}, status=422)
    page = {**_page(reading, entry, value, said), "version": versions.carried(request.POST, _now(entry))}
    return render(request, "device_model/variable.html", page, status=422)


@sensitive_variables("value")
def _conflict(request: HttpRequest, reading: Reading, entry: Entry, value: str) -> versions.Conflict | None:
    secret = reading.shown(entry).secret
    return versions.conflict(request.POST, _now(entry), {"value": value}, {"value": _("Value")}, secret=secret)


def _now(entry: Entry) -> dict[str, Any]:
    """What a change is a change of; of a write-only variable, whose value is not readable here, its last change."""
    if entry.variable.mutability is not Mutability.WRITE_ONLY:
        return {"value": entry.text()}
    changes = VariableChange.objects.filter(**entry.names._asdict())
    return {"change": changes.values_list("pk", flat=True).first()}


def _entry(name: str) -> tuple[Reading, Entry]:
    reading = Reading()
    try:
        return reading, reading.entry(name)
    except UnknownName as unknown:
        raise Http404 from unknown


@sensitive_variables("value")
def _page(reading: Reading, entry: Entry, value: str, refused: str = "") -> dict[str, Any]:
    item = reading.shown(entry)
    chosen = value.split(",")
    return {
        "item": item,
        "about": _DOCS[item.component],
        "kind": _kind(entry),
        "value": "" if item.secret else value,
        "version": versions.version_of(_now(entry)),
        "choices": [(option, option in chosen) for option in _choices(entry)],
        "refused": refused,
        "changes": history.events(entry.names),
    }


def _kind(entry: Entry) -> str:
    """Which control the form has."""
    data_type = entry.variable.data_type
    if entry.variable.mutability is Mutability.WRITE_ONLY:
        return "secret"
    if data_type in (DataType.BOOLEAN, DataType.OPTION_LIST):
        return "one"
    return "some" if data_type is DataType.MEMBER_LIST else "text"


def _choices(entry: Entry) -> tuple[str, ...]:
    return ("true", "false") if entry.variable.data_type is DataType.BOOLEAN else entry.limits.values
