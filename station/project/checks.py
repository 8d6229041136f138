"""System checks: what would only show much later if a setting were changed without thought."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register


@register()
def sqlite_keeps_commits(**_: Any) -> list[CheckMessage]:
    """A lost commit is a lost transaction, and a deferred transaction fails when two processes write."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] != "django.db.backends.sqlite3":
        return []
    options = database.get("OPTIONS", {})
    found: list[CheckMessage] = []
    if options.get("transaction_mode") != "IMMEDIATE":
        found.append(Error("SQLite must run with transaction_mode IMMEDIATE.", id="station.E001"))
    if "synchronous=FULL" not in options.get("init_command", ""):
        found.append(Error("SQLite must run with synchronous FULL.", id="station.E002"))
    return found


@register()
def processes_stay_lean(**_: Any) -> list[CheckMessage]:
    """daphne as an app loads Twisted, 20 MB, into every process."""
    if "daphne" in settings.INSTALLED_APPS:
        return [Error("daphne must not be in INSTALLED_APPS; the web process imports it itself.", id="station.E003")]
    return []


@register()
def channel_layer_survives(**_: Any) -> list[CheckMessage]:
    """Only the pub/sub layer lives through a restart of Redis."""
    backend = settings.CHANNEL_LAYERS["default"]["BACKEND"]
    if backend != "station.project.channel_layer.StationChannelLayer" and "InMemory" not in backend:
        return [Error(f"{backend} does not survive a restart of Redis.", id="station.E004")]
    return []


@register()
def pages_are_guarded(**_: Any) -> list[CheckMessage]:
    """The headers must be the outermost layer, or answers of the other layers go out without them."""
    if not settings.MIDDLEWARE or settings.MIDDLEWARE[0] != "station.project.headers.SecurityHeaders":
        return [checks.Warning("SecurityHeaders is not the first middleware.", id="station.W001")]
    return []
