"""Which language somebody reads: the one chosen in the account, or else the browser's, or else English."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}  # what the pages are written in
KEY = "language"  # in the session


def of_request(request: HttpRequest) -> str:
    """The language of an answer to ``request``."""
    chosen = request.session.get(KEY) if request.COOKIES.get(settings.SESSION_COOKIE_NAME) else None
    return chosen if chosen in LANGUAGES else of_browser(request.headers.get("Accept-Language", ""))


def of_scope(scope: Any) -> str:
    """The language of a WebSocket, whose session has been loaded."""
    session = scope.get("session")
    chosen = session.get(KEY) if session is not None and hasattr(session, "get") else None
    if chosen in LANGUAGES:
        return str(chosen)
    headers = dict(scope.get("headers") or ())
    return of_browser(headers.get(b"accept-language", b"").decode("latin-1"))


def of_browser(accepted: str) -> str:
    """The first language of an ``Accept-Language`` header that there is."""
    for code, _weight in parse_accept_lang_header(accepted[:500]):
        if (known := code.split("-")[0]) in LANGUAGES:
            return known
    return settings.LANGUAGE_CODE
