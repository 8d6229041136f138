"""A log upload as the station orders it: make the file once, try once, tell what came of it (N01).

The order may come again, while it runs or later, from a station that heard nothing: the same attempt is not made twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from station.domain.certificates import CertificateUse
from station.domain.events import TransferReport
from station.domain.moment import parse_rfc3339
from station.store import logbook, repositories, spool
from station.store.logbook import Window
from station.store.spool import Outcome
from station.transfers import loop
from station.transfers.upload import FAILED, Progress, trusted, upload

log = logging.getLogger(__name__)

FILE = "log.gz"

Health = Callable[[], Mapping[str, Any]]
health: Health = dict  # how the other processes do; whoever starts the worker knows, and sets it


def run(transfer_id: str, attempt: int, parameters: Mapping[str, Any]) -> str:
    """Do what ``StartTransfer`` says; returns a word for what came of it. Raises ValueError for a bad id."""
    data = Path(settings.DATA_DIR)
    place = spool.folder(data, transfer_id)
    if spool.canceled(place):
        return "canceled"
    known = spool.outcome(place)
    if known is not None and known.attempt >= attempt:
        if known.attempt == attempt:
            _tell(transfer_id, known)
        return "known"
    outcome = _attempt(place, transfer_id, attempt, parameters)
    if outcome is None or spool.canceled(place):
        (place / FILE).unlink(missing_ok=True)
        return "canceled"
    try:
        spool.note(place, outcome)
    except OSError as error:
        log.warning("the outcome of an upload could not be kept: %s", error)
    _tell(transfer_id, outcome)
    log.info("upload of %s: %s, %s", parameters.get("filename"), outcome.status, outcome.detail)
    return outcome.status


def _tell(transfer_id: str, outcome: Outcome) -> None:
    loop.run(loop.report(TransferReport(transfer_id, outcome.attempt, outcome.status, outcome.detail)))


def _attempt(place: Path, transfer_id: str, attempt: int, parameters: Mapping[str, Any]) -> Outcome | None:
    loop.run(loop.report(TransferReport(transfer_id, attempt, "Preparing")))
    try:
        spool.clean(place.parent.parent, keep=place.name)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = place / FILE
        if not file.exists():
            make(file, parameters)
        roots = repositories.roots(CertificateUse.CSMS_ROOT)
    except (OSError, ValueError, DatabaseError) as error:
        connection.close_if_unusable_or_obsolete()
        log.error("the log could not be made: %s", error)
        return Outcome(attempt, FAILED, f"the log could not be made: {error}")

    async def tell(progress: Progress) -> None:
        await loop.report(TransferReport(transfer_id, attempt, "Uploading", moved=progress.moved, total=progress.total))

    result = loop.run(
        upload(
            file,
            parameters["filename"],
            parameters["url"],
            partial(trusted, roots),
            canceled=partial(spool.canceled, place),
            tell=tell,
        )
    )
    return None if result is None else Outcome(attempt, *result)


def make(file: Path, parameters: Mapping[str, Any]) -> None:
    """Write the log that ``parameters`` asks for, whole or not at all.

    Raises OSError, django.db.Error, or ValueError where the parameters make no sense.
    """
    window = Window(_time(parameters.get("oldest")), _time(parameters.get("latest")))
    if parameters["log_type"] == "SecurityLog":
        lines = logbook.security_log(window)
    else:
        lines = logbook.diagnostics_log(window, Path(settings.DATA_DIR), parameters.get("facts") or {}, health())
    part = file.with_suffix(".part")
    with part.open("wb") as target:
        logbook.write(target, lines, logbook.redactor(settings.SECRET_KEY, *_password(parameters["url"])))
    part.replace(file)


def _time(text: str | None) -> datetime | None:
    return parse_rfc3339(text) if text else None


def _password(url: str) -> list[str]:
    userinfo, _, _ = urlsplit(url).netloc.rpartition("@")
    password = userinfo.partition(":")[2]
    return [unquote(password), password] if password else []
