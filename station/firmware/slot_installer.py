"""The default installer: the station's code in one of two slots under ``STATION_DATA``; see ``slots``.

Until the one rename that puts the new slot on trial, nothing that is written can be started; from then on all of it is
on the disk. So power may go at any point.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from station.domain.versions import older
from station.firmware import image, launcher, slots
from station.firmware.image import ImageInvalid, Manifest
from station.firmware.installer import InstallFailed, InstallRefused, Order

SELF_CHECK_LIMIT = 180.0  # s
PARENT = "STATION_CHECKED_BY"  # the pid of who asks for the self-check
SPARE = 32 * 1024 * 1024  # bytes that must stay free: the database goes on
COMPILED = 1.5  # what the code takes once Python has compiled it, as a multiple

SelfCheck = Callable[[Path], str]
Write = Callable[[Path, bytes], None]


class SlotInstaller:
    """``version`` is what runs, from ``slot``. ``self_check`` asks new code for its version, by running it."""

    def __init__(
        self,
        data: Path,
        version: str,
        slot: str | None = None,
        self_check: SelfCheck | None = None,
        write: Write = image.write_lasting,
        sync: Callable[[], None] = os.sync,
    ) -> None:
        self._data = data
        self._version = version
        self._slot = slot or os.environ.get(launcher.SLOT, slots.FACTORY)
        self._self_check = self_check or run_self_check
        self._write = write
        self._sync = sync

    def install(self, order: Order) -> str:
        """As ``Installer.install``."""
        slot = slots.free_slot(self._data, self._slot)
        if slot is None:
            raise InstallFailed("another firmware is still on trial")
        place = slots.folder(self._data) / slot
        try:
            manifest = image.manifest_of(order.file)
            self._check(manifest)
            place.parent.mkdir(mode=0o700, exist_ok=True)
            slots.forget(self._data, slot)
            _remove(place)
            image.unpack(order.file, place, self._write)
            slots.sync_folder(place.parent)
            self._prove(place, manifest)
            self._sync()  # what Python compiled in the self-check, too: half a file of it would stop the start
            installed = slots.Installed(order.installation, manifest.version)
            slots.begin_trial(self._data, slot, installed, order.patience)
        except ImageInvalid as error:
            _remove(place)
            raise InstallRefused(str(error)) from None
        except InstallRefused:
            _remove(place)
            raise
        except OSError as error:
            _remove(place)
            raise InstallFailed(error.strerror or str(error)) from error
        return manifest.version

    def _check(self, manifest: Manifest) -> None:
        if older(manifest.version, self._version):
            raise InstallRefused(f"version {manifest.version} is older than {self._version}, which runs")
        free = shutil.disk_usage(self._data).free
        if free < manifest.size * (1 + COMPILED) + SPARE:
            raise OSError(f"the disk is full: {free} bytes are free, and {manifest.size} are to be unpacked")

    def _prove(self, place: Path, manifest: Manifest) -> None:
        if problem := next(slots.flaws(place), None):
            raise OSError(f"what was written cannot be read back: {problem}")
        says = self._self_check(place)
        if says != manifest.version:
            raise InstallRefused(f"it says that it is version {says[:60]!a}, and its manifest {manifest.version}")

    def confirm(self) -> None:
        """As ``Installer.confirm``."""
        try:
            slots.confirm(self._data, self._slot)
        except OSError as error:
            raise InstallFailed(error.strerror or str(error)) from error


def run_self_check(place: Path) -> str:
    """Have the code in ``place`` load all of itself in a process of its own; returns the version that it says.

    Raises InstallRefused where it cannot, OSError where no process can be made.
    """
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".check-") as data:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STATION_")}
        environment |= {"STATION_DATA": data, launcher.SLOT: place.name, PARENT: str(os.getpid())}
        environment.pop("DATABASE_URL", None)
        command = [sys.executable, str(place / "manage.py"), "firmware", "check"]
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter; the code is signed by the manufacturer
                command,
                cwd=place,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SELF_CHECK_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise InstallRefused(f"its self-check takes longer than {SELF_CHECK_LIMIT:.0f} s") from None
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise InstallRefused(f"its self-check fails: {(said or ['it says nothing'])[-1][:200]}")
    try:
        return str(json.loads(done.stdout.splitlines()[-1])["version"])
    except (ValueError, KeyError, IndexError, TypeError):
        raise InstallRefused("its self-check does not say a version") from None


def _remove(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)  # where that fails, mkdir says so
