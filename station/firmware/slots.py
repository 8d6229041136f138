"""The two slots for the station's own code, and which of them is to run.

``STATION_DATA/firmware`` holds a folder for each slot, ``a`` and ``b``, and ``state.json``. What came with the machine
(the folder with ``manage.py``) is called ``factory`` and is the last resort. A firmware that was just installed is *on
trial*: it is ``good`` only once somebody says so (``confirm``), and until then each start of the appliance counts.
Where it starts too often without that, or is given up, the one before it runs again.

The state is replaced as a whole (write, fsync, rename, fsync), so a power cut finds the old one or the new one. This
module is also loaded by itself, by the factory's ``manage.py`` before there is any other code: it imports the standard
library only. The form of ``state.json`` is a promise between all versions of the station that ever run on it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

FOLDER = "firmware"
STATE = "state.json"
MANIFEST = "manifest.json"
FORMAT = 1
FACTORY = "factory"
SLOTS = ("a", "b")
MOST_STARTS = 3  # of a firmware on trial
PATIENCE = 600.0  # s that one start of it has


@dataclass(frozen=True, slots=True)
class Installed:
    """What is in a slot: the transfer that it came with, and its version."""

    installation: str
    version: str


@dataclass(frozen=True, slots=True)
class Trial:
    """The slot that is to prove itself; ``patience`` in seconds from each start of the appliance."""

    slot: str
    starts: int = 0
    patience: float = PATIENCE


@dataclass(frozen=True, slots=True)
class Failed:
    """The last firmware that was tried and taken back."""

    installation: str
    version: str
    why: str


@dataclass(frozen=True, slots=True)
class State:
    good: str = FACTORY
    slots: dict[str, Installed] = field(default_factory=dict)  # what is whole, by slot
    trial: Trial | None = None
    failed: Failed | None = None

    @property
    def wanted(self) -> str:
        """The slot that is to run."""
        return self.trial.slot if self.trial else self.good


def folder(data: Path) -> Path:
    return data / FOLDER


def load(data: Path) -> State:
    """The state; the factory's where there is none, or none that can be read."""
    try:
        found = json.loads((folder(data) / STATE).read_text())
        return _state(found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return State()


def _state(found: dict[str, Any]) -> State:
    if found["format"] != FORMAT:
        raise ValueError("a format of the future")
    slots = {name: Installed(**one) for name, one in found["slots"].items() if name in SLOTS}
    good = found["good"] if found["good"] in slots else FACTORY
    trial = Trial(**found["trial"]) if found["trial"] and found["trial"]["slot"] in slots else None
    return State(good, slots, trial, Failed(**found["failed"]) if found["failed"] else None)


def save(data: Path, state: State) -> None:
    """Replace the state, so that it lasts; raises OSError, and then the old one stands."""
    place = folder(data)
    place.mkdir(mode=0o700, exist_ok=True)
    part = place / f"{STATE}.part"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"format": FORMAT, **asdict(state)}, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(place / STATE)
    sync_folder(place)


def sync_folder(place: Path) -> None:
    """Make what was made or renamed in a folder last; raises OSError."""
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# ---------------------------------------------------------------------- whole or not


def flaws(place: Path) -> Iterator[str]:
    """What of the code in ``place`` is not as its manifest says; nothing where it is whole."""
    try:
        files = json.loads((place / MANIFEST).read_text())["files"]
        for name, wanted in files.items():
            try:
                content = (place / name).read_bytes()
            except OSError as error:
                yield f"{name}: {error.strerror}"
                continue
            if hashlib.sha256(content).hexdigest() != wanted["sha256"]:
                yield f"{name} was changed"
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        yield f"the manifest cannot be read: {error}"


def whole(data: Path, slot: str) -> bool:
    """Whether all of a slot's code is there, unchanged."""
    return next(flaws(folder(data) / slot), None) is None


# ---------------------------------------------------------------------- which one runs


def begin(data: Path, outdated: Callable[[str], bool] = lambda version: False) -> tuple[str, bool]:
    """The slot to run at this start of the appliance, and whether it is on trial; counts the start.

    Whatever cannot be done here ends in a slot that is known to be good, or in the factory's code; so does a good slot
    whose version is ``outdated``: somebody brought newer code to the machine.
    """
    state = load(data)
    trial = state.trial
    if trial is not None:
        why = ""
        if trial.starts >= MOST_STARTS:
            why = f"it was started {trial.starts} times and was not accepted by the CSMS"
        elif not whole(data, trial.slot):
            why = "it is not whole"
        if not why:
            try:
                save(data, replace(state, trial=replace(trial, starts=trial.starts + 1)))
                return trial.slot, True
            except OSError as error:
                why = f"its start could not be counted: {error.strerror}"
        state = _taken_back(state, trial, why)
        with suppress(OSError):
            save(data, state)
    if state.good in SLOTS and (outdated(state.slots[state.good].version) or not whole(data, state.good)):
        return FACTORY, False
    return state.good, False


def begin_trial(data: Path, slot: str, installed: Installed, patience: float) -> None:
    """From the next start on ``slot`` runs, on trial; raises OSError."""
    state = load(data)
    save(data, replace(state, slots={**state.slots, slot: installed}, trial=Trial(slot, 0, patience)))


def forget(data: Path, slot: str) -> None:
    """The slot is about to be written: nothing may be started from it; raises OSError."""
    state = load(data)
    if slot in state.slots:
        left = {name: one for name, one in state.slots.items() if name != slot}
        trial = None if state.trial and state.trial.slot == slot else state.trial
        save(data, replace(state, slots=left, trial=trial, good=FACTORY if state.good == slot else state.good))


def confirm(data: Path, slot: str) -> None:
    """What runs from ``slot`` is good; raises OSError."""
    state = load(data)
    if state.trial is not None and state.trial.slot == slot:
        save(data, replace(state, good=slot, trial=None, failed=None))


def give_up(data: Path, why: str) -> None:
    """What is on trial is taken back; the one before it runs from the next start on. Raises OSError."""
    state = load(data)
    if state.trial is not None:
        save(data, _taken_back(state, state.trial, why))


def _taken_back(state: State, trial: Trial, why: str) -> State:
    tried = state.slots[trial.slot]
    left = {name: one for name, one in state.slots.items() if name != trial.slot}
    return State(state.good, left, None, Failed(tried.installation, tried.version, why))


def free_slot(data: Path, running: str) -> str | None:
    """The slot to install into: neither what runs, nor what is good; None while something is on trial."""
    state = load(data)
    if state.trial is not None:
        return None
    return next((slot for slot in SLOTS if slot not in (running, state.good)), None)
