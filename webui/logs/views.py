"""Logs for a person: what happened lately, how the last upload fared, and the files themselves."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from station.store import logbook
from station.store.logbook import Window
from station.store.models import Command, JournalEntry, Variable
from webui import words
from webui.accounts.guard import signed_in
from webui.accounts.roles import Role, has_role
from webui.commands import filing
from webui.logs import security
from webui.logs.forms import CustomerForm

EVENTS = 100
SECURITY_EVENTS = 5
IN_MEMORY = 1024 * 1024  # bytes of a file that is made; more of it goes to the disk
UPLOAD_KINDS = (
    "log_requested",
    "log_ordered",
    "log_upload_retried",
    "log_uploaded",
    "log_upload_failed",
    "log_canceled",
)
NAME_CUSTOMER = "name_customer"


@never_cache
@require_safe
@signed_in
def logs(request: HttpRequest) -> HttpResponse:
    """The page."""
    return render(request, "logs/logs.html", _page(request, CustomerForm()))


def _page(request: HttpRequest, form: CustomerForm) -> dict[str, Any]:
    newest = JournalEntry.objects.order_by("-id")
    named = Command.objects.filter(action=NAME_CUSTOMER).first()
    return {
        "events": [_told(entry) for entry in newest[:EVENTS]],
        "upload": next((_told(entry) for entry in newest.filter(kind__in=UPLOAD_KINDS)[:1]), None),
        "security": security.latest(SECURITY_EVENTS) if has_role(request.user, Role.INSTALLER) else None,
        "send": _send_form() if has_role(request.user, Role.INSTALLER) else None,
        "form": form if _customers_are_named() else None,
        "named": named and (named.status, words.outcome(named.action, named.status == "Accepted", named.message)),
    }


def _send_form() -> Any:
    from webui.logs.processes.views import SendForm

    return SendForm()


def _told(entry: JournalEntry) -> tuple[datetime, str]:
    return entry.at, words.event(entry.kind, entry.data if isinstance(entry.data, dict) else {})


def _customers_are_named() -> bool:
    """CustomerInformationCtrlr.CustomerIdentifierEnabled, which is off from the factory."""
    name = {"component": "CustomerInformationCtrlr", "variable": "CustomerIdentifierEnabled", "attribute": "Actual"}
    return Variable.objects.filter(**name, value="true").exists()


@never_cache
@require_safe
@signed_in
def download(request: HttpRequest, log: str) -> FileResponse:
    """The log as a file, made now: ``diagnostics``, or for installers ``security``."""
    if log == "diagnostics":
        lines = logbook.diagnostics_log(Window(), Path(settings.DATA_DIR), {}, {})
    elif log == "security":
        if not has_role(request.user, Role.INSTALLER):
            raise PermissionDenied
        lines = logbook.security_log(Window())
    else:
        raise Http404
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    logbook.write(file, lines, logbook.redactor(settings.SECRET_KEY))
    file.seek(0)
    name = f"{log}_{datetime.now(UTC):%Y%m%dT%H%M%SZ}.log.gz"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/gzip")


@never_cache
@require_POST
@signed_in
async def name_customer(request: HttpRequest) -> HttpResponse:
    """File whose card that is."""
    form = CustomerForm(request.POST)
    if not form.is_valid():
        return await sync_to_async(lambda: render(request, "logs/logs.html", _page(request, form), status=400))()
    command = await filing.file(await request.auser(), NAME_CUSTOMER, form.cleaned_data)
    await filing.nudge(command)
    return redirect("logs")
