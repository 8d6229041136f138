"""The station's web interface in the local network's own directory (mDNS and DNS-SD, RFC 6762 and RFC 6763)."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Callable, Sequence

import ifaddr
from zeroconf import InterfaceChoice, IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from webui.neighbourhood.doors import Door

log = logging.getLogger(__name__)

LOOK = 30.0  # s between two looks at the machine's addresses
AGAIN = 60.0  # s after a failure


def addresses() -> list[str]:
    """The addresses of this machine that others can reach, IPv4 and IPv6."""
    found = []
    for adapter in ifaddr.get_adapters():
        for one in adapter.ips:
            text = str(one.ip if one.is_IPv4 else one.ip[0])
            if not text.startswith(("127.", "169.254.")) and text != "::1" and not text.lower().startswith("fe80:"):
                found.append(text)
    return sorted(found)


def host_name(name: str) -> str:
    """A host name under ``.local`` made of the station's name: letters, digits and hyphens."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-")
    return f"{label or 'charging-station'}.local."


def infos(name: str, doors: Sequence[Door], reachable: Sequence[str], version: str = "") -> list[ServiceInfo]:
    """What is announced. A name of more than 60 bytes is cut: a label of DNS has room for 63."""
    label = name.replace(".", " ").encode()[:60].decode(errors="ignore").strip() or "Charging station"
    return [
        ServiceInfo(
            door.kind,
            f"{label}.{door.kind}",
            port=door.port,
            parsed_addresses=[door.address] if door.address else list(reachable),
            properties={"path": "/", "product": "charging station", "api": "/api/v1/", "version": version},
            server=host_name(name),
        )
        for door in doors
    ]


async def announce(
    name: str,
    doors: Sequence[Door],
    *,
    interfaces: Sequence[str] | InterfaceChoice = InterfaceChoice.Default,
    reachable: Callable[[], list[str]] = addresses,
    look: float = LOOK,
    again: float = AGAIN,
) -> None:
    """Announce until cancelled, anew where the machine's addresses have changed; then say goodbye."""
    failed = ""
    while True:
        here = reachable()
        try:
            if here:
                await _while_the_same(name, doors, here, interfaces=interfaces, reachable=reachable, look=look)
                failed = ""
            else:
                await asyncio.sleep(look)
        except (OSError, ValueError) as error:
            if str(error) != failed:  # said once, not with every attempt
                log.warning("mDNS: the station cannot be announced: %s", error)
            failed = str(error)
            await asyncio.sleep(again)


async def _while_the_same(
    name: str,
    doors: Sequence[Door],
    here: list[str],
    *,
    interfaces: Sequence[str] | InterfaceChoice,
    reachable: Callable[[], list[str]],
    look: float,
) -> None:
    chosen = list(interfaces) if not isinstance(interfaces, InterfaceChoice) else interfaces
    directory = AsyncZeroconf(interfaces=chosen, ip_version=IPVersion.V4Only)
    try:
        for info in infos(name, doors, here):
            # Where somebody else has the name, this one is told apart by a number (RFC 6762, 9).
            await (await directory.async_register_service(info, allow_name_change=True))
            log.info("mDNS: announced as %s at port %d", info.name, info.port)
        while reachable() == here:  # noqa: ASYNC110 - nobody tells when an address changes
            await asyncio.sleep(look)
    finally:
        await directory.async_unregister_all_services()
        await directory.async_close()


def host() -> str:
    """What the machine calls itself."""
    return socket.gethostname() or "charging-station"
