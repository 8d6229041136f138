"""Views of rooms that are seldom entered: what they need is loaded by the first person who does (memory)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.http import HttpRequest, HttpResponse


def lazily(name: str) -> Callable[..., Any]:
    """The sync view ``room.view``, that is ``webui.room.views.view``; or ``room:module.view``, of another module."""

    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _found(name)(request, *args, **kwargs)

    return view


def lazily_async(name: str) -> Callable[..., Any]:
    """The async one; Django tells them apart before it calls them."""

    async def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return await _found(name)(request, *args, **kwargs)

    return view


def _found(name: str) -> Callable[..., Any]:
    place, _, view = name.rpartition(".")
    room, _, module = place.partition(":")
    return getattr(import_module(f"webui.{room}.{module or 'views'}"), view)  # type: ignore[no-any-return]
