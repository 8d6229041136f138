"""Pages tell the time as it is at the station, and know the owner's settings without asking for each page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from webui.owner import here

log = logging.getLogger(__name__)


@sync_and_async_middleware
def local_time(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware: the station's time zone is the active one while a request is answered."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            zone = _zone() if here.is_fresh() else await sync_to_async(_zone)()
            with timezone.override(zone):
                return await get_response(request)  # type: ignore[no-any-return]

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone()):
            return get_response(request)  # type: ignore[no-any-return]

    return answer


def _zone() -> ZoneInfo:
    try:
        here.settings()
        return here.zone()
    except Exception as failure:  # whatever the database raises: a page without it says so itself, /healthz too
        log.debug("the station's time zone is not to be had: %s", failure)
        return here.zone.last(here.zone_named(""))
