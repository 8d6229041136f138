"""What a new firmware must be able to do before it is started: load all of itself, and be a station."""

from __future__ import annotations

import ctypes
import importlib
import os
import random
import signal
from importlib import metadata
from pathlib import Path

import station
from station.firmware.slot_installer import PARENT
from station.project.environment import PROJECT
from station.project.supervisor import roster

# What children load when they run, and nothing loads before.
LATE = (
    "hardware.simulator.process",
    "station.csms.process",
    "station.project.asgi",
    "station.project.web_server",
    "station.transfers.firmware",
    "station.transfers.log_upload",
)


PR_SET_PDEATHSIG = 1  # prctl(2)


class SelfCheckFailed(Exception):
    """Why this code cannot run on this machine, in one line."""


def run() -> str:
    """The version of this code, when it has proved itself; raises SelfCheckFailed."""
    _end_with_parent()
    _requirements(PROJECT / "requirements.txt")
    for name in (*roster.SHARED, *LATE):
        try:
            importlib.import_module(name)
        except Exception as error:
            raise SelfCheckFailed(f"{name} cannot be loaded: {type(error).__name__}: {error}") from error
    _boots()
    return station.__version__


def _end_with_parent() -> None:
    """A power cut, or a kill of whoever installs, ends this, too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.environ.get(PARENT, str(os.getppid())) != str(os.getppid()):  # it died before the line above
        raise SelfCheckFailed("nobody waits for it any more")


def _requirements(path: Path) -> None:
    """The packages are the machine's; code that wants others would fail at some later time."""
    for line in path.read_text().splitlines():
        wanted, _, _ = line.partition("#")
        name, pinned, version = wanted.strip().partition("==")
        if not pinned:
            continue
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            raise SelfCheckFailed(f"it needs {name}, which is not installed") from None
        if found != version:
            raise SelfCheckFailed(f"it needs {name} {version}, and {found} is installed")


def _boots() -> None:
    from station.domain.events import Started
    from station.domain.memory import Memory
    from station.ocpp.station import Station
    from station.uplink.clock import system_clock

    try:
        Station(Memory(), evses=1, entropy=random.Random(0)).step(Started(), system_clock())  # noqa: S311
    except Exception as error:
        raise SelfCheckFailed(f"a station does not start: {type(error).__name__}: {error}") from error
