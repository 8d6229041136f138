"""Which code runs: that of an installed firmware, or what stands beside this ``manage.py``.

Loaded by ``manage.py`` itself, by its path and before any other module of the station, and so it imports the standard
library only. Where a firmware is to run, it runs in this process, with this module still beneath it: whatever goes
wrong on its way up, down to a syntax error, ends in the firmware before it.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SLOT = "STATION_SLOT"  # which slot runs: told to the code in it, and to all that it starts
FACTORY = "STATION_FACTORY"  # the folder of the code that came with the machine
COMMANDS = ("appliance", "provision")
LOCK_PATIENCE = 2.0  # s; children of a supervisor that was killed hold the lock for a moment
INTERRUPTED = 130


def hand_over(factory: Path) -> None:
    """Run the installed firmware instead of what is in ``factory`` and never return; return where there is none."""
    if sys.argv[1:2] == [] or sys.argv[1] not in COMMANDS or SLOT in os.environ:
        return
    data = Path(os.environ.get("STATION_DATA", "").strip() or "data").expanduser().absolute()
    slots = _load("station_slots", factory / "station" / "firmware" / "slots.py")
    os.environ[FACTORY] = str(factory)
    os.environ[SLOT] = slots.FACTORY
    if not (slots.folder(data) / slots.STATE).exists():
        return
    slot, on_trial = _choose(factory, data, slots)
    if slot == slots.FACTORY:
        return
    os.environ[SLOT] = slot
    _run(factory, data, slots, slot, on_trial)


def start_anew(factory: Path) -> None:
    """Begin again with the choice of the code, in this process (the pid stays); never returns. Raises OSError."""
    os.environ.pop(SLOT, None)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, str(factory / "manage.py"), *sys.argv[1:]])  # noqa: S606


def _choose(factory: Path, data: Path, slots: Any) -> tuple[str, bool]:
    if sys.argv[1] != "appliance":
        wanted = slots.load(data).wanted
        return (wanted if slots.whole(data, wanted) else slots.FACTORY), False
    with _lock(data) as ours:
        if not ours:  # the code will say so itself; it is nobody's failure
            return slots.load(data).wanted, False
        versions = _load("station_versions", factory / "station" / "domain" / "versions.py")
        own = _version(factory)
        slot, on_trial = slots.begin(data, lambda version: versions.older(version, own))
    return str(slot), bool(on_trial)


def _run(factory: Path, data: Path, slots: Any, slot: str, on_trial: bool) -> None:
    import runpy  # only here: the supervisor loads this module, too, and lives long

    place = slots.folder(data) / slot
    sys.path[:] = [str(place), *(path for path in sys.path if path and Path(path).resolve() != factory)]
    sys.argv[0] = str(place / "manage.py")
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except SystemExit as end:
        if not on_trial or end.code in (None, 0, INTERRUPTED):
            raise
        why = f"it ended with {end.code}"
    except BaseException as error:
        import traceback

        traceback.print_exc()
        why = f"it cannot be started: {type(error).__name__}: {error}"
    if sys.argv[1] != "appliance":
        sys.exit(1)
    print(f"station: the firmware in slot {slot} is left: {why}", file=sys.stderr)  # noqa: T201
    if on_trial:
        with suppress(OSError):
            slots.give_up(data, why)
        start_anew(factory)
    os.environ[SLOT] = slots.FACTORY  # for this time only: it was good once, and may be again
    os.execv(sys.executable, [sys.executable, str(factory / "manage.py"), *sys.argv[1:]])  # noqa: S606


@contextmanager
def _lock(data: Path) -> Iterator[bool]:
    """Whether the data folder is ours to use; the appliance itself takes the same lock a moment later."""
    try:
        handle = os.open(data / "appliance.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield False
        return
    end = time.monotonic() + LOCK_PATIENCE
    ours = False
    while not ours:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = True
        except BlockingIOError:
            if time.monotonic() >= end:
                break
            time.sleep(0.05)
    try:
        yield ours
    finally:
        os.close(handle)


def _version(factory: Path) -> str:
    text = (factory / "station" / "__init__.py").read_text()
    found = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    return found[1] if found else ""


def _load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module
