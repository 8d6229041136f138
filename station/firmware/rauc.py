"""The installer of real devices: RAUC, which writes whole system images into two slots of the machine.

A bundle carries a signature of its own, which RAUC verifies by its keyring, besides that of OCPP. Which slot boots, how
often, and when the bootloader falls back is RAUC's and the bootloader's; the station says ``mark-good`` once the CSMS
has accepted it, and ``mark-bad`` where it gives up. What it remembers between two boots is ``firmware/rauc.json``. See
``docs/firmware.md``; tried with RAUC 1.8 of Debian 12.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from station.domain.firmware import RunningFirmware
from station.domain.versions import is_version, older
from station.firmware.installer import InstallFailed, InstallRefused, Order
from station.firmware.slots import folder, sync_folder

log = logging.getLogger(__name__)

STATE = "rauc.json"
FORMAT = 1
REBOOT = "STATION_REBOOT"  # the command that boots the machine anew
DEFAULT_REBOOT = "systemctl reboot"
QUICK, LONG = 30.0, 1700.0  # s for a question, and for an installation
COMMAND = ("rauc",)


@dataclass(frozen=True, slots=True)
class Trial:
    """A bundle: from which slot and in which boot it was ordered, whether it is installed, and what came of it."""

    installation: str
    version: str
    before: str  # the slot that ran then
    boot_id: str  # of the boot that ran then
    patience: float
    installed: bool = False
    confirmed: bool = False
    failed: str = ""  # why it was given up


class Rauc:
    """The program and the state. ``boot_id`` is different for every boot of the machine."""

    def __init__(self, data: Path, command: Sequence[str] = COMMAND, boot_id: Callable[[], str] | None = None) -> None:
        self._data = data
        self._command = command
        self.boot_id = boot_id or _boot_id

    def run(self, *arguments: str, seconds: float = QUICK) -> str:
        """What the program prints; raises InstallFailed with its last words."""
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and the only argument from outside is a path of ours
                [*self._command, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise InstallFailed(f"rauc {arguments[0]} takes longer than {seconds:.0f} s") from None
        except OSError as error:
            raise InstallFailed(f"rauc cannot be run: {error.strerror or error}") from error
        if done.returncode != 0:
            said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise InstallFailed(f"rauc {arguments[0]}: {(said or ['it says nothing'])[-1][:300]}")
        return done.stdout

    def ask(self, *arguments: str) -> dict[str, Any]:
        """What the program answers as JSON; raises InstallFailed."""
        text = self.run(*arguments, "--output-format=json")
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise InstallFailed(f"rauc {arguments[0]} answers something else than JSON")
        return found

    def booted(self) -> str:
        """The slot that runs, by its bootname; raises InstallFailed."""
        return str(self.ask("status").get("booted") or "")

    def load(self) -> Trial | None:
        """The bundle that was installed last; None where there was none, or where nothing can be read."""
        try:
            found = json.loads((folder(self._data) / STATE).read_text())
            return Trial(**found["trial"]) if found["format"] == FORMAT else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def save(self, trial: Trial) -> None:
        """Replace it, so that it lasts; raises OSError."""
        place = folder(self._data)
        place.mkdir(mode=0o700, exist_ok=True)
        part = place / f"{STATE}.part"
        with part.open("w") as file:
            json.dump({"format": FORMAT, "trial": asdict(trial)}, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place / STATE)
        sync_folder(place)


class RaucInstaller:
    """As ``Installer``; ``version`` is what runs."""

    def __init__(self, data: Path, version: str, rauc: Rauc | None = None) -> None:
        self._rauc = rauc or Rauc(data)
        self._version = version

    def install(self, order: Order) -> str:
        """As ``Installer.install``."""
        rauc = self._rauc
        try:
            told = rauc.ask("info", str(order.file))
        except InstallFailed as failed:
            raise InstallRefused(str(failed)) from None
        version = str(told.get("version") or "")
        if not is_version(version):
            raise InstallRefused(f"the bundle's version {version[:60]!a} is none")
        if older(version, self._version):
            raise InstallRefused(f"version {version} is older than {self._version}, which runs")
        trial = Trial(order.installation, version, rauc.booted(), rauc.boot_id(), order.patience)
        try:
            # Noted before RAUC switches, too: a power cut in between boots something that is known here.
            rauc.save(trial)
            rauc.run("install", str(order.file), seconds=LONG)
            rauc.save(_changed(trial, installed=True))
        except OSError as error:
            raise InstallFailed(error.strerror or str(error)) from error
        return version

    def confirm(self) -> None:
        """As ``Installer.confirm``."""
        rauc, trial = self._rauc, self._rauc.load()
        rauc.run("status", "mark-good")
        if trial is not None and not trial.confirmed:
            try:
                rauc.save(_changed(trial, confirmed=True))
            except OSError as error:
                raise InstallFailed(error.strerror or str(error)) from error


class RaucSwitch:
    """As ``Switch``: the machine boots anew."""

    def __init__(self, data: Path, version: str, rauc: Rauc | None = None) -> None:
        self._rauc = rauc or Rauc(data)
        self._version = version

    def running(self) -> RunningFirmware:
        trial = self._rauc.load()
        if trial is None:
            return RunningFirmware(self._version)
        if not self._rebooted(trial):
            return RunningFirmware(self._version, pending=trial.installation if trial.installed else "")
        is_new = self._is_new(trial)
        if not is_new and not trial.installed:
            return RunningFirmware(self._version)
        if trial.failed or not is_new:
            why = trial.failed or "the bootloader went back to the slot before it"
            return RunningFirmware(self._version, failed=trial.installation, why=why)
        return RunningFirmware(self._version, trial.installation)

    def pending(self) -> bool:
        trial = self._rauc.load()
        return trial is not None and trial.installed and not trial.confirmed and not self._rebooted(trial)

    def on_trial(self) -> float | None:
        trial = self._rauc.load()
        if trial is None or trial.confirmed or trial.failed or not self._rebooted(trial) or not self._is_new(trial):
            return None
        return trial.patience

    def give_up(self, why: str) -> None:
        trial = self._rauc.load()
        try:
            if trial is not None:
                self._rauc.save(_changed(trial, failed=why))
            self._rauc.run("status", "mark-bad", "booted")
        except (InstallFailed, OSError) as error:
            log.error("the firmware on trial could not be given up: %s", error)

    def restart(self) -> None:
        command = shlex.split(os.environ.get(REBOOT, "") or DEFAULT_REBOOT)
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, timeout=QUICK, check=True)  # noqa: S603 - the site's own
        except (OSError, subprocess.SubprocessError) as error:
            log.error("the machine could not be booted anew: %s", error)

    def _rebooted(self, trial: Trial) -> bool:
        return self._rauc.boot_id() != trial.boot_id

    def _is_new(self, trial: Trial) -> bool:
        try:
            return self._rauc.booted() != trial.before
        except InstallFailed as error:
            log.error("what runs is not known: %s", error)
            return False


def _changed(trial: Trial, **values: Any) -> Trial:
    return Trial(**{**asdict(trial), **values})


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
