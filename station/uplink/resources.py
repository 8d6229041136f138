"""How full the machine's disk and memory are: MemoryExhaustion is told while there is still room to tell it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from station.domain.events import SecurityObserved

LOOK = 60.0  # s between two looks
SHARE = 0.05  # of the whole that is to be free, but
DISK_ENOUGH, MEMORY_ENOUGH = 200_000_000, 64_000_000  # bytes free that are enough in any case
BETTER = 1.5  # times as much free as where it got tight: it may be told anew

Room = tuple[int, int]  # bytes free, bytes in all


class ResourceWatch:
    """Tells ``offer`` once when the disk of ``data`` or the memory gets full, and again only after it was better."""

    def __init__(
        self,
        data: Path,
        offer: Callable[[SecurityObserved], None],
        *,
        disk: Callable[[Path], Room] | None = None,
        memory: Callable[[], Room] | None = None,
    ) -> None:
        self._offer = offer
        disk = disk or disk_room
        self._rooms: dict[str, tuple[Callable[[], Room], int]] = {
            "disk": (lambda: disk(data), DISK_ENOUGH),
            "memory": (memory or memory_room, MEMORY_ENOUGH),
        }
        self._tight: set[str] = set()

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await sleep(LOOK)

    def look(self) -> None:
        """One look at both; what cannot be read says nothing."""
        for name, (room, enough) in self._rooms.items():
            try:
                free, whole = room()
            except (OSError, ValueError, KeyError, IndexError):
                continue
            limit = min(whole * SHARE, enough)
            if free < limit and name not in self._tight:
                self._tight.add(name)
                told = f"{name}: {free // 1_000_000} MB of {whole // 1_000_000} MB are free"
                self._offer(SecurityObserved("MemoryExhaustion", told))
            elif free > limit * BETTER:
                self._tight.discard(name)


def disk_room(data: Path) -> Room:
    """Of the file system that holds the data folder; raises OSError."""
    status = os.statvfs(data)
    return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize


def memory_room(path: Path = Path("/proc/meminfo")) -> Room:
    """What programs may still take, as the kernel reckons; raises OSError, ValueError, KeyError or IndexError."""
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024, int(lines["MemTotal"].split()[0]) * 1024
