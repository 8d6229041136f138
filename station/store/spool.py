"""The spool: a folder for each transfer, with what the transfer worker made and what came of it.

It outlives both processes. The uplink only marks a folder as canceled; all else in it is the transfer worker's.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = "spool"
DAY = 86_400.0  # s after which nobody asks for a transfer any more
HELD_FOR = 400 * DAY  # s, where the station may come back to it at a time that the CSMS named
_CANCELED = "canceled"
_HELD = "held"
_OUTCOME = "outcome.json"
_ID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: a status as in ``TransferReport``, and a sentence for a person."""

    attempt: int
    status: str
    detail: str = ""


def folder(data: Path, transfer_id: str) -> Path:
    """The transfer's folder, which may not exist yet. Raises ValueError for what is no id (a UUID)."""
    if not _ID.fullmatch(transfer_id):
        raise ValueError(f"{transfer_id[:40]!a} is not the id of a transfer")
    return data / FOLDER / transfer_id


def cancel(data: Path, transfer_id: str) -> None:
    """Mark the transfer as canceled: what runs stops, what waits is not begun. Raises OSError."""
    place = folder(data, transfer_id)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    (place / _CANCELED).touch()


def canceled(place: Path) -> bool:
    return (place / _CANCELED).exists()


def hold(place: Path) -> None:
    """The transfer's files are still needed when a day has passed, unless it is canceled. Raises OSError."""
    (place / _HELD).touch()


def empty(place: Path) -> None:
    """Remove what is in the folder of a canceled transfer; that it is canceled stays known."""
    for path in place.iterdir() if place.exists() else ():
        if path.name != _CANCELED and path.is_file():
            path.unlink(missing_ok=True)


def note(place: Path, outcome: Outcome) -> None:
    """Keep how an attempt ended. Raises OSError."""
    part = place / f"{_OUTCOME}.part"
    part.write_text(json.dumps(asdict(outcome)))
    part.replace(place / _OUTCOME)


def outcome(place: Path) -> Outcome | None:
    """How the last attempt ended; None where none has, or where it cannot be read."""
    try:
        return Outcome(**json.loads((place / _OUTCOME).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def clean(data: Path, keep: str = "") -> int:
    """Remove the folders of transfers that are canceled or too old, not that of ``keep``; returns their number."""
    removed = 0
    spool = data / FOLDER
    for place in spool.iterdir() if spool.exists() else ():
        kept_for = HELD_FOR if (place / _HELD).exists() else DAY
        if place.name != keep and (canceled(place) or time.time() - place.stat().st_mtime > kept_for):
            shutil.rmtree(place, ignore_errors=True)
            removed += 1
    return removed
