"""Teach-in: the next card at the reader goes to the person at the web page who asked for it, and authorizes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from station.domain.board import CardRead
from station.domain.effects import FinishCommand
from station.domain.events import OperatorCommand
from station.domain.moment import Moment, rfc3339
from station.domain.transaction import IdToken
from station.ocpp.context import Context

TIME = 60.0  # s to hold a card to the reader
STILL_THERE = 5.0  # s in which the same card once more is one that was not taken away yet
KEPT = 600.0  # s that what was read waits to be given a name
TAUGHT = "taught_card"  # remembered: command_id, id_token, type; the web page shows it to whoever asked, only


@dataclass(slots=True)
class _Asked:
    command_id: int
    who: str
    until: float  # monotonic


class Teaching:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._asked: _Asked | None = None
        self._lately: tuple[IdToken, float] | None = None  # what was read, and until when it is the same reading
        self._kept_until: float | None = None

    def begin(self, command: OperatorCommand, now: Moment) -> None:
        """Somebody wants to teach a card; of the same person, the last wish counts."""
        self.expire(now)
        asked = self._asked
        if asked is not None and asked.who != command.who:
            self._finish(command.command_id, "Rejected", "teaching_taken")
            return
        if not any(evse.board_online for evse in self._context.evses.values()):
            self._finish(command.command_id, "Rejected", "no_reader")
            return
        if asked is not None:
            self._finish(asked.command_id, "Rejected", "teaching_stopped")
        self.forget()
        self._asked = _Asked(command.command_id, command.who, now.monotonic + TIME)

    def stop(self, command: OperatorCommand) -> None:
        """Whoever began (``command_id`` in the arguments) has thought better of it."""
        asked = self._asked
        if asked is None or asked.who != command.who or asked.command_id != command.arguments.get("command_id"):
            self._finish(command.command_id, "Rejected", "not_teaching")
            return
        self._asked = None
        self._finish(asked.command_id, "Rejected", "teaching_stopped")
        self._finish(command.command_id, "Accepted", "Done.")

    def take(self, read: CardRead, now: Moment) -> bool:
        """True where this reading is for the teach-in, and nobody is to be authorized by it."""
        self.expire(now)
        id_token = IdToken(read.uid, read.type)
        if self._asked is None:
            lately = self._lately
            return lately is not None and now.monotonic < lately[1] and id_token.matches(lately[0])
        command_id, self._asked = self._asked.command_id, None
        self._lately = (id_token, now.monotonic + STILL_THERE)
        self._kept_until = now.monotonic + KEPT
        at = rfc3339(self._context.clock.utc(now))
        taught = {"command_id": command_id, "id_token": read.uid, "type": read.type, "at": at}
        self._context.remember(TAUGHT, taught)
        self._context.journal(now, "card_taught")
        self._finish(command_id, "Accepted", "taught")
        return True

    def expire(self, now: Moment) -> None:
        """Nobody held a card to the reader in time; or what was read has waited long enough."""
        if self._asked is not None and now.monotonic >= self._asked.until:
            self._finish(self._asked.command_id, "Rejected", "no_card_read")
            self._asked = None
        if self._kept_until is not None and now.monotonic >= self._kept_until:
            self.forget()

    def forget(self) -> None:
        """What was read is nobody's any more; also after a restart."""
        self._kept_until = None
        self._context.remember(TAUGHT, None)

    def deadline(self) -> float | None:
        ends = [self._asked.until if self._asked else None, self._kept_until]
        return min((at for at in ends if at is not None), default=None)

    def _finish(self, command_id: int, status: str, message: str) -> None:
        self._context.emit(FinishCommand(command_id, status, message))
