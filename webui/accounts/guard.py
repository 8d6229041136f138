"""Who may see a page: everybody who is logged in, or from a role upwards. For WebSockets, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.crypto import constant_time_compare

from webui.accounts.origin import came_from
from webui.accounts.roles import Role, has_role

SIGNED_OUT = 4401  # codes of a WebSocket's end, ours: the page goes to the login,
FORBIDDEN = 4403  # or is loaded anew and says that it is not open to this person


def _to_login(request: HttpRequest) -> HttpResponse:
    """The way to the login page; for htmx the whole page goes there, not a piece of it.

    From there it goes back to the page that was wanted, or that held the form: what was typed there is kept in the
    browser, and put back into it (static/js/draft.js).
    """
    htmx = getattr(request, "htmx", None)
    if not htmx:
        wanted = request.get_full_path() if request.method in ("GET", "HEAD") else came_from(request)
        return redirect_to_login(wanted, resolve_url(settings.LOGIN_URL))
    back = urlsplit(htmx.current_url_abs_path or "/").path
    response = HttpResponse(status=204)
    response["HX-Redirect"] = redirect_to_login(back, resolve_url(settings.LOGIN_URL)).url
    return response


def _judge(request: HttpRequest, user: Any, least: Role) -> HttpResponse | None:
    """None where ``user`` may go on. Raises PermissionDenied, which becomes a page in words (webui.errors)."""
    if not user.is_authenticated:
        return _to_login(request)
    if not has_role(user, least):
        raise PermissionDenied
    return None


def from_role(least: Role) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that lets only people of role ``least`` or above reach a view (sync or async)."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        if iscoroutinefunction(view):

            @wraps(view)
            async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
                return _judge(request, await request.auser(), least) or await view(request, *args, **kwargs)

            return guarded_async

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return _judge(request, request.user, least) or view(request, *args, **kwargs)

        return guarded

    return decorate


signed_in = from_role(Role.OWNER)
"""Everybody with an account."""
installer = from_role(Role.INSTALLER)
"""Installers and administrators. Others get a 403."""
administrator = from_role(Role.ADMINISTRATOR)
"""Administrators only. Others get a 403."""


def refusal(scope: Mapping[str, Any], least: Role = Role.OWNER) -> int:
    """Which code a WebSocket is to be closed with at its start; 0: the person may watch.

    To be sent after the handshake, because only then the page gets to read it.
    """
    user = scope.get("user")
    if user is None or not user.is_authenticated:
        return SIGNED_OUT
    return 0 if has_role(user, least) else FORBIDDEN


async def refusal_now(scope: Mapping[str, Any], least: Role = Role.OWNER) -> int:
    """The same of a WebSocket that has been open for a while, by what the database says now.

    The session may have been ended elsewhere, the password changed, the account switched off, the role taken away.
    """
    return await sync_to_async(_refusal_now)(scope, least)


def _refusal_now(scope: Mapping[str, Any], least: Role) -> int:
    session, known = scope.get("session"), scope.get("user")
    if session is not None and session.session_key and not session.exists(session.session_key):
        return SIGNED_OUT
    user = get_user_model().objects.filter(pk=getattr(known, "pk", None)).first()
    if user is None or not user.is_active:
        return SIGNED_OUT
    proof = session.get(HASH_SESSION_KEY) if session is not None and session.session_key else None
    if proof is not None and not constant_time_compare(proof, user.get_session_auth_hash()):
        return SIGNED_OUT
    return 0 if has_role(user, least) else FORBIDDEN
