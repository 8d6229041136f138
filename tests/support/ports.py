"""Free ports, for processes that must be told one beforehand."""

from __future__ import annotations

import socket

_given: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free now and was not given out before in this run."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port
