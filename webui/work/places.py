"""A job's folder, and the signs in it that pass between the web server and the process that does the work.

All of it works without Redis and without a write to the database: what cancels is a file, how far it has come is a file
that no commit waits for, and that somebody works is a lock, which ends with the process whatever befalls it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.conf import settings

FOLDER = "work"
_CANCELED, _PROGRESS, _LOCK = "canceled", "progress", "lock"
RESULT = "result"  # the file that was made


def root() -> Path:
    """The folder of all jobs; made where it is missing. Raises OSError."""
    place = Path(settings.DATA_DIR) / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def folder(job: UUID) -> Path:
    """The job's own folder; made where it is missing. Raises OSError."""
    place = root() / str(job)
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def result(job: UUID) -> Path:
    """Where the file is, or is to be."""
    return Path(settings.DATA_DIR) / FOLDER / str(job) / RESULT


def cancel(job: UUID) -> None:
    """Have whoever works at it stop at its next look. Raises OSError."""
    (folder(job) / _CANCELED).touch()


def canceled(job: UUID) -> bool:
    return (Path(settings.DATA_DIR) / FOLDER / str(job) / _CANCELED).exists()


def tell(job: UUID, done: int, total: int) -> None:
    """Say how far it has come. Raises OSError."""
    place = folder(job)
    part = place / f"{_PROGRESS}.part"
    part.write_text(json.dumps([done, total]))
    part.replace(place / _PROGRESS)


def progress(job: UUID) -> tuple[int, int]:
    """Done and total, as last said; (0, 0) while nothing is known."""
    try:
        done, total = json.loads((Path(settings.DATA_DIR) / FOLDER / str(job) / _PROGRESS).read_text())
        return int(done), int(total)
    except (OSError, ValueError, TypeError):
        return 0, 0


def remove(job: UUID | str) -> None:
    """The folder and all in it."""
    shutil.rmtree(Path(settings.DATA_DIR) / FOLDER / str(job), ignore_errors=True)


@contextmanager
def working(patience: float = 2.0) -> Iterator[bool]:
    """Hold the lock of the one who works; yields False where somebody else has it for ``patience`` s. Raises OSError.

    Patience, because somebody who only looks (``somebody_works``) holds it for a moment, too.
    """
    handle = os.open(root() / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = time.monotonic() + patience
        while not (got := _locked(handle)) and time.monotonic() < end:
            time.sleep(0.02)
        yield got
    finally:
        os.close(handle)


def somebody_works() -> bool:
    """Whether a process holds the lock now."""
    try:
        with working(patience=0) as free:
            return not free
    except OSError:
        return False


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
