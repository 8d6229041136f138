"""The dashboard: what both EVSEs do at this moment. Everything live on it comes over the WebSocket."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webui.accounts.guard import signed_in
from webui.dashboard import fragments, latest


@never_cache
@require_safe
@signed_in
def dashboard(request: HttpRequest) -> HttpResponse:
    """The page, with the station as last heard where that is fresh; the WebSocket then brings it whole."""
    station = latest.recent()
    context = {}
    if station is not None:
        found = fragments.pieces(station)
        context = {
            "status": found["station-status"],
            "clock": found["station-clock"],
            "master": found["station-master"],
            "cards": fragments.cards(station, found),
        }
    return render(request, "dashboard/dashboard.html", context)
