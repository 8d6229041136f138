"""A firmware as the station orders it: download and verify it, install it, make it the good one (L01).

The order may come again, while it runs or later, from a station that heard nothing: the same attempt is not made twice.
A download runs beside the tasks of the worker, which is free for others meanwhile, and goes on after a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

import station
from station.domain.certificates import CertificateUse
from station.domain.events import TransferReport
from station.domain.firmware import is_signed, signature_of
from station.firmware.installer import Installer, InstallFailed, InstallRefused, Order, installer
from station.store import repositories, spool
from station.store.spool import Outcome
from station.transfers import loop
from station.transfers.download import DownloadFailed, Progress, download
from station.transfers.upload import trusted

log = logging.getLogger(__name__)

FILE = "firmware.img"
CHUNK = 1024 * 1024  # bytes

_downloads: set[str] = set()  # transfers whose download runs, on the loop's thread


# ---------------------------------------------------------------------- download


def begin_download(transfer_id: str, attempt: int, parameters: Mapping[str, Any]) -> str:
    """Begin what ``StartTransfer`` says, unless it runs or is done; returns a word for it.

    Raises ValueError for a bad id, django.db.Error where the database cannot be read: the station asks again.
    """
    place = spool.folder(Path(settings.DATA_DIR), transfer_id)
    if word := _over(place, transfer_id, attempt):
        return word
    if transfer_id in _downloads:
        return "running"
    roots = repositories.roots(CertificateUse.CSMS_ROOT)
    _downloads.add(transfer_id)
    loop.start(_download(place, transfer_id, attempt, {**parameters, "roots": roots}))
    return "begun"


async def _download(place: Path, transfer_id: str, attempt: int, parameters: Mapping[str, Any]) -> None:
    async def tell(progress: Progress) -> None:
        report = TransferReport(transfer_id, attempt, "Downloading", moved=progress.moved, total=progress.total)
        await loop.report(report)

    try:
        outcome = await _try(place, attempt, parameters, tell, partial(_say, transfer_id, attempt))
    except Exception as error:  # whatever it is, the station hears of it
        log.exception("a download failed")
        outcome = Outcome(attempt, "DownloadFailed", f"{type(error).__name__}: {error}")
    finally:
        _downloads.discard(transfer_id)
    if outcome is None or spool.canceled(place):
        spool.empty(place)
        return
    _note(place, outcome)
    log.info("download of a firmware: %s %s", outcome.status, outcome.detail)
    await _say(transfer_id, outcome.attempt, outcome.status, outcome.detail)


async def _try(place: Path, attempt: int, parameters: Mapping[str, Any], tell: Any, say: Any) -> Outcome | None:
    """One attempt; None where it was canceled."""
    file = place / FILE
    try:
        if not await asyncio.to_thread(_is_there, file) and not await download(
            parameters["url"],
            file,
            partial(trusted, parameters["roots"]),
            parameters["most_bytes"],
            canceled=partial(spool.canceled, place),
            tell=tell,
        ):
            return None
    except DownloadFailed as failure:
        return Outcome(attempt, "DownloadFailed", str(failure))
    except OSError as error:
        return Outcome(attempt, "DownloadFailed", f"the file cannot be kept: {error.strerror or error}")
    await say("Downloaded")
    if await asyncio.to_thread(_is_signed, file, parameters):
        return Outcome(attempt, "SignatureVerified", f"{file.stat().st_size} bytes")
    file.unlink()
    return Outcome(attempt, "InvalidSignature", "the signature is not that of the file by this certificate")


def _is_signed(file: Path, parameters: Mapping[str, Any]) -> bool:
    return is_signed(parameters["certificate"], signature_of(parameters["signature"]), _digest(file))


def _is_there(file: Path) -> bool:
    """Whether an earlier attempt brought it whole; makes room for it where none did. Raises OSError."""
    place = file.parent
    spool.clean(place.parent.parent, keep=place.name)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    spool.hold(place)  # it may be installed weeks later
    return file.exists()


def _digest(file: Path) -> bytes:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.digest()


# ---------------------------------------------------------------------- install, confirm


def install(transfer_id: str, attempt: int, parameters: Mapping[str, Any]) -> str:
    """Install what was downloaded; returns a word for what came of it. Raises ValueError for a bad id."""
    place = spool.folder(Path(settings.DATA_DIR), transfer_id)
    if word := _over(place, transfer_id, attempt):
        return word
    loop.run(_say(transfer_id, attempt, "Installing"))
    order = Order(place / FILE, transfer_id, float(parameters["patience"]))
    outcome = installed(_installer(), order, attempt, parameters)
    _note(place, outcome)
    log.info("installation of a firmware: %s %s", outcome.status, outcome.detail)
    loop.run(_say(transfer_id, outcome.attempt, outcome.status, outcome.detail))
    return outcome.status


def installed(by: Installer, order: Order, attempt: int, parameters: Mapping[str, Any]) -> Outcome:
    """What comes of an installation."""
    try:
        if not _is_signed(order.file, parameters):  # weeks may have passed
            raise InstallRefused("the file was changed since it was downloaded")
        return Outcome(attempt, "Prepared", by.install(order))
    except InstallRefused as refused:
        return Outcome(attempt, "InstallVerificationFailed", str(refused))
    except InstallFailed as failed:
        return Outcome(attempt, "InstallationFailed", str(failed))
    except OSError as error:
        return Outcome(attempt, "InstallationFailed", f"the file cannot be read: {error.strerror or error}")
    except Exception as error:  # a mistake of ours: the station must not wait for ever
        log.exception("an installation failed")
        return Outcome(attempt, "InstallationFailed", f"{type(error).__name__}: {error}")


def confirm(transfer_id: str, attempt: int) -> str:
    """Make what runs the good one; where that fails the station asks again. Returns a word for what came of it."""
    try:
        _installer().confirm()
    except InstallFailed as failed:
        log.error("the running firmware could not be confirmed: %s", failed)
        return "failed"
    loop.run(_say(transfer_id, attempt, "Confirmed"))
    return "Confirmed"


def _installer() -> Installer:
    return installer(settings.ENVIRONMENT.installer, Path(settings.DATA_DIR), station.__version__)


# ---------------------------------------------------------------------- both


def _over(place: Path, transfer_id: str, attempt: int) -> str:
    """A word where there is nothing to do any more; what came of the attempt is told again."""
    if spool.canceled(place):
        return "canceled"
    known = spool.outcome(place)
    if known is None or known.attempt < attempt:
        return ""
    if known.attempt == attempt:
        loop.run(_say(transfer_id, known.attempt, known.status, known.detail))
    return "known"


def _note(place: Path, outcome: Outcome) -> None:
    try:
        spool.note(place, outcome)
    except OSError as error:
        log.warning("the outcome of an order could not be kept: %s", error)


async def _say(transfer_id: str, attempt: int, status: str, detail: str = "") -> None:
    await loop.report(TransferReport(transfer_id, attempt, status, detail))
