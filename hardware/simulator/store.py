"""Keeping the simulated board's world: one small JSON file, replaced whole.

A replaced file survives the death of the process at any point, so the meter's register, which shows only what was
kept, never goes back. It is written when a hand changed something and, while energy flows, once a second or watt-hour.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from hardware.simulator.board import SimulatedBoard, World
from hardware.simulator.outlet import Outlet, pack, unpack

log = logging.getLogger(__name__)

INTERVAL = 1.0  # s
STEP = 1000.0  # mWh; a meter that leaps further than its power explains is not believed


class StoreError(Exception):
    """The file cannot be used; the text says which and why."""


class Store:
    """The world's file. ``path`` lies in a folder that is made when needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changes = -1
        self._saved_at = 0.0
        self._others: dict[str, Any] = {}  # EVSEs that this start does not have; they may come back
        self._failing = False

    def load(self, evses: int) -> World:
        """The world as it was left, with EVSEs 1 to ``evses``; new ones are empty. Raises StoreError."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            outlets = {int(key): unpack(value) for key, value in data["evses"].items() if int(key) <= evses}
            self._others = {key: value for key, value in data["evses"].items() if int(key) > evses}
            world = World(outlets, bool(data["door_open"]), bool(data["supply"]), int(data["boot_count"]))
        except FileNotFoundError:
            world = World({})
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{self.path}: not the state of a simulated board; move it away to start anew") from error
        world.outlets = {evse_id: world.outlets.get(evse_id) or Outlet() for evse_id in range(1, evses + 1)}
        return world

    def keep(self, board: SimulatedBoard, now: float) -> None:
        """Write where it is due by ``now`` (monotonic seconds); a full disk is told once and tried again."""
        if not self._due(board.world, now):
            return
        try:
            self.save(board.world)
        except StoreError as error:
            if not self._failing:
                log.error("%s; the simulated meters stand still", error)
            self._failing = True
        else:
            self._failing = False
        self._saved_at = now

    def save(self, world: World) -> None:
        """Write now, and let the meters show what was written; raises StoreError."""
        changes = world.changes
        outlets = {str(evse_id): pack(outlet) for evse_id, outlet in world.outlets.items()}
        data = {
            "door_open": world.door_open,
            "supply": world.supply,
            "boot_count": world.boot_count,
            "evses": outlets | self._others,
        }
        fresh = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(data), encoding="utf-8")
            fresh.replace(self.path)
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}") from error
        self._changes = changes
        for evse_id, outlet in world.outlets.items():
            l1, l2, l3 = outlets[str(evse_id)]["energy"]
            outlet.shown = l1, l2, l3

    def _due(self, world: World, now: float) -> bool:
        rested = now - self._saved_at >= INTERVAL
        if world.changes != self._changes:
            return rested or not self._failing
        outlets = world.outlets.values()
        if max(outlet.energy - outlet.register for outlet in outlets) >= STEP:
            return rested or not self._failing
        flowing = any(outlet.current[0] for outlet in outlets)
        return any(outlet.lags for outlet in outlets) and (rested or not flowing)
