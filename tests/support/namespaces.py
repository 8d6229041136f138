"""Network namespaces: several hosts on one machine, joined as a test wants it. Needs root, as CI has it.

Nothing of the machine's own network is touched. Each namespace has a name of this process's own, and is removed by it.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A host of its own. ``name`` is what ``ip netns`` calls it."""

    def __init__(self, role: str) -> None:
        self.name = f"st{os.getpid()}-{role}"
        if os.geteuid() != 0:
            raise AssertionError("hosts for tests are network namespaces, and only root may make them")
        _ip("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str) -> None:
        _ip("-n", self.name, *words)

    def command(self, *words: str) -> list[str]:
        """``words`` as they are run on this host."""
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, *words: str, text: str = "") -> str:
        done = subprocess.run(self.command(*words), input=text, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def do(self, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises, done on this host: its sockets are this host's."""
        outcome: dict[str, Any] = {}

        def there() -> None:
            try:
                with Path("/run/netns", self.name).open() as file:
                    if _libc.setns(file.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                outcome["result"] = work()
            except BaseException as error:
                outcome["error"] = error

        thread = threading.Thread(target=there)  # a thread has a network of its own, and takes it along when it ends
        thread.start()
        thread.join()
        if "error" in outcome:
            raise outcome["error"]
        return outcome["result"]  # type: ignore[no-any-return]

    def forward(self) -> None:
        """It is a router."""
        self.do(lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("1"))

    def remove(self) -> None:
        # A VPN in user space is a process that lives as long as its interface, and the namespace as long as it.
        shown = subprocess.run(["ip", "-n", self.name, "-j", "link"], capture_output=True, timeout=20, check=False)
        for link in json.loads(shown.stdout or "[]"):
            if link["ifname"].startswith("wg"):
                self.ip("link", "delete", link["ifname"])
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True, timeout=20, check=False)


def join(one: Namespace, one_has: str, other: Namespace, other_has: str) -> None:
    """A cable between two hosts; each end is named after the other host, and has an address like ``10.0.0.1/24``."""
    here, there = (f"to-{host.name.partition('-')[2]}" for host in (other, one))
    one.ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", other.name)
    for host, end, address in ((one, here, one_has), (other, there, other_has)):
        host.ip("address", "add", address, "dev", end)
        host.ip("link", "set", end, "up")


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr.strip()}"
