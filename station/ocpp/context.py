"""What every functional block gets: the device model, the EVSEs, the way out. Never the whole station."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from station.device_model.components import TxCtrlr
from station.domain.effects import Effect, Journal, Remember
from station.domain.moment import Moment

if TYPE_CHECKING:
    from station.device_model.model import DeviceModel
    from station.domain.availability import Availability
    from station.domain.clock import Clock
    from station.domain.evse import Evse, Lobby, Seat
    from station.domain.reservation import Reservations
    from station.domain.transaction import IdToken
    from station.ocpp.certificates import CertificateStore
    from station.ocpp.outbox import Outbox
    from station.ocpp.signing import Signing
    from station.ocpp.token_cache import TokenCache

Answered = Callable[[Mapping[str, Any], Moment], None]
Failed = Callable[[str, Moment], None]


class Context:
    """Shared by the blocks of one station.

    ``emit`` collects the effects of the running step; ``raise_signal`` tells the other blocks something, after the
    running handler returns; ``call`` asks the CSMS something that may be lost (for what may not, see
    ``Outbox.enqueue``).
    """

    def __init__(
        self,
        model: DeviceModel,
        evses: dict[int, Evse],
        lobby: Lobby,
        availability: Availability,
        clock: Clock,
        reservations: Reservations,
        remembered: Mapping[str, Any],
        entropy: random.Random,
    ) -> None:
        self.model = model
        self.evses = evses
        self.lobby = lobby
        self.availability = availability
        self.reservations = reservations
        self.clock = clock
        self.outbox: Outbox
        self.signing: Signing
        self.token_cache: TokenCache
        self.certificates: CertificateStore
        self.remembered: dict[str, Any] = dict(remembered)
        # A CSMS of the present network profiles had accepted the present identity; the network profiles' block knows.
        self.accepted_before: Callable[[], bool] = lambda: False
        self.restarting = False  # a reset is scheduled or under way: nobody new is let in
        self.installing = False  # a firmware is being installed, which no reset may disturb
        # What blocks keep about a token themselves: each returns a line for each fact (N09).
        self.customer_sources: list[Callable[[IdToken], Iterable[str]]] = []
        self.effects: list[Effect] = []
        self.signals: list[object] = []
        self._entropy = entropy
        self._answering = ""
        self.call_size = 0

    # ------------------------------------------------------------------ out

    def emit(self, effect: Effect) -> None:
        """Add an effect to the running step."""
        self.effects.append(effect)

    def raise_signal(self, signal: object) -> None:
        """Let every block's ``on`` hear ``signal`` within this step, once the running one has returned."""
        self.signals.append(signal)

    def call(
        self,
        action: str,
        payload: Mapping[str, Any],
        *,
        answered: Answered | None = None,
        failed: Failed | None = None,
        requested: bool = False,
    ) -> None:
        """Call the CSMS when the link allows; dropped when the link goes down (``failed`` then hears ``LinkDown``).

        ``requested``: the CSMS asked for this message, so that it may go out while the registration is Pending.
        """
        self.outbox.call(action, payload, answered=answered, failed=failed, requested=requested)

    def journal(
        self, now: Moment, kind: str, *, evse_id: int | None = None, transaction_id: str | None = None, **data: Any
    ) -> None:
        """Note something that a person may want to read later."""
        self.emit(Journal(at=self.clock.utc(now), kind=kind, evse_id=evse_id, transaction_id=transaction_id, data=data))

    def remember(self, key: str, value: Any) -> None:
        """Keep a small durable fact (JSON; None forgets it); writes only where it changed (flash wear)."""
        if self.remembered.get(key) == value:
            return
        if value is None:
            self.remembered.pop(key, None)
        else:
            self.remembered[key] = value
        self.emit(Remember(key, value))

    def may_charge(self) -> bool:
        """Whether a transaction may begin as far as the CSMS's acceptance goes (B02.FR.03, B03.FR.01; part 2, B 1.1).

        Without TxCtrlr.TxBeforeAcceptedEnabled only a CSMS that accepts the station now, or that had accepted it with
        the present settings and has not answered since the boot, lets anybody charge.
        """
        registration = self.outbox.registration
        if registration == "Accepted" or self.model[TxCtrlr.TxBeforeAcceptedEnabled]:
            return True
        return registration is None and self.accepted_before()

    # ------------------------------------------------------------------ where sessions are

    def seats(self) -> list[Seat]:
        """Every EVSE by its id, then the lobby."""
        return [*self.evses.values(), self.lobby]

    def seat(self, evse_id: int | None) -> Seat:
        """The EVSE, or the lobby for None."""
        return self.lobby if evse_id is None else self.evses[evse_id]

    def seat_of(self, transaction_id: str) -> Seat | None:
        """Where that transaction runs, or None."""
        for seat in self.seats():
            if seat.transaction and seat.transaction.transaction_id == transaction_id:
                return seat
        return None

    # ------------------------------------------------------------------ answering later

    def answer_later(self) -> str:
        """The id of the CALL being handled, for an ``Answer`` effect in a later step."""
        return self._answering

    def handling(self, call_id: str, size: int = 0) -> None:
        """The station notes which CALL is being handled, and how many bytes its frame has (0: not known)."""
        self._answering, self.call_size = call_id, size

    # ------------------------------------------------------------------ identifiers

    def new_id(self) -> str:
        """A random UUID (message ids, transaction ids: E01.FR.08), from the entropy the shell gave."""
        return str(uuid.UUID(int=self._entropy.getrandbits(128), version=4))
