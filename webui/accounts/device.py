"""A cookie that says: this browser has logged in to that account before. It opens nothing (see ``throttle``)."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

NAME = f"known_{settings.ENVIRONMENT.instance}"
AGE = 365 * 24 * 3600  # s
PEOPLE = 5  # of one browser
_SALT = "accounts.device"


def of(request: HttpRequest, user: Any) -> str:
    """What this browser is known by to ``user``'s account; empty: it is not."""
    if user is None:
        return ""
    return dict(_read(request)).get(user.pk, "")


def remember(request: HttpRequest, response: HttpResponse, user: Any) -> None:
    """From now on this browser is known to ``user``'s account."""
    known = _read(request)
    mine = dict(known).get(user.pk) or secrets.token_urlsafe(12)
    people = [[user.pk, mine], *([pk, name] for pk, name in known if pk != user.pk)][:PEOPLE]
    response.set_cookie(
        NAME,
        signing.dumps(people, salt=_SALT),
        max_age=AGE,
        httponly=True,
        samesite="Strict",
    )


def _read(request: HttpRequest) -> list[tuple[int, str]]:
    try:
        people = signing.loads(request.COOKIES.get(NAME, ""), salt=_SALT, max_age=AGE)
        return [(int(pk), str(name)) for pk, name in people]
    except (signing.BadSignature, TypeError, ValueError):
        return []
