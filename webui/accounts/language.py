"""Which language somebody reads: the one chosen in the account, or the browser's, or the one set for the station."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from webui.owner import here

LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}  # what the pages are written in
KEY = "language"  # in the session


def of_request(request: HttpRequest) -> str:
    """The language of an answer to ``request``."""
    chosen = request.session.get(KEY) if request.COOKIES.get(settings.SESSION_COOKIE_NAME) else None
    if chosen in LANGUAGES:
        return str(chosen)
    return of_browser(request.headers.get("Accept-Language", "")) or _known(here.settings().language)


def of_scope(scope: Any) -> str:
    """The language of a WebSocket, whose session has been loaded."""
    session = scope.get("session")
    chosen = session.get(KEY) if session is not None and hasattr(session, "get") else None
    if chosen in LANGUAGES:
        return str(chosen)
    headers = dict(scope.get("headers") or ())
    told = of_browser(headers.get(b"accept-language", b"").decode("latin-1"))
    return told or _known(getattr(here.settings.last(None), "language", ""))


def of_browser(accepted: str) -> str:
    """The first language of an ``Accept-Language`` header that there is; empty where there is none of them."""
    for code, _weight in parse_accept_lang_header(accepted[:500]):
        if (known := code.split("-")[0]) in LANGUAGES:
            return known
    return ""


def _known(code: str) -> str:
    return code if code in LANGUAGES else settings.LANGUAGE_CODE
