"""Under which addresses this machine is known: what the operating system says of its network interfaces."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

_SIOCGIFADDR = 0x8915  # netdevice(7)
_INET6 = Path("/proc/net/if_inet6")
_SYS = Path("/sys/class/net")


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface that is up. ``mac`` is empty where it has none."""

    name: str
    addresses: tuple[str, ...]
    mac: str = ""


def interfaces() -> list[Interface]:
    """All with an address but the loopback."""
    six = _six()
    found = []
    for _index, name in socket.if_nameindex():
        addresses = tuple(one for one in [_four(name), *six.get(name, [])] if one)
        if addresses and not all(ipaddress.ip_address(one).is_loopback for one in addresses):
            found.append(Interface(name, addresses, _mac(name)))
    return found


def host_name() -> str:
    """The machine's own name."""
    return socket.gethostname()


def _four(name: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            told = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        except OSError:
            return ""  # it has none
    return socket.inet_ntoa(told[20:24])


def _six() -> dict[str, list[str]]:
    """Those that work beyond the cable."""
    found: dict[str, list[str]] = {}
    try:
        lines = _INET6.read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        parts = line.split()
        if len(parts) == 6:
            address = ipaddress.IPv6Address(int(parts[0], 16))
            if not (address.is_link_local or address.is_loopback):
                found.setdefault(parts[5], []).append(str(address))
    return found


def _mac(name: str) -> str:
    try:
        told = (_SYS / name / "address").read_text().strip()
    except OSError:
        return ""
    return "" if told in ("", "00:00:00:00:00:00") else told
