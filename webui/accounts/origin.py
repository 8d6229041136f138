"""Where a request comes from."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

# Loopback, link-local (RFC 3927, 4291), private (RFC 1918, 4193). Not the carriers' 100.64.0.0/10: strangers share it.
_NEAR = tuple(
    map(
        ipaddress.ip_network,
        (
            *("127.0.0.0/8", "169.254.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
            *("::1/128", "fe80::/10", "fc00::/7"),
        ),
    )
)


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


def is_near(origin: str) -> bool:
    """Whether the address is one that the internet does not carry: this host, or a network on site or behind a VPN."""
    address = _parsed(origin)
    return address is not None and any(address in network for network in _NEAR if network.version == address.version)


def _parsed(origin: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(origin.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
