"""Functional block C, Authorization: who may charge (C01, C15), by card, by the CSMS's request or on the web page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from station.device_model.components import AuthCtrlr, TxCtrlr
from station.domain.authorization import Authorization, AuthorizedBy
from station.domain.board import BoardSnapshot, CardRead
from station.domain.effects import FinishCommand
from station.domain.events import OperatorCommand
from station.domain.evse import EV_CONNECTED, Evse, Seat
from station.domain.moment import Moment
from station.domain.signals import AuthorizationEnded, Authorized, AuthorizeRemotely
from station.domain.transaction import IdToken
from station.ocpp.block import Block
from station.ocpp.context import Context

FRESH = 10.0  # s: an older card read, found after a restart, starts nothing
COUNTER = 0x10000  # the reader's counter is 16 bits wide
NO_AUTHORIZATION = IdToken("", "NoAuthorization")


@dataclass(frozen=True, slots=True)
class _Asking:
    """An Authorize that waits for the CSMS's word."""

    id_token: IdToken
    evse_id: int | None  # what the driver or the CSMS chose; None: to be found
    trigger: str
    remote_start_id: int | None = None
    stop: bool = False  # the token is not the one that started: only the group may stop (C09, E07.FR.01)
    command_id: int | None = None


class AuthorizationBlock(Block):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._asking: list[_Asking] = []
        self.refusal: tuple[float, int | None, str] | None = None  # monotonic, EVSE chosen, why: for the live view

    def asking(self, evse_id: int) -> bool:
        """An Authorize is under way that may be for this EVSE."""
        return any(one.evse_id in (None, evse_id) for one in self._asking)

    def on(self, event: object, now: Moment) -> None:
        match event:
            case BoardSnapshot():
                for read in self._new_reads(event):
                    if read.at is not None and now.monotonic - read.at <= FRESH:
                        evse_id = read.evse_id if read.evse_id in self._context.evses else None
                        self.present(IdToken(read.uid, read.type), evse_id, now)
                self._authorize_unasked(now)
            case AuthorizeRemotely():
                self._ask(_Asking(event.id_token, event.evse_id, "RemoteStart", event.remote_start_id), now)
            case OperatorCommand(action="start"):
                self._operator_start(event, now)

    # ------------------------------------------------------------------ cards

    def _new_reads(self, board: BoardSnapshot) -> list[CardRead]:
        """The reads not taken yet; the counter is kept, so that none is lost or taken twice.

        A read that the poller already found at its first look may be of any age: it is noted, never acted upon.
        """
        if not board.online:
            return []
        known = self._context.remembered.get("card_reader")
        same_boot = known is not None and known["boot"] == board.boot_count
        taken = known["count"] if known and same_boot else 0
        last = board.card_reads[-1].count if board.card_reads else taken
        if same_boot and (last - taken) % COUNTER >= COUNTER // 2:
            last = taken  # never backwards
        self._context.remember("card_reader", {"boot": board.boot_count, "count": last})
        return [
            read
            for read in board.card_reads
            if read.at is not None and (not same_boot or 0 < (read.count - taken) % COUNTER < COUNTER // 2)
        ]

    def present(self, id_token: IdToken, evse_id: int | None, now: Moment) -> None:
        """A driver presents a token, at the station's reader (``evse_id`` None) or at one EVSE's."""
        self._context.journal(now, "card_read", evse_id=evse_id, id_token=id_token.id_token, type=id_token.type)
        running = self._authorized_by(id_token, evse_id)
        if running is not None:  # C01.FR.03, E07.FR.01 (a): no Authorize first
            self._context.raise_signal(AuthorizationEnded(running.evse_id, "StopAuthorized", "Local", id_token))
            return
        if any(asking.id_token.matches(id_token) for asking in self._asking):
            return  # held to the reader twice; the answer is on its way
        target, refused = self._find_place(id_token, evse_id)
        if refused == "occupied" and self._stoppable(evse_id):
            self._ask(_Asking(id_token, evse_id, "StopAuthorized", stop=True), now)
        elif refused:
            self._refuse(id_token, evse_id, refused, now)
        else:
            self._ask(_Asking(id_token, target, "Authorized"), now)

    def _authorized_by(self, id_token: IdToken, evse_id: int | None) -> Seat | None:
        """The seat that this very token opened; the latest where it opened several."""
        seats = [
            seat
            for seat in self._context.seats()
            if evse_id in (None, seat.evse_id) and seat.authorization and seat.authorization.id_token.matches(id_token)
        ]
        return max(seats, key=lambda seat: seat.plugged_at or 0.0 if isinstance(seat, Evse) else 0.0, default=None)

    def _stoppable(self, evse_id: int | None) -> bool:
        return any(
            seat.authorization and seat.authorization.group_id_token
            for seat in self._context.seats()
            if evse_id in (None, seat.evse_id)
        )

    def _find_place(self, id_token: IdToken, evse_id: int | None) -> tuple[int | None, str]:
        """Which EVSE the token is for (None: the next that a cable is plugged into), or a word why there is none."""
        if self._context.restarting:
            return None, "restarting"
        if evse_id is not None:
            return evse_id, self._closed(self._context.evses[evse_id], id_token)
        occupied = [evse for evse in self._context.evses.values() if evse.plugged or evse.transaction]
        plugged = [evse for evse in occupied if not evse.authorization]
        open_ones = [evse for evse in plugged if not self._closed(evse, id_token)]
        if open_ones:
            return max(open_ones, key=lambda evse: evse.plugged_at or 0.0).id, ""
        if self._context.lobby.authorization:
            return None, "occupied"
        free = [
            evse for evse in self._context.evses.values() if evse not in occupied and not self._closed(evse, id_token)
        ]
        if free:
            return (free[0].id if len(self._context.evses) == 1 else None), ""
        return None, self._closed(plugged[0], id_token) if plugged else self._why_none(id_token)

    def _why_none(self, id_token: IdToken) -> str:
        words = [self._closed(evse, id_token) for evse in self._context.evses.values()]
        return next((word for word in words if word == "occupied"), words[0] if words else "unavailable")

    def _closed(self, evse: Evse, id_token: IdToken) -> str:
        """Why nobody can be authorized at that EVSE; empty where somebody can."""
        if evse.faults or not evse.board_online:
            return "faulted"
        if evse.authorization:
            return "occupied"
        if not self._context.availability.operative(evse.id):
            return "unavailable"
        transaction = evse.transaction
        if transaction and "ending" in transaction.extra:
            return "ending"
        if transaction and transaction.id_token and not transaction.id_token.matches(id_token):
            return "other_token"  # C01.FR.23
        return ""

    # ------------------------------------------------------------------ asking

    def _ask(self, asking: _Asking, now: Moment) -> None:
        outbox = self._context.outbox
        if not outbox.online:
            self._decide_offline(asking, now)
        elif outbox.registration != "Accepted":
            if self._context.model[TxCtrlr.TxBeforeAcceptedEnabled]:  # B02.FR.03, B03.FR.01
                self._decide_offline(asking, now)
            else:
                self._refused(asking, "not_registered", now)
        else:
            self._asking.append(asking)
            self._context.call(
                "Authorize",
                {"idToken": {"idToken": asking.id_token.id_token, "type": asking.id_token.type}},
                answered=lambda response, at: self._answered(asking, response, at),
                failed=lambda code, at: self._failed(asking, code, at),
            )

    def _answered(self, asking: _Asking, response: Mapping[str, Any], now: Moment) -> None:
        self._asking.remove(asking)
        info = response["idTokenInfo"]
        if info["status"] != "Accepted":
            self._refused(asking, info["status"], now)
            return
        group = token_of(info.get("groupIdToken"))
        if asking.stop or (asking.evse_id is None and self._group_runs(group)):
            self._stop_by_group(asking, group, now)
            return
        allowed = tuple(info.get("evseId") or ())
        self._grant(asking, AuthorizedBy.CSMS, now, group=group, allowed=allowed)

    def _failed(self, asking: _Asking, code: str, now: Moment) -> None:
        self._asking.remove(asking)
        if code == "LinkDown":
            self._decide_offline(asking, now)
        else:
            self._refused(asking, "no_answer", now)

    def _decide_offline(self, asking: _Asking, now: Moment) -> None:
        if asking.stop or not self._context.model[AuthCtrlr.OfflineTxForUnknownIdEnabled]:
            self._refused(asking, "offline", now)
        else:
            self._grant(asking, AuthorizedBy.OFFLINE, now)  # C15.FR.08

    def _group_runs(self, group: IdToken | None) -> bool:
        """C09.FR.03: with no cable waiting, a card of the same group means the session that runs."""
        return group is not None and any(
            seat.transaction and seat.authorization and group.matches(seat.authorization.group_id_token)
            for seat in self._context.seats()
        )

    def _stop_by_group(self, asking: _Asking, group: IdToken | None, now: Moment) -> None:
        for seat in self._context.seats():
            authorization = seat.authorization
            if asking.evse_id not in (None, seat.evse_id) or authorization is None or group is None:
                continue
            if group.matches(authorization.group_id_token):  # E07.FR.01 (b), C09
                ended = AuthorizationEnded(seat.evse_id, "StopAuthorized", "Local", asking.id_token)
                self._context.raise_signal(ended)
                return
        self._refused(asking, "occupied", now)

    # ------------------------------------------------------------------ granting

    def _grant(
        self,
        asking: _Asking,
        by: AuthorizedBy,
        now: Moment,
        *,
        group: IdToken | None = None,
        allowed: tuple[int, ...] = (),
    ) -> None:
        # the world may have changed while the CSMS was asked: find the place anew
        evse_id = asking.evse_id
        evse_id, refused = self._find_place(asking.id_token, evse_id)
        if not refused and allowed and evse_id is not None and evse_id not in allowed:
            refused = "NotAllowedTypeEVSE"  # C01.FR.21
        if refused:
            self._refused(asking, refused, now)
            return
        authorization = Authorization(
            asking.id_token, by, group, remote_start_id=asking.remote_start_id, evse_ids=allowed
        )
        self._context.journal(
            now, "authorized", evse_id=evse_id, id_token=asking.id_token.id_token, type=asking.id_token.type, by=str(by)
        )
        self._context.raise_signal(Authorized(evse_id, authorization, asking.trigger))
        self._finish(asking, "Accepted", "Authorized.")

    def _refused(self, asking: _Asking, why: str, now: Moment) -> None:
        self._refuse(asking.id_token, asking.evse_id, why, now)
        self._finish(asking, "Rejected", why)

    def _refuse(self, id_token: IdToken, evse_id: int | None, why: str, now: Moment) -> None:
        self.refusal = (now.monotonic, evse_id, why)
        self._context.journal(now, "refused", evse_id=evse_id, id_token=id_token.id_token, type=id_token.type, why=why)

    def _finish(self, asking: _Asking, status: str, message: str) -> None:
        if asking.command_id is not None:
            self._context.emit(FinishCommand(asking.command_id, status, message))

    # ------------------------------------------------------------------ without a card

    def _authorize_unasked(self, now: Moment) -> None:
        if self._context.model[AuthCtrlr.Enabled] or self._context.restarting:
            return
        registration = self._context.outbox.registration
        if registration in ("Pending", "Rejected") and not self._context.model[TxCtrlr.TxBeforeAcceptedEnabled]:
            return  # B02.FR.03, B03.FR.01
        for evse in self._context.evses.values():  # C01.FR.01: nobody has to be asked
            stopped = EV_CONNECTED in evse.spent
            if evse.transaction:
                stopped = evse.transaction.extra.get("authorized") is False
            if evse.plugged and not stopped and not self._closed(evse, NO_AUTHORIZATION):
                granted = Authorization(NO_AUTHORIZATION, AuthorizedBy.NONE_NEEDED)
                self._context.raise_signal(Authorized(evse.id, granted))

    def _operator_start(self, command: OperatorCommand, now: Moment) -> None:
        evse_id = command.arguments.get("evse_id")
        evse = self._context.evses.get(evse_id) if isinstance(evse_id, int) else None
        if evse is None:
            self._context.emit(FinishCommand(command.command_id, "Rejected", f"There is no EVSE {evse_id}."))
            return
        id_token = IdToken(f"WEB-{command.who}"[:36], "Local")
        asking = _Asking(id_token, evse.id, "Authorized", command_id=command.command_id)
        refused = "restarting" if self._context.restarting else self._closed(evse, id_token)
        if refused:
            self._refused(asking, refused, now)
        else:
            self._ask(asking, now)


def token_of(data: Mapping[str, Any] | None) -> IdToken | None:
    """The IdToken behind an IdTokenType; None for None."""
    return None if data is None else IdToken(data["idToken"], data["type"])
