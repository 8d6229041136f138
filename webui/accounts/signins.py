"""The browsers that a person is logged in with: noted, shown, ended."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from webui.accounts.models import SignIn
from webui.accounts.origin import origin_of

NOTED_EVERY = timedelta(minutes=10)  # how fresh "last seen" is on the flash
_REMEMBERED = 500

_BROWSERS = (
    ("Edge", r"\bEdgA?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/"),
    ("Chrome", r"\b(?:Chrome|CriOS|HeadlessChrome)/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac", "Mac OS X|Macintosh"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux"),
)

_noted: dict[str, datetime] = {}  # by session, when it was last written that somebody was seen


def begin(request: HttpRequest, user: Any) -> None:
    """Note a login that has just been made."""
    now = timezone.now()
    with transaction.atomic():
        _closed().filter(user=user).delete()
        SignIn.objects.update_or_create(
            session_key=request.session.session_key,
            defaults={
                "user": user,
                "address": origin_of(request)[:64],
                "browser": browser_of(request.headers.get("User-Agent", "")),
                "began": now,
                "seen": now,
            },
        )


def seen(request: HttpRequest, now: datetime | None = None) -> None:
    """Note that somebody who is logged in has asked for something; written at most every ten minutes."""
    key, now = request.session.session_key or "", now or timezone.now()
    if len(_noted) >= _REMEMBERED:
        _noted.clear()
    if abs(now - _noted.setdefault(key, now)) >= NOTED_EVERY:
        _noted[key] = now
        SignIn.objects.filter(session_key=key).update(seen=now, address=origin_of(request)[:64])


def moved(request: HttpRequest, old_key: str) -> None:
    """The session has been given another key (as it is with a new password)."""
    SignIn.objects.filter(session_key=old_key).update(session_key=request.session.session_key)


def open_of(user: Any) -> list[SignIn]:
    """Those that are open, last seen first."""
    return list(SignIn.objects.filter(user=user, session_key__in=_alive()))


def end(rows: QuerySet[SignIn]) -> int:
    """End these logins at once; how many were open. What is open in those browsers closes within seconds."""
    with transaction.atomic():
        keys = list(rows.values_list("session_key", flat=True))
        Session.objects.filter(session_key__in=keys).delete()
        return rows.filter(session_key__in=keys).delete()[0]


def end_all(user: Any, but: str | None = None) -> int:
    """End all of ``user``'s logins, except the session ``but``."""
    return end(SignIn.objects.filter(user=user).exclude(session_key=but or ""))


def browser_of(told: str) -> str:
    """``Firefox · Android`` of what a browser says of itself; empty where it says nothing that is known."""
    name = next((name for name, sign in _BROWSERS if re.search(sign, told)), "")
    system = next((name for name, sign in _SYSTEMS if re.search(sign, told)), "")
    return " · ".join(part for part in (name, system) if part)


def _alive() -> QuerySet[Any, Any]:
    return Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")


def _closed() -> QuerySet[SignIn]:
    return SignIn.objects.exclude(session_key__in=_alive())
