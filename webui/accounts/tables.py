"""The addresses of Django's admin, which is loaded when one of them is asked for (memory)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.urls import URLResolver
from django.urls.resolvers import RoutePattern


class _Tables:
    @cached_property
    def urlpatterns(self) -> list[Any]:
        from webui.accounts.support import made

        return list(made().get_urls())


def at(route: str) -> URLResolver:
    """What ``include`` would make; that one looks at all addresses at once."""
    return URLResolver(RoutePattern(route), _Tables(), app_name="admin", namespace="admin")
