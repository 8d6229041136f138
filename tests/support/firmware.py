"""Firmware in memory: a file server, and a transfer worker that verifies and installs with the station's own code.

What is simulated is the way there (the download takes its time, or fails) and what Python itself would say of the new
code; image, slots, trial and the choice of the next start are the real ones, in a temporary folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from station.domain.effects import StartTransfer
from station.domain.events import TransferReport
from station.domain.firmware import RunningFirmware, is_signed, signature_of
from station.firmware import image, slots
from station.firmware.installer import InstallRefused, Order
from station.firmware.slot_installer import SlotInstaller
from station.firmware.switch import SlotSwitch
from station.transfers.firmware import installed

FACTORY_VERSION = "0.1.0"
TAKES = 0.6  # s to download
INSTALLS = 1.0  # s
PROGRESS = 5.0  # s between two reports
BROKEN = b"def unfinished(:\n"


def small_image(folder: Path, version: str, *, broken: bool = False, files: int = 4) -> bytes:
    """A real image of a very small station."""
    source = folder / "source"
    for name in ("station/__init__.py", "station/firmware/slots.py", "manage.py", "hardware/board.py"):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('__version__ = "0"\n' if name == "station/__init__.py" else f'"""{name}"""\n')
    more = {f"webui/page{number}.py": f"PAGE = {number}\n".encode() for number in range(files)}
    target = folder / "image"
    image.pack(source, version, target, {**more, **({"hardware/board.py": BROKEN} if broken else {})})
    return target.read_bytes()


def self_check(place: Path) -> str:
    """What the real one finds out by running the code: whether it is Python, and its version."""
    for path in place.rglob("*.py"):
        try:
            compile(path.read_bytes(), path.name, "exec")
        except SyntaxError as error:
            raise InstallRefused(f"its self-check fails: {error}") from None
    found = re.search(r'__version__ = "(.*)"', (place / "station" / "__init__.py").read_text())
    assert found
    return found[1]


@dataclass
class HandFile:
    """What is at a URL. ``holds``: no byte of it comes until told otherwise."""

    content: bytes = b""
    failure: str = ""  # why it cannot be downloaded; empty: it can
    holds: bool = False


@dataclass
class HandFirmware:
    """Installs into ``folder``. ``files`` by URL; ``boot`` says what runs in the next life, as the launcher would."""

    folder: Path
    tell: Callable[[TransferReport], None]
    files: dict[str, HandFile] = field(default_factory=dict)
    slot: str = slots.FACTORY
    silent: bool = False  # an installation begins and nothing more is heard of it
    _running: tuple[StartTransfer, float, float] | None = None  # with when it began, and when it was last told

    def boot(self) -> RunningFirmware:
        """A start of the appliance."""
        self.slot, _ = slots.begin(self.folder)
        return SlotSwitch(self.folder, self.version, self.slot).running()

    @property
    def version(self) -> str:
        known = slots.load(self.folder).slots.get(self.slot)
        return known.version if known else FACTORY_VERSION

    @property
    def installer(self) -> SlotInstaller:
        return SlotInstaller(self.folder, self.version, self.slot, self_check, sync=lambda: None)

    def take(self, order: StartTransfer, now: float) -> None:
        if self._running is not None and self._running[0].transfer_id == order.transfer_id:
            return  # it is at it
        self._running = (order, now, now)
        first = {"download_firmware": "Downloading", "install_firmware": "Installing"}.get(order.task)
        if first:
            self._say(order, first)

    def cancel(self, transfer_id: str) -> None:
        if self._running is not None and self._running[0].transfer_id == transfer_id:
            self._running = None

    def die(self) -> None:
        self._running = None

    def step(self, now: float) -> None:
        """Let the worker work until ``now`` (monotonic)."""
        if self._running is None:
            return
        order, began, told = self._running
        match order.task:
            case "download_firmware":
                self._download(order, began, told, now)
            case "install_firmware" if now >= began + INSTALLS and not self.silent:
                self._running = None
                what = Order(self._file(order), order.transfer_id, 600.0)
                outcome = installed(self.installer, what, order.attempt, order.parameters)
                self._say(order, outcome.status, outcome.detail)
            case "confirm_firmware":
                self._running = None
                self.installer.confirm()
                self._say(order, "Confirmed")

    def _download(self, order: StartTransfer, began: float, told: float, now: float) -> None:
        parameters: Any = order.parameters
        file = self.files.get(parameters["url"], HandFile(failure="the server answered 404"))
        if now < began + TAKES or file.holds:
            if now >= told + PROGRESS:
                self._running = (order, began, now)
                self._say(order, "Downloading")
            return
        self._running = None
        if file.failure:
            self._say(order, "DownloadFailed", file.failure)
            return
        self._say(order, "Downloaded")
        signature, digest = signature_of(parameters["signature"]), hashlib.sha256(file.content).digest()
        if is_signed(parameters["certificate"], signature, digest):
            self._file(order).write_bytes(file.content)
            self._say(order, "SignatureVerified")
        else:
            self._say(order, "InvalidSignature", "the signature is not that of the file")

    def _file(self, order: StartTransfer) -> Path:
        return self.folder / f"{order.transfer_id}.img"

    def _say(self, order: StartTransfer, status: str, detail: str = "") -> None:
        self.tell(TransferReport(order.transfer_id, order.attempt, status, detail))
