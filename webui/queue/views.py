"""What waits for the CSMS, for an installer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webui.accounts.guard import installer
from webui.dashboard import latest
from webui.queue import live, reading


@never_cache
@require_safe
@installer
def queue(request: HttpRequest) -> HttpResponse:
    """The page; what is live on it comes over the WebSocket."""
    station = latest.recent()
    rules = reading.rules()
    waiting = reading.waiting()
    count, oldest = reading.stored()
    context = {
        "now": live.now(station) if station is not None else live.paint(count, oldest),
        "curve": live.curve(station),
        "waiting": waiting,
        "more": max(0, count - len(waiting)),
        "rules": rules,
        "losses": reading.losses(),
        "limit": reading.QUEUE_LIMIT,
    }
    return render(request, "queue/queue.html", context)
