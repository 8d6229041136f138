"""The neighbourhood's page for administrators, and its test of the connection."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import resolve
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from station.store.secrets import SecretDamaged
from webui.accounts import audit
from webui.accounts.guard import administrator
from webui.neighbourhood import switch
from webui.neighbourhood.doors import doors
from webui.neighbourhood.forms import NeighbourhoodForm
from webui.neighbourhood.models import Neighbourhood
from webui.neighbourhood.probe import Found, probe


@sensitive_post_parameters("new_password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@administrator
def neighbourhood(request: HttpRequest) -> HttpResponse:
    """The form; ``?saved`` says that it was."""
    row = _row()
    if request.method != "POST":
        return _page(request, NeighbourhoodForm(instance=row), saved="saved" in request.GET)
    form = NeighbourhoodForm(request.POST, instance=row)
    if not form.is_valid():
        seen = form.data.copy()
        seen["version"] = str(_row().version)  # who has read that somebody else was faster may save now
        form.data = seen
        return _page(request, form, status=422)
    try:
        with transaction.atomic():
            saved = form.save()
            switch.write(Path(settings.DATA_DIR), saved.wish)
    except OSError as error:
        form.add_error(None, _("This could not be kept: %(why)s. Nothing has changed.") % {"why": error.strerror})
        return _page(request, form, status=500)
    audit.note(request, "neighbourhood_changed", str(saved))
    return redirect(f"{request.path}?saved")


@sensitive_post_parameters("new_password")
@never_cache
@require_POST
@administrator
async def check(request: HttpRequest) -> HttpResponse:
    """Try the broker with what is typed; nothing is kept."""
    row = await sync_to_async(_row)()
    data = request.POST.copy()
    data["mqtt"], data["version"] = "on", str(row.version)
    form = NeighbourhoodForm(data, instance=row)
    concerned = ("host", "port", "ca", "user", "new_password", "topic")
    await sync_to_async(form.is_valid)()
    wrong = [f"{form.fields[name].label}: {error}" for name in concerned for error in form.errors.get(name, ())]
    found = Found(False, " ".join(wrong)) if wrong else await _try(form)
    return await sync_to_async(render)(request, "neighbourhood/_found.html", {"found": found})


async def _try(form: NeighbourhoodForm) -> Found:
    from webui.neighbourhood.tls import context

    typed = form.cleaned_data
    try:
        password = await sync_to_async(lambda: form.password)()
    except SecretDamaged:
        return Found(False, _("The stored password cannot be read any more. Enter it again."))
    tls = context(typed["ca"]) if typed["tls"] else None
    client = f"{typed['topic'][:50]}-check-{secrets.token_hex(2)}"  # never the bridge's own: it would be thrown out
    return await probe(typed["host"], typed["port"], tls, typed["user"], password, client)


def _row() -> Neighbourhood:
    row = Neighbourhood.current()
    if not row.version:
        row.topic = f"charging-station-{settings.ENVIRONMENT.instance[:4]}"
    return row


def _now(request: HttpRequest) -> str:
    """How the connection to the broker is at this moment: ``off``, ``away`` or ``connected``."""
    if request.method != "GET":
        return "off"
    told = json.loads(resolve("/healthz").func(request).content)
    return str(told["neighbours"]["mqtt"])


def _page(request: HttpRequest, form: NeighbourhoodForm, status: int = 200, **more: Any) -> HttpResponse:
    environment = settings.ENVIRONMENT
    return render(
        request,
        "neighbourhood/neighbourhood.html",
        {
            "form": form,
            "now": _now(request),
            "announceable": bool(doors(environment.web, environment.web_tls)),
            "groups": {
                "mdns": [form[name] for name in ("mdns", "mdns_name")],
                "mqtt": [form[name] for name in ("mqtt", "host", "port", "tls", "ca", "user", "new_password")],
                "topics": [form[name] for name in ("topic", "scope", "discovery", "discovery_topic")],
                "metrics": [form["metrics_networks"]],
            },
            **more,
        },
        status=status,
    )
