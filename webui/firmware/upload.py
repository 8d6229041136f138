"""A firmware from the browser, piece by piece into the spool: never whole in memory, and gone on with where it stopped.

The folder is that of a transfer; the transfer worker finds the file there as if it had been downloaded.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from station.device_model.components import FirmwareCtrlr
from station.device_model.model import DeviceModel
from station.store import repositories, spool

FILE, PART, MARK = "firmware.img", "upload.part", "upload.json"
PIECE = 512 * 1024  # bytes of one request
SPARE = 32 * 1024 * 1024  # bytes of the disk that stay free
MAGIC = {"slots": b"\x1f\x8b", "rauc": b"hsqs"}  # what an image of each installer begins with


class Refused(ValueError):
    """Why a file is not taken, in words for people."""


class NotThere(LookupError):
    """There is no such upload (any more)."""


@dataclass(frozen=True, slots=True)
class Upload:
    """How far an upload is, in bytes."""

    name: str
    at: int
    size: int

    @property
    def whole(self) -> bool:
        return self.at >= self.size


def begin(size: int) -> Upload:
    """A new upload of so many bytes; what was begun before and never installed goes. Raises Refused and OSError."""
    most = largest()
    if size <= 0:
        raise Refused(_("This file is empty."))
    if size > most:
        raise Refused(_("This file is too large: more than %(most)s MB.") % {"most": most // 1_000_000})
    data = Path(settings.DATA_DIR)
    clear(data)
    data.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(data).free < size + SPARE:
        raise Refused(_("There is not enough room on the station's disk for this file."))
    name = str(uuid.uuid4())
    place = spool.folder(data, name)
    place.mkdir(mode=0o700, parents=True)
    (place / MARK).write_text(json.dumps({"size": size}))
    (place / PART).touch(mode=0o600)
    return Upload(name, 0, size)


def take(name: str, at: int, piece: bytes) -> Upload:
    """Add a piece that begins at byte ``at``; one that does not fit there changes nothing.

    Raises NotThere, Refused and OSError.
    """
    upload = state(name)
    place = spool.folder(Path(settings.DATA_DIR), name)
    if upload.whole or at != upload.at or not piece:
        return upload
    if upload.at + len(piece) > upload.size:
        raise Refused(_("More came than was announced. Choose the file again."))
    if at == 0 and (flaw := _flaw_of_head(piece)):
        shutil.rmtree(place, ignore_errors=True)
        raise Refused(flaw)
    with (place / PART).open("ab") as file:
        file.write(piece)
        if upload.at + len(piece) == upload.size:
            file.flush()
            os.fsync(file.fileno())
    if upload.at + len(piece) == upload.size:
        (place / PART).replace(place / FILE)
    return Upload(name, upload.at + len(piece), upload.size)


def state(name: str) -> Upload:
    """How far it is; raises NotThere."""
    try:
        place = spool.folder(Path(settings.DATA_DIR), name)
        size = int(json.loads((place / MARK).read_text())["size"])
        file = place / FILE
        at = file.stat().st_size if file.exists() else (place / PART).stat().st_size
    except (OSError, ValueError, KeyError, TypeError):
        raise NotThere from None
    if spool.canceled(place):
        raise NotThere
    return Upload(name, at, size)


def handed_over(name: str) -> None:
    """It belongs to the transfer worker from now on. Raises OSError."""
    (spool.folder(Path(settings.DATA_DIR), name) / MARK).unlink(missing_ok=True)


def clear(data: Path) -> None:
    """Remove what was uploaded and never installed."""
    folder = data / spool.FOLDER
    for place in folder.iterdir() if folder.exists() else ():
        if (place / MARK).exists():
            shutil.rmtree(place, ignore_errors=True)


def largest() -> int:
    """FirmwareCtrlr.MaxImageSize, in bytes."""
    stored = [one for one in repositories.readable_variables() if one.component == "FirmwareCtrlr"]
    return int(DeviceModel(1, stored)[FirmwareCtrlr.MaxImageSize])


def _flaw_of_head(piece: bytes) -> str:
    """What the first bytes say of a file that is no image of ours; empty where it may be one."""
    if piece.startswith(MAGIC.get(settings.ENVIRONMENT.installer, b"")):
        return ""
    if piece.lstrip()[:11] == b"-----BEGIN ":
        return _("This is a certificate or a key, and no firmware. It belongs into the field below.")
    if piece[:4] in (b"PK\x03\x04", b"\x7fELF"):
        return _("This is no firmware image of this station, but another kind of file. Unpack it if it is an archive.")
    return _("This is no firmware image of this station.")
