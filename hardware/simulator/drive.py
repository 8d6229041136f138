"""A demo drive: the simulated board's own hands go through a whole charging session.

Plug in, hold a card to the reader, charge for a while, hold the card again, wait for the contactor to open, unplug.
Whatever goes wrong, the hands unplug at the end and say why. Stepped in time like everything else on the bench.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hardware.simulator.board import NotNowError, SimulatedBoard
from hardware.simulator.ev import Ev

CARD_AFTER = 2.0  # s from plugging in to the card
ENERGY_WITHIN = 45.0  # s from the card to the first energy
OPEN_WITHIN = 30.0  # s from the second card to an open contactor
UNPLUG_AFTER = 1.0  # s from the open contactor


class Step(StrEnum):
    """Where a drive stands."""

    PLUGGED = "plugged"
    WAITING_FOR_ENERGY = "waiting_for_energy"
    CHARGING = "charging"
    STOPPING = "stopping"
    UNPLUGGING = "unplugging"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class Drive:
    """One drive on one EVSE; ``seconds`` is how long it charges. Raises NotNowError where it cannot begin."""

    board: SimulatedBoard
    evse_id: int
    seconds: float
    kind: str
    uid: str
    step_now: Step = Step.PLUGGED
    error: str | None = None
    _ev: Ev = field(default_factory=Ev)
    _for: float = 0.0  # s in this step

    def __post_init__(self) -> None:
        self.board.plug(self.evse_id, self._ev)

    @property
    def running(self) -> bool:
        """False when it is done or has failed."""
        return self.step_now not in (Step.DONE, Step.FAILED)

    @property
    def progress(self) -> float:
        """From 0 to 1, mostly the time charged."""
        charged = min(1.0, self._for / self.seconds) if self.step_now is Step.CHARGING else 0.0
        start = {
            Step.PLUGGED: 0.0,
            Step.WAITING_FOR_ENERGY: 0.05,
            Step.CHARGING: 0.1,
            Step.STOPPING: 0.9,
            Step.UNPLUGGING: 0.95,
            Step.DONE: 1.0,
            Step.FAILED: 1.0,
        }[self.step_now]
        return round(start + 0.8 * charged, 3)

    def state(self) -> dict[str, Any]:
        """As ``GET /state`` shows it."""
        return {"step": self.step_now, "progress": self.progress, "error": self.error}

    def abort(self, why: str) -> None:
        """Unplug now; ``why`` is kept as the error."""
        self._fail(why)

    def step(self, dt: float) -> None:
        """Let ``dt`` seconds pass."""
        if not self.running:
            return
        self._for += dt
        try:
            self._act()
        except (NotNowError, ValueError) as error:
            self._fail(str(error))

    def _act(self) -> None:
        outlet, electronics = self.board.world.outlets[self.evse_id], self.board.electronics[self.evse_id]
        if outlet.ev is not self._ev:
            self._fail("the EV was unplugged by hand")
        elif self.step_now is Step.PLUGGED and self._for >= CARD_AFTER:
            self.board.hold_card(self.kind, self.uid, self.evse_id)
            self._go(Step.WAITING_FOR_ENERGY)
        elif self.step_now is Step.WAITING_FOR_ENERGY:
            if self._ev.current > 0.0:
                self._go(Step.CHARGING)
            elif self._for >= ENERGY_WITHIN:
                self._fail(f"no energy within {ENERGY_WITHIN:g} s of the card")
        elif self.step_now is Step.CHARGING and self._for >= self.seconds:
            self.board.hold_card(self.kind, self.uid, self.evse_id)
            self._go(Step.STOPPING)
        elif self.step_now is Step.STOPPING:
            if not electronics.closed:
                self._go(Step.UNPLUGGING)
            elif self._for >= OPEN_WITHIN:
                self._fail(f"the contactor did not open within {OPEN_WITHIN:g} s of the second card")
        elif self.step_now is Step.UNPLUGGING and self._for >= UNPLUG_AFTER:
            self.board.unplug(self.evse_id)
            self._go(Step.DONE)

    def _go(self, step: Step) -> None:
        self.step_now, self._for = step, 0.0

    def _fail(self, why: str) -> None:
        self.error = why
        self._go(Step.FAILED)
        if self.board.world.outlets[self.evse_id].ev is self._ev:
            self.board.unplug(self.evse_id)
