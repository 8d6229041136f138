"""The watchdog of an EVSE board: fails safe when nobody speaks to it, and comes back only when told.

Disarmed --heartbeat--> Ok --timeout--> Tripped --heartbeat--> Restored --setpoint and acknowledge--> Ok
                                           ^-----------timeout-----------'
"""

from __future__ import annotations

from dataclasses import dataclass

from station.domain.board import WatchdogState

TIMEOUTS = (3, 600)  # s


@dataclass(slots=True)
class Watchdog:
    """``timeout`` and ``left`` in seconds. Only ``feed`` keeps it from tripping."""

    timeout: float = 30.0
    state: WatchdogState = WatchdogState.DISARMED
    left: float = 0.0
    _setpoint_since_trip: bool = False
    _acknowledged: bool = False

    @property
    def lets_power_flow(self) -> bool:
        """Whether the station's setpoint counts: fed, and no trip waits for the station."""
        return self.state is WatchdogState.OK

    @property
    def tripped(self) -> bool:
        """From the trip until the station has taken note of it."""
        return self.state in (WatchdogState.TRIPPED, WatchdogState.RESTORED)

    def feed(self) -> None:
        """The heartbeat register was written."""
        self.left = self.timeout
        if self.state is WatchdogState.DISARMED:
            self.state = WatchdogState.OK
        elif self.state is WatchdogState.TRIPPED:
            self.state = WatchdogState.RESTORED

    def setpoint_taken(self) -> None:
        """A setpoint was taken; one of the two things that end a trip."""
        self._setpoint_since_trip = True
        self._come_back()

    def acknowledge(self) -> None:
        """The station knows of the trip; the other of the two. Without effect before the heartbeat is back."""
        if self.state is WatchdogState.RESTORED:
            self._acknowledged = True
            self._come_back()

    def step(self, dt: float) -> bool:
        """Let ``dt`` seconds pass; True where this step tripped it."""
        if self.state not in (WatchdogState.OK, WatchdogState.RESTORED):
            return False
        self.left = max(0.0, self.left - dt)
        if self.left > 0.0:
            return False
        self.state = WatchdogState.TRIPPED
        self._setpoint_since_trip = self._acknowledged = False
        return True

    def _come_back(self) -> None:
        if self.state is WatchdogState.RESTORED and self._setpoint_since_trip and self._acknowledged:
            self.state = WatchdogState.OK
