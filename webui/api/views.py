"""The doors of the API: for machines, and the documentation page for people."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webui.accounts.guard import signed_in
from webui.api.problems import Problem

log = logging.getLogger(__name__)


async def machine(request: HttpRequest, rest: str = "") -> HttpResponse:
    """``/api/v1/…``. Nothing that happens in there becomes a page or a traceback."""
    from webui.api import service

    try:
        response = await service.answer(request, rest)
    except RequestDataTooBig:
        response = Problem("too-large").response()
    except (SuspiciousOperation, UnreadablePostError, RecursionError, UnicodeError):
        response = Problem("bad-request").response()
    except Exception:
        log.exception("the API failed at %s %a", request.method, request.path[:100])
        response = Problem("mistake").response()
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Authorization, Cookie, Accept-Language"
    return response


@never_cache
@require_safe
@signed_in
def documentation(request: HttpRequest) -> HttpResponse:
    """What the API can do, from its own OpenAPI document; with a button to try each request that changes nothing."""
    from webui.api import documentation as pages

    context: dict[str, Any] = pages.context(request)
    return render(request, "api/documentation.html", context)
