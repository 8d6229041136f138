"""Whether the process of the neighbourhood is wanted, as a small file that the supervisor may look at every second.

The settings are in the database, which the supervisor never opens. What it needs of them is written beside it whenever
they are saved; the process itself ends when that changes, and begins anew with other settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from station.store.secrets import write_private

NAME = "neighbours.json"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is switched on; as delivered, the announcement only."""

    mdns: bool = True
    mqtt: bool = False
    version: int = 0

    def wants(self, announceable: bool) -> bool:
        """Whether there is anything to do; ``announceable``: the web interface can be reached from elsewhere."""
        return self.mqtt or (self.mdns and announceable)


def read(data: Path) -> Wish:
    """The wish in that data folder; as delivered where there is none, or none that can be read."""
    try:
        told = json.loads((data / NAME).read_bytes())
        return Wish(bool(told["mdns"]), bool(told["mqtt"]), int(told["version"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Wish()


def write(data: Path, wish: Wish) -> None:
    """Keep it; raises OSError."""
    told = {"mdns": wish.mdns, "mqtt": wish.mqtt, "version": wish.version}
    write_private(data / NAME, json.dumps(told).encode())


def watch(data: Path, announceable: bool) -> Callable[[], bool]:
    """A function that says whether the process is wanted; it reads the file only when that has changed."""
    seen: tuple[int, int, int] | None = None
    wanted = Wish().wants(announceable)

    def look() -> bool:
        nonlocal seen, wanted
        try:
            status = (data / NAME).stat()
            now = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            now = (0, 0, 0)
        if now != seen:
            seen, wanted = now, read(data).wants(announceable)
        return wanted

    return look
