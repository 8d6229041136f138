"""The simulated board as a whole: electronics on one side, the physical world on the other, hands in between.

A model in time steps. The world (outlets, door, supply, boot counter) lasts; the electronics starts anew with the
process, with ``reset`` and with the return of the supply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hardware.readers.card import octets_of
from hardware.simulator.electronics import Electronics
from hardware.simulator.ev import Ev
from hardware.simulator.outlet import Outlet
from station.domain.board import Fault

FIRMWARE = "reference-1.0"


class NoSuchEvseError(Exception):
    """The board has no such EVSE."""


class NotNowError(Exception):
    """What a hand wants to do cannot be done now; the text says why."""


@dataclass(slots=True)
class World:
    """What lasts. ``changes`` counts what hands did, so that whoever keeps it knows when to."""

    outlets: dict[int, Outlet]
    door_open: bool = False
    supply: bool = True
    boot_count: int = 0
    changes: int = 0


@dataclass(slots=True)
class CardReader:
    """The reader's registers since the board's reset."""

    count: int = 0
    kind: str | None = None
    octets: bytes = b""
    evse_id: int = 0


@dataclass(slots=True)
class SimulatedBoard:
    """The board on its bench. Times in seconds; hands' actions raise NoSuchEvseError and NotNowError."""

    world: World
    sockets: bool = False  # the drivers bring the cables, and locks hold them
    electronics: dict[int, Electronics] = field(default_factory=dict)
    reader: CardReader = field(default_factory=CardReader)
    reset_cause: str = "Unknown"
    uptime: float = 0.0

    def __post_init__(self) -> None:
        self.reset("PowerOn")

    def reset(self, cause: str) -> None:
        """The electronics starts anew: contactors open, nothing allowed, counters at zero."""
        self.electronics = {
            evse_id: Electronics(evse_id, socket=self.sockets, locked=outlet.locked and self.sockets)
            for evse_id, outlet in self.world.outlets.items()
        }
        self.reader = CardReader()
        self.reset_cause, self.uptime = cause, 0.0
        for outlet in self.world.outlets.values():
            if outlet.ev:
                outlet.ev.restart()
        self.world.boot_count = (self.world.boot_count + 1) & 0xFFFF
        self._changed()

    def step(self, dt: float) -> None:
        """Let ``dt`` seconds pass everywhere."""
        self.uptime += dt
        for evse_id, electronics in self.electronics.items():
            outlet = self.world.outlets[evse_id]
            causes = {outlet.cause} if outlet.cause else set()
            if not self.world.supply:
                causes.add(Fault.POWER_LOSS)
            electronics.cable = outlet.cable or not self.sockets
            electronics.jammed = outlet.jammed
            electronics.step(dt, outlet.letter, frozenset(causes))
            outlet.step(dt, self.uptime, self.world.supply, electronics)
            if outlet.locked != electronics.locked:
                outlet.locked = electronics.locked
                self.world.changes += 1

    # ------------------------------------------------------------------ what a hand does

    def plug(self, evse_id: int, ev: Ev) -> None:
        """Connect an EV."""
        outlet = self._outlet(evse_id)
        if outlet.ev:
            raise NotNowError(f"EVSE {evse_id}: an EV is plugged in already")
        outlet.ev = ev
        outlet.cable = self.sockets
        self._changed()

    def unplug(self, evse_id: int, side: str | None = None) -> None:
        """Disconnect the EV: at the ``ev``'s side or at the ``station``'s; None: the cable as a whole."""
        outlet = self._outlet(evse_id)
        if side == "station" and not self.sockets:
            raise NotNowError(f"EVSE {evse_id}: the cable is fixed")
        if not outlet.ev and (side == "ev" or not outlet.cable):
            raise NotNowError(f"EVSE {evse_id}: nothing is plugged in")
        if self.sockets and side != "ev":
            if self.electronics[evse_id].locked:
                raise NotNowError(f"EVSE {evse_id}: the lock holds the cable")
            outlet.cable = False
        outlet.ev = None
        self._changed()

    def set_lock(self, evse_id: int, jammed: bool) -> None:
        """Let the lock of a socket jam where it stands, or free it."""
        if not self.sockets:
            raise NotNowError(f"EVSE {evse_id}: the cable is fixed, there is no lock")
        self._outlet(evse_id).jammed = jammed
        self._changed()

    def change_ev(self, evse_id: int, changes: Mapping[str, Any]) -> None:
        """Set attributes of the EV that is plugged in, by their names in ``Ev``."""
        ev = self._outlet(evse_id).ev
        if not ev:
            raise NotNowError(f"EVSE {evse_id}: nothing is plugged in")
        for name, value in changes.items():
            setattr(ev, name, value)
        self._changed()

    def set_fault(self, evse_id: int, cause: Fault | None) -> None:
        """Let a fault appear, or clear it."""
        self._outlet(evse_id).cause = cause
        self._changed()

    def set_bay(self, evse_id: int, occupied: bool) -> None:
        """Move a vehicle into the parking bay or out of it."""
        self._outlet(evse_id).bay_occupied = occupied
        self._changed()

    def hold_card(self, kind: str, uid: str, evse_id: int | None) -> None:
        """Hold a card to the reader; raises ValueError where no reader could have read such a card."""
        if evse_id is not None:
            self._outlet(evse_id)
        octets = octets_of(kind, uid)
        if not self.world.supply:
            raise NotNowError("the reader has no supply")
        self.reader = CardReader((self.reader.count + 1) & 0xFFFF, kind, octets, evse_id or 0)

    def set_door(self, is_open: bool) -> None:
        """Open or shut the housing."""
        self.world.door_open = is_open
        self._changed()

    def set_supply(self, on: bool) -> None:
        """Take the board's supply away, or give it back: then its electronics starts anew."""
        if on == self.world.supply:
            return
        self.world.supply = on
        self._changed()
        if on:
            self.reset("PowerOn")

    def _outlet(self, evse_id: int) -> Outlet:
        try:
            return self.world.outlets[evse_id]
        except KeyError:
            raise NoSuchEvseError(f"there is no EVSE {evse_id}") from None

    def _changed(self) -> None:
        self.world.changes += 1
        self.step(0.0)  # what the pilot shows follows at once

    # ------------------------------------------------------------------ what a bench shows

    def state(self) -> dict[str, Any]:
        """The whole board as ``GET /state`` gives it: V, A, W, Wh, per cent."""
        return {
            "power": self.world.supply,
            "door": self.world.door_open,
            "reader": {
                "count": self.reader.count,
                "uid": self.reader.octets.hex().upper() or None,
                "type": self.reader.kind,
            },
            "evses": {str(evse_id): self._evse_state(evse_id) for evse_id in self.world.outlets},
        }

    def _evse_state(self, evse_id: int) -> dict[str, Any]:
        outlet, electronics = self.world.outlets[evse_id], self.electronics[evse_id]
        ev = outlet.ev
        return {
            "state": electronics.cp_state,
            "plugged": ev is not None,
            "contactor": electronics.closed,
            "limit": round(electronics.offered, 1),
            "phases": electronics.phases,
            "voltage": [round(volts, 1) for volts in outlet.voltage],
            "current": [round(amperes, 2) for amperes in outlet.current],
            "power": round(sum(outlet.power), 1),
            "energy": outlet.register / 1000.0,
            "fault": outlet.cause,
            "bay": outlet.bay_occupied,
            "cable": outlet.cable or not self.sockets,
            "locked": electronics.locked,
            "ev": ev
            and {
                "requests_energy": ev.requests_energy,
                "max_current": ev.max_current,
                "phases": ev.phases,
                "soc": round(ev.soc, 2) if ev.tells_soc else None,
            },
        }
