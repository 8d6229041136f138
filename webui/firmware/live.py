"""The firmware at this moment, pushed to the page while somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.template.loader import render_to_string

import station as running
from station.live.payloads import FirmwareLive, StationLive
from webui import installer_words
from webui.dashboard.fragments import moment
from webui.pieces import marked

NOW = "firmware-now"


def now(station: StationLive) -> str:
    """What runs, and how far an update is."""
    return paint(station.firmware_version, station.firmware)


def paint(version: str = "", update: FirmwareLive | None = None) -> str:
    """The same from what is known where the station has said nothing yet."""
    context: dict[str, Any] = {"version": version or running.__version__, "update": update}
    if update is not None:
        context |= {
            "phase": installer_words.phase(update.phase),
            "until": moment(update.waits_until),
            "part": min(100, 100 * update.moved // update.total) if update.total else None,
        }
    return marked(NOW, render_to_string("firmware/_now.html", context))


PIECES: Mapping[str, Callable[[StationLive], str]] = {NOW: now}
