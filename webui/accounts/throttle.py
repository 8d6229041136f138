"""Who may try a password now: after some wrong ones, their address has to wait, and longer each time."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FAILURES = 5  # wrong passwords from one address until it is locked out
FORGOTTEN = 900.0  # s after the last of them
FIRST_LOCK, LONGEST_LOCK = 60.0, 900.0  # s
ADDRESSES = 256  # that are remembered


@dataclass(slots=True)
class _Tries:
    failures: int = 0
    locks: int = 0
    last: float = 0.0
    until: float = 0.0


class Throttle:
    """Kept in memory only: the web server is one process, and a restart of it is no way in."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def locked_for(self, origin: str) -> float:
        """Seconds until that address may try again; 0: now."""
        tries = self._tries.get(_site(origin))
        return max(0.0, tries.until - self._clock()) if tries else 0.0

    def failed(self, origin: str) -> float:
        """A wrong password; returns for how many seconds the address is locked out by it, 0: not yet."""
        now, site = self._clock(), _site(origin)
        tries = self._tries.setdefault(site, _Tries())
        self._tries.move_to_end(site)
        if now - max(tries.last, tries.until) > FORGOTTEN:
            tries.failures = tries.locks = 0
        tries.last = now
        tries.failures += 1
        while len(self._tries) > ADDRESSES:
            self._tries.popitem(last=False)
        if tries.failures < FAILURES:
            return 0.0
        lock = min(FIRST_LOCK * 2**tries.locks, LONGEST_LOCK)
        tries.failures, tries.locks, tries.until = 0, min(tries.locks + 1, 10), now + lock
        return lock

    def succeeded(self, origin: str) -> None:
        """The right password: all is forgiven."""
        self._tries.pop(_site(origin), None)

    def forget(self) -> None:
        """Nobody has tried anything."""
        self._tries.clear()


def _site(origin: str) -> str:
    """One host, or with IPv6, where a host has as many addresses as it likes, one network."""
    try:
        address = ipaddress.ip_address(origin)
    except ValueError:
        return origin
    if address.version == 4 or address.ipv4_mapped:
        return origin
    return str(ipaddress.ip_network((address, 64), strict=False))


throttle = Throttle()
