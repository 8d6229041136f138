"""The connection at this moment, pushed to the page while somebody looks at it."""

from __future__ import annotations

from django.template.loader import render_to_string

from station.live.payloads import StationLive
from webui import words
from webui.network.doctor import Diagnosis, read
from webui.pieces import marked

NOW, DOCTOR = "network-now", "network-doctor"


def pieces(station: StationLive) -> dict[str, str]:
    """By id, each with its mark. The doctor's is left as it is where nobody asked lately."""
    found = {NOW: now(station)}
    if station.diagnosis is not None:
        found[DOCTOR] = doctor(read(station.diagnosis))
    return found


def doctor(diagnosis: Diagnosis | None) -> str:
    """What the connection doctor found."""
    return marked(DOCTOR, render_to_string("network/_doctor.html", {"diagnosis": diagnosis}))


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
