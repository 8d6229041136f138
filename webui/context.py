"""What every page of the web interface knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from webui.bench import client
from webui.keypad import offer

STATION_ROOMS = frozenset(
    {"network", "network-slot", "network-order", "network-credentials", "device-model", "variable", "set-variable"}
)


def page(request: HttpRequest) -> dict[str, Any]:
    """Whether there is a bench or a key pad to link to, and which room is open."""
    match = request.resolver_match
    return {
        "has_bench": client.exists(),
        "has_keypad": offer.takes_key_codes,  # called where a page asks, which pieces of pages do not
        "in_station": match is not None and match.url_name in STATION_ROOMS,
        "room": match.url_name if match else "",
    }
