"""The master pass: a card that ends what runs and starts nothing (C16)."""

from __future__ import annotations

from dataclasses import dataclass

from station.device_model.components import AuthCtrlr
from station.domain.authorization import TokenInfo
from station.domain.effects import FinishCommand
from station.domain.events import OperatorCommand
from station.domain.moment import Moment
from station.domain.signals import AuthorizationEnded
from station.domain.transaction import IdToken
from station.ocpp.context import Context

CHOICE = 60.0  # s to choose on the page; then all is as before (C16, error handling)


@dataclass(frozen=True, slots=True)
class _Choosing:
    id_token: IdToken
    until: float  # monotonic


class MasterPass:
    """Ends the sessions that a card of the master pass group asks to end: all, or those chosen on the web page."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._choosing: _Choosing | None = None

    @property
    def choosing(self) -> bool:
        """The web page is to offer the choice (C16.FR.01)."""
        return self._choosing is not None

    def is_one(self, info: TokenInfo) -> bool:
        """The token belongs to the master pass group. The group's type does not count: the variable has none."""
        group = self._context.model[AuthCtrlr.MasterPassGroupId]
        return (
            bool(group)
            and info.group_id_token is not None
            and info.group_id_token.id_token.casefold() == group.casefold()
        )

    def presented(self, id_token: IdToken, now: Moment) -> bool:
        """An accepted master pass was held to the reader; False where nothing runs that it could end."""
        if not any(seat.authorization for seat in self._context.seats()):
            return False
        self._context.journal(now, "master_pass", id_token=id_token.loggable, type=id_token.type)
        if self._context.model[AuthCtrlr.MasterPassSelection]:
            self._choosing = _Choosing(id_token, now.monotonic + CHOICE)  # C16.FR.01
        else:
            self._end(id_token, None)  # C16.FR.02
        return True

    def chosen(self, command: OperatorCommand, now: Moment) -> None:
        """Somebody chose on the page what is to end: ``evse_ids``, or None for everything."""
        self.expire(now)
        choosing, wanted = self._choosing, command.arguments.get("evse_ids")
        if choosing is None:
            self._finish(command, "Rejected", "no_master_pass")
            return
        if wanted is not None and not (isinstance(wanted, list) and wanted and set(wanted) <= set(self._context.evses)):
            self._finish(command, "Rejected", "There are no such EVSEs.")
            return
        self._choosing = None
        self._end(choosing.id_token, wanted)
        self._finish(command, "Accepted", "Stopped.")

    def expire(self, now: Moment) -> None:
        """Nobody chose in time."""
        if self._choosing is not None and now.monotonic >= self._choosing.until:
            self._choosing = None

    def deadline(self) -> float | None:
        return self._choosing.until if self._choosing else None

    def _end(self, id_token: IdToken, evse_ids: list[int] | None) -> None:
        for seat in self._context.seats():
            if seat.authorization and (evse_ids is None or seat.evse_id in evse_ids):
                # C16.FR.07 (both of that number): as E07 describes, and with a reason of its own
                ended = AuthorizationEnded(seat.evse_id, "StopAuthorized", "MasterPass", id_token)
                self._context.raise_signal(ended)

    def _finish(self, command: OperatorCommand, status: str, message: str) -> None:
        self._context.emit(FinishCommand(command.command_id, status, message))
