"""What a board is to the poller: a small interface that every driver has, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from station.domain.board import CardRead, EvseSetpoint, EvseSnapshot


class BusError(Exception):
    """The board did not answer, or answered what is no register map of ours. The text is for people."""


class BoardRefusedError(BusError):
    """The board answered, and refused what was asked of it; the line itself is fine."""


@dataclass(frozen=True, slots=True)
class BoardReading:
    """All that one poll reads.

    ``card`` is the card last held to the reader since the board's reset (``at`` is None), or None where there was
    none or what the reader gave is no card; ``card_count`` counts either way. ``retries`` are requests of this poll
    that had to be repeated on the line.
    """

    map_version: int
    firmware: str
    boot_count: int
    reset_cause: str
    uptime: float
    door_open: bool
    evses: tuple[EvseSnapshot, ...]
    card_count: int = 0
    card: CardRead | None = None
    retries: int = 0


class Board(Protocol):
    """A board behind its driver. Every method may raise BusError and nothing else; none waits longer than a second."""

    def read(self) -> BoardReading:
        """Read everything; connects where needed."""

    def configure(self, evse_id: int, watchdog_timeout: int, fallback_current: float) -> None:
        """Set the watchdog's timeout (s) and the current while it is tripped (A)."""

    def feed(self, evse_id: int, beat: int) -> None:
        """Write the heartbeat; ``beat`` (16 bits) is free and helps whoever watches the line."""

    def write_setpoint(self, sequence: int, setpoint: EvseSetpoint) -> None:
        """Write a setpoint, its sequence number last."""

    def read_setpoint(self, evse_id: int) -> tuple[int, EvseSetpoint]:
        """Read back what the setpoint registers hold: sequence number and setpoint."""

    def acknowledge_watchdog(self, evse_id: int) -> None:
        """Tell the board that the station has seen the watchdog's trip."""

    def start_self_test(self, evse_id: int) -> None:
        """Begin a self-test; BoardRefusedError where the board will not now."""

    def dump(self) -> Mapping[int, tuple[Sequence[int], Sequence[int]]]:
        """By EVSE id the words of the input registers as last read, and those of the holding registers, read now."""

    def close(self) -> None:
        """Let go of the line; the next ``read`` connects anew. Never raises."""
