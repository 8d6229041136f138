"""Who may see a page: everybody who is logged in, and of the station's insides an installer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url


def _to_login(request: HttpRequest) -> HttpResponse:
    """The way to the login page; for htmx the whole page goes there, not a piece of it."""
    htmx = getattr(request, "htmx", None)
    if not htmx:
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
    back = urlsplit(htmx.current_url_abs_path or "/").path
    response = HttpResponse(status=204)
    response["HX-Redirect"] = redirect_to_login(back, resolve_url(settings.LOGIN_URL)).url
    return response


def signed_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let only people who are logged in reach ``view`` (sync or async)."""
    if iscoroutinefunction(view):

        @wraps(view)
        async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = await request.auser()
            if not user.is_authenticated:
                return _to_login(request)
            return await view(request, *args, **kwargs)

        return guarded_async

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_login(request)
        return view(request, *args, **kwargs)

    return guarded


def installer(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let only installers reach ``view`` (sync or async): at present, Django's staff. Others get a 403."""
    if iscoroutinefunction(view):

        @wraps(view)
        async def only_async(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not (await request.auser()).is_staff:
                raise PermissionDenied
            return await view(request, *args, **kwargs)

        return signed_in(only_async)

    @wraps(view)
    def only(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(only)
