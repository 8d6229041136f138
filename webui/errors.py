"""Error pages: what happened and what to do, in the station's own clothes; for htmx only the sentence."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from webui.accounts.origin import came_from


def _page(request: HttpRequest, status: int, title: str, advice: str, **more: str) -> HttpResponse:
    # Without the context processors: this must work when database and session do not.
    template = "errors/_piece.html" if request.headers.get("HX-Request") == "true" else "errors/page.html"
    html = render_to_string(template, {"status": status, "title": title, "advice": advice, **more})
    return HttpResponse(html, status=status)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """400."""
    return _page(
        request,
        400,
        _("This request makes no sense to the station"),
        _("Something in it is not as it should be. Go back and try it once more."),
    )


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403."""
    return _page(
        request,
        403,
        _("This is not open to you"),
        _("Your account may not do this. Somebody with more rights can, or can give them to you."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that did not come from a page of ours, or from one that has grown old."""
    return _page(
        request,
        403,
        _("This page has grown old"),
        _("You have logged in or out since it was loaded, or the browser refuses cookies. Load it anew and try again."),
        back=came_from(request),
        draft="wait",  # what was typed is put back into the form (static/js/draft.js)
    )


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """404."""
    return _page(
        request,
        404,
        _("There is nothing here"),
        _("No page, session or EVSE of this station has this address. It may have been mistyped."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    return _page(
        request,
        500,
        _("The station made a mistake"),
        _("It has been noted in the log. Charging is not affected. Try again in a moment."),
    )
