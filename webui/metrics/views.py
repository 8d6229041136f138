"""``GET /metrics`` for Prometheus: with a token that may read, or from a network that an administrator has named."""

from __future__ import annotations

import json

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webui.accounts.tokens import READ
from webui.api import callers, live
from webui.api.problems import Problem
from webui.metrics import collect
from webui.metrics.text import CONTENT_TYPE
from webui.neighbourhood.models import Neighbourhood


@never_cache
@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """All figures of this moment; also while the uplink is away, for then they are wanted most."""
    try:
        networks = (await Neighbourhood.acurrent()).networks
        if not await sync_to_async(callers.unknown_but_welcome)(request, networks):
            (await callers.of(request)).need(READ)
    except Problem as problem:
        return problem.response()
    station = await live.current()
    health = await sync_to_async(resolve("/healthz").func)(request)
    text = await sync_to_async(collect.page)(station, json.loads(health.content))
    return HttpResponse(text, content_type=CONTENT_TYPE)
