"""Where a request comes from."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def origin_of(request: HttpRequest) -> str:
    """The address that the request came from. No header is believed: nothing of ours stands in front."""
    return str(request.META.get("REMOTE_ADDR") or "")


def came_from(request: HttpRequest) -> str:
    """The page of ours from which a form was sent, as path and query; the overview where it is not known."""
    told = request.headers.get("Referer", "")
    if not told or not url_has_allowed_host_and_scheme(told, {request.get_host()}):
        return "/"
    parts = urlsplit(told)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def origin_of_scope(scope: Mapping[str, Any]) -> str:
    """The same of a WebSocket."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def site(origin: str) -> str:
    """One host, or with IPv6, where a host has as many addresses as it likes, one network."""
    address = _parsed(origin)
    if address is None or address.version == 4:
        return origin if address is None else str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _parsed(origin: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(origin.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
