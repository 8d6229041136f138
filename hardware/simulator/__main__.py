"""``python -m hardware.simulator``: a simulated board on its own, set up by the appliance's environment variables."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hardware.registers import MAX_EVSES
from hardware.simulator.process import run


def _address(name: str, default: str) -> tuple[str, int]:
    text = os.environ.get(name, default)
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        sys.exit(f"{name}: {text!r} is not host:port")
    return host.strip("[]"), int(port)


def _evses() -> int:
    text = os.environ.get("STATION_EVSES", "2")
    if not text.isdigit() or not 1 <= int(text) <= MAX_EVSES:
        sys.exit(f"STATION_EVSES: {text!r} is not a number from 1 to {MAX_EVSES}")
    return int(text)


def _announce(modbus: tuple[str, int], bench: tuple[str, int]) -> None:
    sys.stdout.write(f"modbus {modbus[0]}:{modbus[1]}\nbench {bench[0]}:{bench[1]}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run(
        Path(os.environ.get("STATION_DATA", "data")),
        _address("STATION_SIMULATOR", "127.0.0.1:5020"),
        _address("STATION_BENCH", "127.0.0.1:8020"),
        _evses(),
        sockets=os.environ.get("STATION_CABLES") == "detachable",
        ready=_announce,
    )
