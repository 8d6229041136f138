"""The dashboard: what both EVSEs do at this moment. Everything live on it comes over the WebSocket."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webui.accounts.guard import signed_in
from webui.accounts.roles import Role, has_role
from webui.dashboard import fragments, known, latest


@never_cache
@require_safe
@signed_in
def dashboard(request: HttpRequest) -> HttpResponse:
    """The page, with the station as last heard where that is fresh; the WebSocket then brings it whole."""
    station = latest.recent()
    context = {}
    if station is not None:
        known.look_up(station)
        viewer = fragments.reader(has_role(request.user, Role.INSTALLER))
        found = fragments.pieces(station, viewer)
        context = {
            "status": found["station-status"],
            "clock": found["station-clock"],
            "master": found["station-master"],
            "cards": fragments.cards(station, found, viewer),
        }
    return render(request, "dashboard/dashboard.html", context)
