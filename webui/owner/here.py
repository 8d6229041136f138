"""The owner's settings and the station's time zone, as every page needs them: from memory, and never old for long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from django.utils import timezone

from station.store.models import Variable
from webui.owner.models import Settings

T = TypeVar("T")

FRESH = 10.0  # s; the uplink writes the time zone, and nobody tells the web server


class Kept(Generic[T]):
    """A value that is looked up at most every ``FRESH`` seconds, or after ``forget``."""

    def __init__(self, look_up: Callable[[], T]) -> None:
        self._look_up = look_up
        self._found: tuple[float, T] | None = None

    def __call__(self) -> T:
        """The value; looks into the database where it is old, so never on an event loop."""
        if self._found is None or not self.is_fresh:
            self._found = time.monotonic(), self._look_up()
        return self._found[1]

    @property
    def is_fresh(self) -> bool:
        """Whether the database would not be asked now."""
        return self._found is not None and time.monotonic() - self._found[0] <= FRESH

    def last(self, default: T) -> T:
        """The value as last looked up, however old: for the event loop."""
        return self._found[1] if self._found else default

    def forget(self) -> None:
        self._found = None


def _settings() -> Settings:
    return Settings.objects.filter(pk=Settings.THE_ONE).first() or Settings(pk=Settings.THE_ONE)


def zone_name() -> str:
    """ClockCtrlr.TimeZone; empty where none is set."""
    rows = Variable.objects.filter(component="ClockCtrlr", variable="TimeZone", attribute="Actual")
    return rows.values_list("value", flat=True).first() or ""


def _zone() -> ZoneInfo:
    return zone_named(zone_name())


def zone_named(name: str) -> ZoneInfo:
    """The time zone, or the server's own (UTC) where the name is empty or no zone of this machine."""
    try:
        return ZoneInfo(name or timezone.get_default_timezone_name())
    except (ValueError, OSError, KeyError):  # what zoneinfo raises for a name that is none; a folder is an OSError
        return ZoneInfo("UTC")


settings = Kept(_settings)
zone = Kept(_zone)


def is_fresh() -> bool:
    """Whether nothing here would ask the database now."""
    return settings.is_fresh and zone.is_fresh


def forget() -> None:
    """After a change, and between tests."""
    settings.forget()
    zone.forget()
