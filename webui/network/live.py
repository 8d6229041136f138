"""The connection at this moment, pushed to the page while somebody looks at it."""

from __future__ import annotations

from django.template.loader import render_to_string

from station.live.payloads import StationLive
from webui import words
from webui.pieces import marked

NOW = "network-now"


def pieces(station: StationLive) -> dict[str, str]:
    """By id, each with its mark."""
    accepted = station.connected and station.registration == "Accepted"
    html = render_to_string(
        "network/_now.html",
        {
            "station": station,
            "link": words.registration(station.connected, station.registration),
            "tone": "good" if accepted else "bad" if not station.connected else "wait",
        },
    )
    return {NOW: marked(NOW, html)}
