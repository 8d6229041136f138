"""The connection at this moment, pushed to the page while somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.template.loader import render_to_string

from station.live.payloads import StationLive
from webui import words
from webui.network.doctor import Diagnosis, read
from webui.pieces import marked

NOW, DOCTOR = "network-now", "network-doctor"


def now(station: StationLive) -> str:
    """The connection and, where there is one, the trial."""
    accepted = station.connected and station.registration == "Accepted"
    html = render_to_string(
        "network/_now.html",
        {
            "station": station,
            "link": words.registration(station.connected, station.registration),
            "tone": "good" if accepted else "bad" if not station.connected else "wait",
        },
    )
    return marked(NOW, html)


def doctor(diagnosis: Diagnosis | None) -> str:
    """What the connection doctor found."""
    return marked(DOCTOR, render_to_string("network/_doctor.html", {"diagnosis": diagnosis}))


def _doctor(station: StationLive) -> str:
    return "" if station.diagnosis is None else doctor(read(station.diagnosis))


PIECES: Mapping[str, Callable[[StationLive], str]] = {NOW: now, DOCTOR: _doctor}
