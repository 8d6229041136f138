"""An EV at the end of the cable, as IEC 61851-1 and real cars have it.

It sees the pilot's offer and the mains behind the contactor, and answers with its resistors (B, C, D) and the
current that it draws. A model in time steps: ``step`` never waits and may be given any length.
"""

from __future__ import annotations

from dataclasses import dataclass

MINIMUM_OFFER = 6.0  # A, IEC 61851-1 annex A: less cannot be signalled
READY_DELAY = 1.5  # s from the offer to closing S2 (B to C); real cars take 1 to 3
START_DELAY = 1.0  # s from mains to the first current: the charger's own contactors
RAMP_UP = 8.0  # A/s
RAMP_DOWN = 25.0  # A/s: a stop is over well within the 3 s of IEC 61851-1
TAPER_FROM = 80.0  # % state of charge
TAPER_TO = 6.0  # A at 100 %
CAPACITY = 50_000.0  # Wh
EFFICIENCY = 0.92  # from the socket into the battery


@dataclass(slots=True)
class Ev:
    """One EV. ``max_current`` in A, ``soc`` in per cent; ``tells_soc`` False: nobody learns its state of charge.

    ``ventilation``: it asks for it when ready (D in place of C). ``ready`` and ``current`` are what it does now.
    """

    max_current: float = 32.0
    phases: int = 1
    requests_energy: bool = True
    soc: float = 40.0
    tells_soc: bool = True
    ventilation: bool = False
    ready: bool = False
    current: float = 0.0  # A in each of its phases
    _offered_for: float = 0.0
    _powered_for: float = 0.0

    @property
    def letter(self) -> str:
        """What its resistors put on the pilot: B, C or D."""
        if not self.ready:
            return "B"
        return "D" if self.ventilation else "C"

    @property
    def wants(self) -> bool:
        """Whether it would charge if it could."""
        return self.requests_energy and self.soc < 100.0

    def step(self, dt: float, offered: float, mains: bool) -> None:
        """Let ``dt`` seconds pass, with ``offered`` A on the pilot (0: no PWM) and the contactor's ``mains``."""
        offer = offered >= MINIMUM_OFFER
        self._offered_for = self._offered_for + dt if offer else 0.0
        self._powered_for = self._powered_for + dt if mains else 0.0
        if not mains:
            self.current = 0.0  # nothing to draw from
        else:
            self._ramp(dt, self._target(offered))
        if not (offer and self.wants):
            self.ready = self.ready and self.current > 0.0  # S2 opens when the charger has stopped
        elif self._offered_for >= READY_DELAY:
            self.ready = True

    def charge(self, energy: float) -> None:
        """Take ``energy`` Wh from the socket into the battery."""
        self.soc = min(100.0, self.soc + energy * EFFICIENCY / CAPACITY * 100.0)

    def restart(self) -> None:
        """The board was gone: the EV has let go and begins anew when it sees a pilot."""
        self.ready, self.current, self._offered_for, self._powered_for = False, 0.0, 0.0, 0.0

    def _target(self, offered: float) -> float:
        if not (self.wants and self.ready) or offered < MINIMUM_OFFER or self._powered_for < START_DELAY:
            return 0.0
        limit = min(offered, self.max_current)
        if self.soc > TAPER_FROM and limit > TAPER_TO:
            share = (100.0 - self.soc) / (100.0 - TAPER_FROM)
            limit = min(limit, TAPER_TO + (self.max_current - TAPER_TO) * share)
        return limit

    def _ramp(self, dt: float, target: float) -> None:
        if target > self.current:
            self.current = min(target, self.current + RAMP_UP * dt)
        else:
            self.current = max(target, self.current - RAMP_DOWN * dt)
