"""Where somebody comes from."""

from __future__ import annotations

import ipaddress

import pytest
from django.test import RequestFactory

from tests.webui.access.machines import MACHINE, VPN_NAME, route
from webui.access import netlink
from webui.access.netlink import Link
from webui.access.origin import Kernel, Place, _Interfaces, address_of, is_local, judge

SITES = (ipaddress.ip_network("172.20.0.0/16"),)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.1", Place.STATION),
        ("127.3.2.1", Place.STATION),
        ("::1", Place.STATION),
        ("::ffff:127.0.0.1", Place.STATION),
        ("192.168.1.7", Place.STATION),  # its own address: a process on it
        ("192.168.1.20", Place.LOCAL),
        ("::ffff:192.168.1.20", Place.LOCAL),
        ("fe80::20%2", Place.LOCAL),
        ("fd12::20", Place.LOCAL),
        ("2001:db8:1::20", Place.LOCAL),  # a home with IPv6
        ("172.20.3.4", Place.LOCAL),  # behind a router, but named as the site's
        ("10.8.0.9", Place.VPN),
        ("203.0.113.20", Place.ELSEWHERE),  # a neighbour in a data centre
        ("10.200.0.2", Place.ELSEWHERE),  # the provider's end of a modem's line
        ("192.168.2.20", Place.ELSEWHERE),  # private, but behind a router
        ("198.51.100.4", Place.ELSEWHERE),
        ("2001:db8:2::1", Place.ELSEWHERE),
        ("", Place.ELSEWHERE),
        ("station", Place.ELSEWHERE),
        ("192.168.1.20, 127.0.0.1", Place.ELSEWHERE),
    ],
)
def test_places(address: str, place: Place) -> None:
    assert judge(address, SITES, VPN_NAME, MACHINE).place is place


def test_any_wireguard_is_a_vpn_and_no_other_tunnel() -> None:
    made = {kind: Kernel({5: Link(5, "x", kind)}.get, route) for kind in ("wireguard", "tun")}
    assert judge("10.8.0.9", (), VPN_NAME, made["wireguard"]).place is Place.VPN
    assert judge("10.8.0.9", (), "x", made["tun"]).place is Place.VPN
    assert judge("10.8.0.9", (), VPN_NAME, Kernel(lambda _: None, route)).place is Place.ELSEWHERE


def test_what_cannot_be_found_out_is_elsewhere() -> None:
    def broken(*_: object) -> None:
        raise OSError("no netlink here")

    assert judge("192.168.1.20", SITES, VPN_NAME, Kernel(broken, broken)).place is Place.ELSEWHERE
    assert judge("127.0.0.1", SITES, VPN_NAME, Kernel(broken, broken)).place is Place.STATION
    assert judge("192.168.1.20", SITES, VPN_NAME, Kernel(MACHINE.link, lambda _: None)).place is Place.ELSEWHERE


def test_an_interface_without_an_address_of_its_own_is_local() -> None:
    """A laptop on a cable, where nobody gives addresses."""
    assert is_local(Link(2, "eth0", addresses=(ipaddress.ip_interface("fe80::7/64"),)))


def test_no_header_is_believed() -> None:
    headers = {"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="198.51.100.4")
    assert address_of(request) == "198.51.100.4"
    raw = [(b"x-forwarded-for", b"127.0.0.1")]
    assert address_of({"client": ["198.51.100.4", 4], "headers": raw}) == "198.51.100.4"
    assert address_of({"client": None}) == ""


def test_the_kernel_of_this_machine_knows_itself() -> None:
    """The real thing: every machine has a loopback, and its own addresses lead to itself."""
    links = netlink.links()
    loopback = next(link for link in links if link.loopback)
    assert ipaddress.ip_interface("127.0.0.1/8") in loopback.addresses
    assert netlink.route(ipaddress.ip_address("127.0.0.1")) == netlink.Route(loopback.index, own=True, direct=True)
    real = Kernel(_Interfaces().link)
    for link in links:
        for address in link.addresses if link.up else ():
            assert judge(str(address.ip), machine=real).place is Place.STATION


def test_an_interface_that_is_new_is_known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [Link(1, "lo")]
    monkeypatch.setattr(netlink, "links", lambda: tuple(there))
    interfaces = _Interfaces()
    assert interfaces.link(5) is None
    there.append(Link(5, VPN_NAME))
    assert interfaces.link(5) == there[1]
