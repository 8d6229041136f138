"""Backup and restore, factory reset, restart: what is ordered here is done when nothing else runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from station.backup import container, here, parts, plan, waiting
from station.backup.container import Refused
from station.backup.waiting import RESET, RESTORE, Order
from station.store.models import QueuedCall
from webui.accounts.guard import administrator, installer
from webui.accounts.roles import Role, has_role
from webui.backup import words
from webui.backup.forms import DownloadForm, ResetForm, UploadForm
from webui.commands import filing
from webui.commands.views import answer_with
from webui.dashboard import latest
from webui.dashboard.fragments import moment

RESTART = "restart"
SHOWN = 60  # changes of a part
FRESH = 3600.0  # s for which the page says how the last order ended


@never_cache
@require_safe
@installer
def backup(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _page(request)


@never_cache
@require_POST
@installer
@sensitive_post_parameters()
def download(request: HttpRequest) -> HttpResponse:
    """The configuration as a file; its secrets are in it only with a passphrase."""
    form = DownloadForm(request.POST)
    if not form.is_valid():
        return _page(request, status=400, download=form)
    passphrase = form.cleaned_data["passphrase"]
    about = here.about()
    content = container.pack(parts.collect(about, secrets=bool(passphrase)), passphrase)
    name = slugify(about["identity"] or about["serial"]) or "station"
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{name[:40]}-{timezone.now():%Y%m%d}.backup"'
    return response


@never_cache
@require_POST
@administrator
@sensitive_post_parameters()
def upload(request: HttpRequest) -> HttpResponse:
    """Take a backup, look whether it fits, and show what it would change."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, status=400, upload=form)
    data = form.cleaned_data
    passphrase = "" if data["without_secrets"] else data["passphrase"]
    content = data["file"].read()
    try:
        found = container.unpack(content, passphrase, secrets=not data["without_secrets"])
        plan.make(found, here.about())
    except Refused as refusal:
        form.add_error("passphrase" if refusal.code.endswith("passphrase") else "file", words.why(refusal))
        return _page(request, status=400, upload=form)
    return redirect("backup-preview", waiting.stage(_data(), content, passphrase))


@never_cache
@administrator
async def preview(request: HttpRequest, name: str) -> HttpResponse:
    """What a backup would change; with POST, do it."""
    try:
        wanted = await sync_to_async(_planned)(name)
    except Refused as refusal:
        return await sync_to_async(_page)(request, status=409, refused=words.why(refusal))
    if request.method == "POST":
        return await _ordered(request, Order(RESTORE, (await request.auser()).get_username(), staged=name))
    context = {
        "name": name,
        "about": wanted.about,
        "called": wanted.about.get("identity") or wanted.about.get("serial") or wanted.about.get("model") or "–",
        "made": moment(str(wanted.about.get("made") or "")),
        "notes": [words.note(word) for word in wanted.notes],
        "parts": [_part(part, changes) for part, changes in wanted.changes.items() if changes],
    }
    return await sync_to_async(render)(request, "backup/preview.html", context)


@never_cache
@require_POST
@administrator
async def reset(request: HttpRequest) -> HttpResponse:
    """As from the factory, once somebody has typed the station's name."""
    form = await sync_to_async(lambda: ResetForm(request.POST, expected=_name()))()
    if not form.is_valid():
        return await sync_to_async(_page)(request, status=400, reset=form)
    who = (await request.auser()).get_username()
    return await _ordered(request, Order(RESET, who, sessions=form.cleaned_data["sessions"]))


@never_cache
@require_POST
@installer
async def restart(request: HttpRequest) -> HttpResponse:
    """Restart the station's software."""
    return await answer_with(request, RESTART, {}, back="backup")


@never_cache
@require_safe
@administrator
def outcome(request: HttpRequest) -> HttpResponse:
    """The piece that follows an order: it asks until the station has started again."""
    if waiting.pending(_data()) is not None:
        return render(request, "backup/_waits.html", {})
    response = HttpResponse(status=204)
    response["HX-Redirect"] = reverse("backup")
    return response


async def _ordered(request: HttpRequest, order: Order) -> HttpResponse:
    station = latest.recent()
    if station is not None and station.firmware is not None:
        refused = words.busy()
        return await sync_to_async(_page)(request, status=409, refused=refused)
    waiting.order(_data(), order)
    command = await filing.file(await request.auser(), RESTART, {"for": order.kind})
    await filing.nudge(command)
    return await sync_to_async(render)(request, "backup/waits.html", {"order": order})


def _planned(name: str) -> plan.Plan:
    found = waiting.staged(_data(), name)
    if found is None:
        raise Http404
    content, passphrase = found
    return plan.make(container.unpack(content, passphrase, secrets=bool(passphrase)), here.about())


def _page(request: HttpRequest, *, status: int = 200, refused: str = "", **forms: Any) -> HttpResponse:
    ended = waiting.outcome(_data())
    if ended is not None and time.time() - ended.at > FRESH:
        ended = None
    may_restore = has_role(request.user, Role.ADMINISTRATOR)
    name = _name()
    context = {
        "download": forms.get("download") or DownloadForm(),
        "upload": (forms.get("upload") or UploadForm()) if may_restore else None,
        "reset": (forms.get("reset") or ResetForm(expected=name)) if may_restore else None,
        "name": name,
        "queued": QueuedCall.objects.count(),
        "refused": refused,
        "ended": ended,
        "ended_why": words.refused(ended.code, ended.what) if ended is not None and ended.code else "",
        "waits": waiting.pending(_data()) is not None,
    }
    return render(request, "backup/backup.html", context, status=status)


def _part(name: str, changes: list[plan.Change]) -> dict[str, Any]:
    return {
        "title": words.part(name),
        "count": len(changes),
        "changes": [(words.kind(one.kind), one) for one in changes[:SHOWN]],
        "more": max(0, len(changes) - SHOWN),
    }


def _name() -> str:
    """What the station is called: by its owner if he has, else its identity, else its serial number."""
    about = here.about()
    return str(about["identity"] or about["serial"] or about["model"])


def _data() -> Path:
    return Path(settings.DATA_DIR)
