"""Where somebody comes from: the station itself, its own local network, the VPN, or elsewhere.

Judged by the way that the answers take: a TCP connection comes about only with somebody who hears them, so nobody can
claim a place by the address that he writes on his packets, and no header of HTTP is believed at all.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from webui.access import netlink

log = logging.getLogger(__name__)

REMEMBERED = 2.0  # s that the list of interfaces is believed
WIREGUARD = "wireguard"
# RFC 1918, 3927, 4193. Python's is_private has more, among it what providers use between their customers.
PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7"))
)
LINK_LOCAL = ipaddress.ip_network("fe80::/10")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Place(StrEnum):
    """A kind of origin."""

    STATION = "station"
    LOCAL = "local"
    VPN = "vpn"
    ELSEWHERE = "elsewhere"

    @property
    def label(self) -> Any:
        return _LABELS[self]

    @property
    def about(self) -> Any:
        """What it means, in a sentence."""
        return _ABOUT[self]


_LABELS = {
    Place.STATION: _("the station itself"),
    Place.LOCAL: _("local network"),
    Place.VPN: _("VPN"),
    Place.ELSEWHERE: _("elsewhere"),
}
_ABOUT = {
    Place.STATION: _("A program or a terminal on the station, or an SSH tunnel into it."),
    Place.LOCAL: _("A network that the station is in itself, without a router between, and those named below."),
    Place.VPN: _("Through the station's own VPN."),
    Place.ELSEWHERE: _("Everything else: other networks behind a router, the internet."),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """``interface`` is the one that answers go out by; empty where that is of no interest."""

    place: Place
    address: str = ""
    interface: str = ""


@dataclass(frozen=True, slots=True)
class Kernel:
    """What ``judge`` asks: the interface of an index, and the way to a peer; a test gives its own."""

    link: Callable[[int], netlink.Link | None]
    route: Callable[[netlink.Address], netlink.Route | None] = netlink.route


class _Interfaces:
    """Asked on every request, and remembered for a moment; one that is new is looked for at once."""

    def __init__(self) -> None:
        self._found: dict[int, netlink.Link] = {}
        self._asked = float("-inf")

    def link(self, index: int) -> netlink.Link | None:
        now = time.monotonic()
        if now - self._asked > REMEMBERED or index not in self._found:
            self._found, self._asked = {link.index: link for link in netlink.links()}, now
        return self._found.get(index)


kernel = Kernel(_Interfaces().link)


def judge(address: str, sites: Iterable[Network] = (), own_vpn: str = "", machine: Kernel | None = None) -> Origin:
    """The origin behind the address of a connection's other end.

    ``sites`` are networks behind a router that count as local, ``own_vpn`` the name of the station's own VPN interface
    (one that another made counts as well, if it is WireGuard's). What cannot be found out is elsewhere.
    """
    machine = machine or kernel
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return Origin(Place.ELSEWHERE, address)
    peer = getattr(peer, "ipv4_mapped", None) or peer
    if peer.is_loopback:
        return Origin(Place.STATION, str(peer))
    try:
        way = machine.route(peer)
        link = machine.link(way.index) if way is not None else None
    except OSError as error:
        log.warning("cannot find out where %s is: %s", peer, error)
        way, link = None, None
    if way is not None and way.own:
        return Origin(Place.STATION, str(peer))
    if link is not None and (link.kind == WIREGUARD or (own_vpn and link.name == own_vpn)):
        return Origin(Place.VPN, str(peer), link.name)
    if link is not None and way is not None and way.direct and is_local(link):
        return Origin(Place.LOCAL, str(peer), link.name)
    if link is not None and any(peer.version == site.version and peer in site for site in sites):
        return Origin(Place.LOCAL, str(peer), link.name)
    return Origin(Place.ELSEWHERE, str(peer), link.name if link else "")


def is_local(link: netlink.Link) -> bool:
    """Whether those on the same wire are neighbours of the site.

    A line to a provider (PPP, a modem) is no local network, nor is one in which the station has public addresses only,
    as in a data centre. In a home with IPv6 it has both, and all addresses of that network are the home's.
    """
    if link.loopback or link.point_to_point:
        return False
    own = [address.ip for address in link.addresses if address.ip not in LINK_LOCAL]
    return not own or any(address in network for address in own for network in PRIVATE)


def address_of(source: Any) -> str:
    """The other end's address of a Django request, or of an ASGI scope. Forwarded headers are never looked at."""
    if isinstance(source, Mapping):
        client = source.get("client")
        return str(client[0]) if client else ""
    return str(source.META.get("REMOTE_ADDR") or "")
