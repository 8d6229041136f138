"""What the kernel knows of interfaces, addresses and routes, asked over netlink (rtnetlink(7)); needs no right.

No package for it: these are three questions, and the web server has no memory to spare.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface

PATIENCE = 1.0  # s; the kernel answers at once
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
_ADDRESS = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, index
_ROUTE = struct.Struct("=BBBBBBBBI")  # rtmsg: family, lengths, tos, table, protocol, scope, type, flags
_ATTRIBUTE = struct.Struct("=HH")  # rtattr: length, type

_ERROR, _DONE = 2, 3
_GETLINK, _GETADDR, _GETROUTE = 18, 22, 26
_REQUEST, _DUMP = 1, 0x300
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_INFO_KIND = 3, 18, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_VIA = 1, 4, 5, 18
_RTN_UNICAST, _RTN_LOCAL = 1, 2
_TEMPORARY = 0x1
_UP, _LOOPBACK, _POINTOPOINT = 0x1, 0x8, 0x10


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface. ``kind`` is what made it (``wireguard``, ``bridge``, ``veth`` …), empty for hardware."""

    index: int
    name: str
    kind: str = ""
    up: bool = True
    loopback: bool = False
    point_to_point: bool = False
    addresses: tuple[Interface, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a peer. ``own``: it is this machine itself; ``direct``: no gateway lies between."""

    index: int
    own: bool = False
    direct: bool = False


def links() -> tuple[Link, ...]:
    """All interfaces with their addresses; raises OSError."""
    addresses: dict[int, list[Interface]] = {}
    for body in _ask(_GETADDR, _DUMP, _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
        family, prefix, flags, _, index = _ADDRESS.unpack_from(body)
        if family == socket.AF_INET6 and flags & _TEMPORARY:  # another one tomorrow, in the same network
            continue
        found = dict(_attributes(body[_ADDRESS.size :]))
        packed = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
        if packed:
            addresses.setdefault(index, []).append(ipaddress.ip_interface((packed, prefix)))
    answer = []
    for body in _ask(_GETLINK, _DUMP, _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
        _, _, index, flags, _ = _LINK.unpack_from(body)
        found = dict(_attributes(body[_LINK.size :]))
        info = dict(_attributes(found.get(_IFLA_LINKINFO, b"")))
        answer.append(
            Link(
                index,
                _text(found.get(_IFLA_IFNAME, b"")),
                _text(info.get(_IFLA_INFO_KIND, b"")),
                up=bool(flags & _UP),
                loopback=bool(flags & _LOOPBACK),
                point_to_point=bool(flags & _POINTOPOINT),
                addresses=tuple(addresses.get(index, ())),
            )
        )
    return tuple(answer)


def route(peer: Address) -> Route | None:
    """The way that answers to ``peer`` go; None: there is none. Raises OSError."""
    family = socket.AF_INET if peer.version == 4 else socket.AF_INET6
    attributes = _attribute(_RTA_DST, peer.packed)
    zone = getattr(peer, "scope_id", None)
    if zone:
        attributes += _attribute(
            _RTA_OIF, struct.pack("=I", int(zone) if zone.isdigit() else socket.if_nametoindex(zone))
        )
    question = _ROUTE.pack(family, peer.max_prefixlen, 0, 0, 0, 0, 0, 0, 0) + attributes
    try:
        for body in _ask(_GETROUTE, 0, question):
            kind = _ROUTE.unpack_from(body)[7]
            found = dict(_attributes(body[_ROUTE.size :]))
            index = struct.unpack("=I", found[_RTA_OIF])[0] if _RTA_OIF in found else 0
            if kind == _RTN_LOCAL:
                return Route(index, own=True, direct=True)
            if kind == _RTN_UNICAST and index:
                return Route(index, direct=_RTA_GATEWAY not in found and _RTA_VIA not in found)
    except _Refused:
        pass
    return None


class _Refused(OSError):
    """The kernel's own no: no route, no such interface."""


def _ask(kind: int, flags: int, body: bytes) -> Iterator[bytes]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as line:  # type: ignore[attr-defined]
        line.settimeout(PATIENCE)
        line.bind((0, 0))
        line.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | flags, 1, 0) + body)
        while True:
            data = line.recv(65536)
            at = 0
            while at + _HEADER.size <= len(data):
                length, found, _, _, _ = _HEADER.unpack_from(data, at)
                content = data[at + _HEADER.size : at + length]
                if found == _DONE:
                    return
                if found == _ERROR:
                    number = -int(struct.unpack_from("=i", content)[0])
                    raise _Refused(number, "the kernel refused")
                yield content
                at += max(_HEADER.size, (length + 3) & ~3)
            if not flags & _DUMP:
                return


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3


def _attribute(kind: int, content: bytes) -> bytes:
    padding = b"\0" * (-len(content) % 4)
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(content), kind) + content + padding


def _text(name: bytes) -> str:
    return name.rstrip(b"\0").decode(errors="replace")
