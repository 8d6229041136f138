"""What the station's processes say, for an installer: the newest first, filtered, and renewed while one looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from station.store import logbook
from station.store.confidential import SEND_LOG, sealed_url
from station.store.redaction import Redactor
from webui.accounts.guard import installer
from webui.commands.views import answer_with
from webui.logs.processes import tail
from webui.logs.processes.tail import LEVELS, Entry

SHOWN = 200
PROCESSES = ("station", "uplink", "web", "hardware", "transfers", "redis", "simulator", "csms")
LOG_TYPES = [("DiagnosticsLog", _("Diagnostics")), ("SecurityLog", _("Security log"))]


class LogFilter(forms.Form):
    """Every field may be left empty."""

    level = forms.ChoiceField(
        required=False,
        label=_("How bad"),
        choices=[("", _("all")), ("WARNING", _("warnings and errors")), ("ERROR", _("errors"))],
    )
    process = forms.ChoiceField(
        required=False, label=_("Process"), choices=[("", _("all")), *((name, name) for name in PROCESSES)]
    )
    search = forms.CharField(
        required=False, label=_("Search"), max_length=100, widget=forms.TextInput({"type": "search"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False)

    def fits(self, entry: Entry) -> bool:
        """Whether an entry is wanted; a line that is no record only where nothing but its words is asked for."""
        wanted = self.cleaned_data
        if wanted["process"] and entry.process != wanted["process"]:
            return False
        if wanted["level"] and (entry.level not in LEVELS or LEVELS.index(entry.level) < LEVELS.index(wanted["level"])):
            return False
        needle = wanted["search"].casefold()
        return not needle or needle in entry.message.casefold() or needle in entry.exception.casefold()


class SendForm(forms.Form):
    """Which log, and where to."""

    log_type = forms.ChoiceField(label=_("Which log"), choices=LOG_TYPES)
    url = forms.CharField(
        max_length=512,
        label=_("Where to"),
        help_text=_("An address that takes a file (https://…), as support gave it to you. It is kept secret."),
        widget=forms.URLInput({"placeholder": "https://"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="", use_required_attribute=False, auto_id="send-%s")


@never_cache
@require_safe
@installer
def processes(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _page(request)


def _page(request: HttpRequest) -> HttpResponse:
    chosen = LogFilter(request.GET)
    entries: list[Entry] = []
    more = False
    if chosen.is_valid():
        entries, more = tail.newest(Path(settings.DATA_DIR) / "logs", SHOWN, chosen.fits)
    redactor = logbook.redactor(settings.SECRET_KEY)
    query = request.GET.copy()
    context = {
        "form": chosen,
        "filtered": any(query.get(name) for name in chosen.fields),
        "entries": [_shown(entry, redactor) for entry in entries],
        "more": more,
        "query": query.urlencode(),
        "live": "still" not in request.GET and chosen.is_valid(),
    }
    return render(request, "logs/processes.html", context, status=200 if chosen.is_valid() else 400)


def _shown(entry: Entry, redactor: Redactor) -> Entry:
    return entry._replace(message=redactor.whole(entry.message), exception=redactor.whole(entry.exception))


@never_cache
@require_POST
@installer
async def send(request: HttpRequest) -> HttpResponse:
    """Have a log made and sent to an address."""
    form = SendForm(request.POST)
    if not form.is_valid():
        error = next(iter(form.errors.values()))[0]
        return render(request, "logs/_refused.html", {"error": error}, status=400)
    return await answer_with(request, SEND_LOG, sealed_url(form.cleaned_data), back="logs")
