"""What every page of the web interface knows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from webui.bench import client


def page(request: HttpRequest) -> dict[str, Any]:
    """Whether there is a bench to link to, and which room is open."""
    match = request.resolver_match
    return {"has_bench": client.exists(), "room": match.url_name if match else ""}
