"""What every page of the web interface knows."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest

from webui import navigation
from webui.accounts.roles import Role, role_of
from webui.bench import client
from webui.commissioning import offer
from webui.notices.reading import troubles


def page(request: HttpRequest) -> dict[str, Any]:
    """Which rooms are open to this person, and which of them is entered.

    What is a callable here is called where a page asks for it, which pieces of pages do not.
    """
    return {
        "has_bench": client.exists(),
        "not_set_up": offer.not_set_up,
        "commissioning_under_way": offer.under_way,
        "navigation": partial(navigation.bar, request),
        "tabs": partial(navigation.tabs, request),
        "tabs_of": partial(navigation.group, request),
        "troubles": partial(_troubles, request),
        "is_installer": partial(_has, request, Role.INSTALLER),
        "is_administrator": partial(_has, request, Role.ADMINISTRATOR),
    }


def _troubles(request: HttpRequest) -> list[Any]:
    user = getattr(request, "user", None)
    return troubles(user) if user is not None and user.is_authenticated else []


def _has(request: HttpRequest, least: Role) -> bool:
    role = role_of(getattr(request, "user", None))
    return role is not None and role >= least
