"""Host names without a name server."""

from __future__ import annotations

import socket
from typing import Any

import pytest

HOST = "one.csms.test"


def every_name_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names below ``.test`` lead to the loopback address."""
    resolve = socket.getaddrinfo

    def answer(host: Any, *arguments: Any, **options: Any) -> Any:
        known = isinstance(host, str) and host.lower().rstrip(".").endswith("test")
        return resolve("127.0.0.1" if known else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
