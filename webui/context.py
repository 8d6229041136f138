"""What every page of the web interface knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from webui.bench import client
from webui.keypad import offer

STATION_ROOMS = {  # the installer's rooms, by the name of an address: which of them it belongs to
    **dict.fromkeys(("network", "network-slot", "network-order", "network-credentials"), "network"),
    **dict.fromkeys(("certificates", "certificate-root", "certificate-own"), "certificates"),
    "firmware": "firmware",
    **dict.fromkeys(("device-model", "variable", "set-variable"), "device-model"),
}


def page(request: HttpRequest) -> dict[str, Any]:
    """Whether there is a bench or a key pad to link to, and which room is open."""
    match = request.resolver_match
    return {
        "has_bench": client.exists(),
        "has_keypad": offer.takes_key_codes,  # called where a page asks, which pieces of pages do not
        "station_room": STATION_ROOMS.get(match.url_name or "", "") if match else "",
        "room": match.url_name if match else "",
    }
