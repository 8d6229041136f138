"""Machines to be judged by: interfaces and routes as a test wants them."""

from __future__ import annotations

import ipaddress

from webui.access.netlink import Address, Link, Route
from webui.access.origin import Kernel

LAN, PUBLIC, MODEM, VPN, HOME = 2, 3, 4, 5, 6
VPN_NAME = "wg-test"
NETWORKS = {
    "192.168.1.0/24": (LAN, True),
    "203.0.113.0/24": (PUBLIC, True),
    "10.200.0.0/30": (MODEM, True),
    "10.8.0.0/24": (VPN, True),
    "2001:db8:1::/64": (HOME, True),
    "fd12::/64": (HOME, True),
    "fe80::/10": (LAN, True),
    "0.0.0.0/0": (PUBLIC, False),
    "::/0": (HOME, False),
}


def _addresses(*texts: str) -> tuple[ipaddress.IPv4Interface | ipaddress.IPv6Interface, ...]:
    return tuple(ipaddress.ip_interface(text) for text in texts)


LINKS = (
    Link(1, "lo", loopback=True, addresses=_addresses("127.0.0.1/8")),
    Link(LAN, "eth0", addresses=_addresses("192.168.1.7/24", "fe80::7/64")),
    Link(PUBLIC, "eth1", addresses=_addresses("203.0.113.7/24", "fe80::8/64")),
    Link(MODEM, "ppp0", point_to_point=True, addresses=_addresses("10.200.0.1/30")),
    Link(VPN, VPN_NAME, kind="tun", point_to_point=True, addresses=_addresses("10.8.0.2/24")),
    Link(HOME, "wlan0", addresses=_addresses("fd12::7/64", "2001:db8:1::7/64")),
)


def route(peer: Address) -> Route | None:
    """The longest prefix wins, as in a kernel."""
    if any(peer == address.ip for link in LINKS for address in link.addresses):
        return Route(1, own=True, direct=True)
    fitting = [
        (network.prefixlen, way)
        for text, way in NETWORKS.items()
        if (network := ipaddress.ip_network(text)).version == peer.version and peer in network
    ]
    index, direct = max(fitting)[1]
    return Route(index, direct=direct)


MACHINE = Kernel({link.index: link for link in LINKS}.get, route)
NEIGHBOUR, VPN_HOST, STRANGER, OWN = "192.168.1.20", "10.8.0.9", "198.51.100.4", "192.168.1.7"
