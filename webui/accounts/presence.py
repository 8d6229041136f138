"""Middleware: speaks the person's language, and notes that the person was here."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin

from webui.accounts import language, signins


class Presence(MiddlewareMixin):
    """After the session's own middleware. It asks the session only, so that no page costs a query more."""

    def process_request(self, request: HttpRequest) -> None:
        try:
            request.LANGUAGE_CODE = language.of_request(request)
            if request.session.session_key and SESSION_KEY in request.session:
                signins.seen(request)
        except DatabaseError:  # /healthz and the error pages must be there without it
            request.LANGUAGE_CODE = language.of_browser(request.headers.get("Accept-Language", "")) or "en"
        translation.activate(request.LANGUAGE_CODE)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response.headers.setdefault("Content-Language", translation.get_language() or "en")
        return response
