"""Where the web interface can be reached from elsewhere, and so what there is to announce."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Protocol

HTTP, HTTPS = "_http._tcp.local.", "_https._tcp.local."


class Address(Protocol):
    """As ``project.environment.Address``."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Door:
    """A service type and port; ``address`` is empty where it listens on all addresses of the machine."""

    kind: str
    port: int
    address: str = ""


def doors(web: Address, web_tls: Address | None) -> tuple[Door, ...]:
    """What to announce of the sockets of the web server.

    Without TLS nothing: plain HTTP from elsewhere is refused, and where there is TLS it leads there.
    """
    if web_tls is None or _is_loopback(web_tls.host):
        return ()
    found = [Door(HTTPS, web_tls.port, _one(web_tls.host))]
    if not _is_loopback(web.host):
        found.append(Door(HTTP, web.port, _one(web.host)))
    return tuple(found)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _one(host: str) -> str:
    try:
        return "" if ipaddress.ip_address(host).is_unspecified else host
    except ValueError:
        return ""
