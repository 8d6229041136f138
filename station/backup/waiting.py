"""What is to be done at the next start of the appliance, before any of its processes runs: a restore, or a reset.

A folder of the data folder holds it; every file in it is written whole or not at all. So power may be cut at any
point: what was not done is done at the next start, and what was done twice comes to the same.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from station.store.secrets import SecretDamaged, seal, unseal, write_private

FOLDER = "restore"
PENDING, OUTCOME = "pending.json", "outcome.json"
STAGED_FOR = 3600.0  # s that a file waits for somebody to say yes
STAGED_MOST = 4
MOST_TRIES = 3
RESTORE, RESET = "restore", "reset"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Order:
    """``kind`` is RESTORE (of the staged file ``staged``) or RESET (with the sessions, or without)."""

    kind: str
    who: str
    staged: str = ""
    sessions: bool = False
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last order ended: ``code`` is empty where it was carried out, else a stable word, with ``what``."""

    kind: str
    who: str
    at: float  # s since 1970
    code: str = ""
    what: str = ""


def stage(data: Path, content: bytes, passphrase: str) -> str:
    """Keep a backup until somebody says yes to it; returns its id. Raises OSError."""
    folder = _folder(data)
    staged = sorted(folder.glob("*.backup"), key=lambda path: path.stat().st_mtime)
    for path in staged:
        if time.time() - path.stat().st_mtime > STAGED_FOR or len(staged) >= STAGED_MOST:
            _forget(folder, path.stem)
            staged = [one for one in staged if one != path]
    name = secrets.token_hex(16)
    write_private(folder / f"{name}.key", seal(passphrase).encode() if passphrase else b"-")
    write_private(folder / f"{name}.backup", content)
    return name


def staged(data: Path, name: str) -> tuple[bytes, str] | None:
    """A staged backup and its passphrase; None where there is none (any more). Raises OSError."""
    if not _ID.fullmatch(name):
        return None
    folder = data / FOLDER
    try:
        content, kept = (folder / f"{name}.backup").read_bytes(), (folder / f"{name}.key").read_text()
        return content, "" if kept == "-" else unseal(kept)
    except (FileNotFoundError, SecretDamaged):
        return None


def order(data: Path, wanted: Order) -> None:
    """Have it done at the next start. Raises OSError."""
    write_private(_folder(data) / PENDING, json.dumps(asdict(wanted)).encode())


def pending(data: Path) -> Order | None:
    """What is to be done; None where nothing is, or where it cannot be read."""
    try:
        return Order(**json.loads((data / FOLDER / PENDING).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def withdraw(data: Path) -> None:
    """Do not do it, and forget the file that it was about. Raises OSError."""
    found = pending(data)
    folder = data / FOLDER
    (folder / PENDING).unlink(missing_ok=True)
    if found is not None and _ID.fullmatch(found.staged):
        _forget(folder, found.staged)


def finish(data: Path, outcome: Outcome) -> None:
    """It is over. Raises OSError."""
    write_private(_folder(data) / OUTCOME, json.dumps(asdict(outcome)).encode())
    withdraw(data)


def outcome(data: Path) -> Outcome | None:
    """How the last order ended; None where there was none."""
    try:
        told: dict[str, Any] = json.loads((data / FOLDER / OUTCOME).read_text())
        return Outcome(**told)
    except (OSError, ValueError, TypeError):
        return None


def _folder(data: Path) -> Path:
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _forget(folder: Path, name: str) -> None:
    for ending in ("backup", "key"):
        (folder / f"{name}.{ending}").unlink(missing_ok=True)
