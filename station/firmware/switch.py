"""Between two firmwares on one machine: what runs, whether it is on trial, and how the other one gets its turn.

What the supervisor and the uplink need of an installer, and nothing that only an installation needs: they live long.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Protocol

from station.domain.firmware import RunningFirmware
from station.firmware import launcher, slots

log = logging.getLogger(__name__)


class Switch(Protocol):
    """The side of an installer that is asked while the station runs. Nothing here raises."""

    def running(self) -> RunningFirmware:
        """What runs now, and what was last taken back."""
        ...

    def pending(self) -> bool:
        """Whether the next start runs something else than what runs now."""
        ...

    def on_trial(self) -> float | None:
        """How long what runs may take to be confirmed, in s; None where it needs no more to prove itself."""
        ...

    def give_up(self, why: str) -> None:
        """What runs is left for the one before it, from the next start on."""
        ...

    def restart(self) -> None:
        """Start what is to run; returns only where that is not possible."""
        ...


def switch(kind: str, data: Path, version: str) -> Switch:
    """The switch of that kind of installer (``STATION_INSTALLER``); ``version`` is what runs now."""
    if kind == "rauc":
        from station.firmware.rauc import RaucSwitch

        return RaucSwitch(data, version)
    return SlotSwitch(data, version)


class SlotSwitch:
    """As ``Switch``: the same process goes on with the other code."""

    def __init__(self, data: Path, version: str, slot: str = "") -> None:
        self._data = data
        self._version = version
        self._slot = slot or os.environ.get(launcher.SLOT, slots.FACTORY)

    def running(self) -> RunningFirmware:
        state = slots.load(self._data)
        installed, failed = state.slots.get(self._slot), state.failed
        waits = state.slots[state.trial.slot].installation if state.trial and state.trial.slot != self._slot else ""
        return RunningFirmware(
            self._version,
            installed.installation if installed else "",
            failed.installation if failed else "",
            failed.why if failed else "",
            waits,
        )

    def pending(self) -> bool:
        trial = slots.load(self._data).trial
        return trial is not None and trial.slot != self._slot

    def on_trial(self) -> float | None:
        trial = slots.load(self._data).trial
        return trial.patience if trial is not None and trial.slot == self._slot else None

    def give_up(self, why: str) -> None:
        try:
            slots.give_up(self._data, why)
        except OSError as error:  # each start counts, so it ends all the same
            log.error("the firmware on trial could not be given up: %s", error)

    def restart(self) -> None:
        factory = os.environ.get(launcher.FACTORY)
        if factory:
            launcher.start_anew(Path(factory))
