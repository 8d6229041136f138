"""The board for an installer: what it measures and counts, its registers, self-test, and a setpoint by hand."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from station.store.models import JournalEntry
from webui import words
from webui.accounts.guard import installer
from webui.commands.views import answer_with, followed
from webui.commissioning import reading
from webui.dashboard import latest
from webui.hardware_page import live
from webui.hardware_page.forms import SetpointForm
from webui.keypad import offer

ACTIONS = {"begin": "begin_maintenance", "end": "end_maintenance", "test": "self_test"}
KINDS = ("maintenance_began", "maintenance_ended", "manual_setpoint", "self_test", "fault", "fault_cleared")
HISTORY = 15


@never_cache
@require_safe
@installer
def hardware(request: HttpRequest) -> HttpResponse:
    """The page. What is live on it comes over its WebSocket."""
    station = latest.recent()
    pieces = live.maintenance(station) if station is not None else {}
    known = reading.tests()
    evses = [
        {
            "evse_id": evse_id,
            "maintenance": pieces.get(f"hardware-maintenance-{evse_id}", ""),
            "left": pieces.get(f"hardware-left-{evse_id}", ""),
            "test": known.get(evse_id),
            "said": reading.outcome_in_words(known[evse_id][1]) if evse_id in known else "",
        }
        for evse_id in offer.evse_ids()
    ]
    context = {"evses": evses, "asked": followed(request), "history": _history()}
    return render(request, "hardware_page/hardware.html", context)


def _history() -> list[tuple[Any, str]]:
    rows = JournalEntry.objects.filter(kind__in=KINDS).order_by("-id")[:HISTORY]
    return [(row.at, words.event(row.kind, {"evse_id": row.evse_id, **_data(row)})) for row in rows]


def _data(row: JournalEntry) -> dict[str, Any]:
    return row.data if isinstance(row.data, dict) else {}


@never_cache
@require_POST
@installer
async def act(request: HttpRequest, evse_id: int, action: str) -> HttpResponse:
    """Begin or end maintenance, or run the self-test."""
    if action not in ACTIONS or evse_id not in await sync_to_async(offer.evse_ids)():
        raise Http404
    return await answer_with(request, ACTIONS[action], {"evse_id": evse_id}, back="hardware")


@never_cache
@require_POST
@installer
async def setpoint(request: HttpRequest, evse_id: int) -> HttpResponse:
    """A current by hand, for an EVSE in maintenance."""
    if evse_id not in await sync_to_async(offer.evse_ids)():
        raise Http404
    form = SetpointForm(request.POST)
    if not form.is_valid():
        said = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return render(request, "device_model/_refused.html", {"said": said}, status=422)
    arguments = {
        "evse_id": evse_id,
        "current": float(form.cleaned_data["current"]),
        "phases": form.cleaned_data["phases"],
    }
    return await answer_with(request, "manual_setpoint", arguments, back="hardware")


@never_cache
@require_POST
@installer
async def restart(request: HttpRequest) -> HttpResponse:
    """Restart the station's processes; sessions that run end (as after a Reset of the CSMS)."""
    return await answer_with(request, "restart", {}, back="hardware")
