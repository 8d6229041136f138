"""A firmware on trial under the supervisor's eyes: it is confirmed in time, or the one before it comes back."""

from __future__ import annotations

import time

from station.firmware.switch import Switch

LOOK = 1.0  # s between two looks at whether it was confirmed
MOST_ENDS = 4  # of children that nobody asked to end


class Probation:
    """Asked by the supervisor between two events; costs nothing where no firmware is on trial."""

    def __init__(self, switch: Switch, now: float | None = None) -> None:
        self._switch = switch
        self._began = time.monotonic() if now is None else now
        self._looked = float("-inf")
        self._ends: list[str] = []
        self._patience = switch.on_trial()

    def other_code(self) -> bool:
        """Whether what is to run after this reboot is not what runs now."""
        return self._switch.pending()

    def ended(self, name: str) -> None:
        """A child ended that was not asked to."""
        self._ends.append(name)

    def verdict(self, now: float) -> str:
        """Why the firmware on trial was just given up; empty while there is nothing to say (monotonic seconds)."""
        if self._patience is None or now < self._looked + LOOK:
            return ""
        self._looked = now
        self._patience = self._switch.on_trial()
        why = ""
        if self._patience is None:
            return ""  # it was confirmed
        if len(self._ends) >= MOST_ENDS:
            why = f"its processes end by themselves ({', '.join(self._ends)})"
        elif now - self._began > self._patience:
            why = f"it was not accepted by the CSMS within {self._patience:.0f} s"
        if why:
            self._switch.give_up(why)
            self._patience = None
        return why
