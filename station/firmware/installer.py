"""What installs a firmware: the interface, and how one is chosen.

An installer is given a file whose signature was verified. It prepares it beside what runs, so that the next start runs
it on trial, and never touches what runs. ``confirm`` makes the running firmware the good one. What is not confirmed
goes back by itself: see the installers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class InstallRefused(Exception):
    """The firmware is not fit to be installed (InstallVerificationFailed); the text says why, for a person."""


class InstallFailed(Exception):
    """It could not be installed (InstallationFailed); the text says why, for a person."""


@dataclass(frozen=True, slots=True)
class Order:
    """One installation: the file, the transfer it came with, and how long each start of it is on trial (s)."""

    file: Path
    installation: str
    patience: float


class Installer(Protocol):
    """What runs an update on this machine."""

    def install(self, order: Order) -> str:
        """Prepare it for the next start; returns its version. Raises InstallRefused or InstallFailed."""
        ...

    def confirm(self) -> None:
        """What runs now is good; doing so twice does no harm. Raises InstallFailed."""
        ...


def installer(kind: str, data: Path, version: str) -> Installer:
    """The installer of that kind (``STATION_INSTALLER``); ``version`` is what runs now."""
    if kind == "rauc":
        from station.firmware.rauc import RaucInstaller

        return RaucInstaller(data, version)
    from station.firmware.slot_installer import SlotInstaller

    return SlotInstaller(data, version)
