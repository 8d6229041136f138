"""Everything that must hold in a simulated life, checked while it is lived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from station.domain.board import BoardSnapshot
from station.domain.effects import FinishCommand, Stored
from station.domain.events import Event
from station.domain.moment import parse_rfc3339
from tests.simulation.books import Books
from tests.simulation.broken import Broken
from tests.simulation.configurations import ATTEMPTS, START
from tests.simulation.permits import TAKEN_AWAY, Permits, Settings
from tests.simulation.size import size_of
from tests.simulation.wire import Wire

if TYPE_CHECKING:
    from tests.simulation.world import World

__all__ = ["Broken", "Watch"]

STARTS_BEFORE_POWER = {"EVConnected", "Authorized", "PowerPathClosed"}
STARTS_WITH_POWER = {*STARTS_BEFORE_POWER, "EnergyTransfer"}
DEFAULTS = {
    "TxCtrlr.EVConnectionTimeOut": "60",
    "TxCtrlr.StopTxOnEVSideDisconnect": "true",
    "TxCtrlr.StopTxOnInvalidId": "true",
    "AuthCtrlr.Enabled": "true",
    "AuthCtrlr.LocalAuthorizeOffline": "true",
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": "true",
    START: "EVConnected,Authorized",
    ATTEMPTS: "3",
}
NOT_YET = -1e12
LOOKS, CLOSE_LOOKS = 300.0, 2.0  # s between looks at a meter; the latter while a refused card may have a little energy
CLOCK_SLACK = timedelta(seconds=2.1)  # the station's own tolerance, and the way of a message
SYNC = timedelta(seconds=0.5)
RATING = 32.0  # A


class Watch:
    """Hears of everything and raises ``Broken`` at the first rule that does not hold."""

    def __init__(self, world: World) -> None:
        self._world = world
        settings = Settings({**DEFAULTS, **world.script.variables})
        values = settings.values
        self.wire = Wire(float(values.get("OCPPCommCtrlr.MessageTimeout[Default]", "30")))
        points = set(values[START].split(","))
        bills_all = bool(STARTS_WITH_POWER & points)
        self._starts_late = not STARTS_BEFORE_POWER & points
        self.books = Books(world.utc, bills_all, int(values[ATTEMPTS]))
        self.permits = Permits(settings, frozenset(world.site.evses))
        self.settings = settings
        self._closed: dict[int, bool] = {}
        self._calls: dict[str, tuple[str, Any]] = {}  # ours: message id -> action, payload
        self._commands: dict[int, tuple[str, Mapping[str, Any]]] = {}
        self._finished = 0
        self._remote = 0
        self._cable_since: dict[int, float] = {}
        self._blind_until = 0.0
        self._pulled_unseen: set[int] = set()
        self._shown_at = NOT_YET

    # ------------------------------------------------------------------ life and link

    def booted(self) -> None:
        self.wire.booted()
        self.books.offline()
        self.books.forget_calls()
        self.permits.rebooted(self._world.t)
        self._calls.clear()
        self._shown_at = NOT_YET
        if self._world.wall_offset or not self._keeps_own_time:
            self._clock_is_set(None)

    def died(self) -> None:
        for action, request in self.wire.unanswered():
            if action == "RequestStartTransaction":  # it may be stored, and will never be answered
                evse = request.get("evseId")
                token = request["idToken"]["idToken"]
                self.permits.grant(self._world.t, "RequestStart", token, frozenset({evse}) if evse else None)
        self.wire.closed()
        self.permits.link_lost(self._world.t)
        self._blind_until = self._world.t
        if self._starts_late:
            self.books.excuse(None)  # a transaction that begins with the energy begins when somebody sees it

    def linked(self) -> None:
        self.wire.closed()
        self.books.forget_calls()

    def unlinked(self) -> None:
        self.wire.closed()
        self.books.offline()
        self.books.forget_calls()
        self.permits.link_lost(self._world.t)

    # ------------------------------------------------------------------ frames

    def delivered(self, text: str) -> None:
        """A message of the CSMS reaches the station."""
        try:
            frame = json.loads(text)
        except ValueError:
            self.wire.broken_off(text)
            return
        fresh = self.wire.delivered(frame, self._world.t)
        self.books.delivered(frame)
        if isinstance(frame, list) and len(frame) == 3 and frame[0] == 3 and frame[1] in self._calls:
            action, request = self._calls.pop(frame[1])
            self._answered(action, request, frame[2])
            if fresh and not self._keeps_own_time and isinstance(frame[2].get("currentTime"), str):
                self._clock_is_set(self._world.utc() - parse_rfc3339(frame[2]["currentTime"]))

    def _answered(self, action: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> None:
        info = response.get("idTokenInfo") if isinstance(response, dict) else None
        t = self._world.t
        if not isinstance(info, dict):
            return
        token = request["idToken"]["idToken"]
        if action == "Authorize":
            self.permits.authorize_answered(t, token, info)
        elif info["status"] == "Accepted":
            self.permits.known.add(token)
        elif self.settings.surely("TxCtrlr.StopTxOnInvalidId", t):
            self._refused(request, token)
        else:
            self._world.looks = CLOSE_LOOKS

    def _refused(self, request: Mapping[str, Any], token: str) -> None:
        """E05.FR.09, E05.FR.10: the transaction's own token is not accepted (any more)."""
        told = self.books.accounts.told.get(request["transactionInfo"]["transactionId"])
        entry = self.books.entries.get((request["transactionInfo"]["transactionId"], request["seqNo"]))
        if entry is None or entry.given_up:
            return  # the station has no question open any more
        if told and not told.ended and told.token and told.token["idToken"] == token:
            self.permits.take_away(told.evse_id, self._world.t, token)

    def sent(self, text: str) -> None:
        """A frame of the station goes out."""
        frame = json.loads(text)
        self.wire.sent(frame, self._world.t)
        if frame[0] == 2:
            self._calls[frame[1]] = (frame[2], frame[3])
            while len(self._calls) > 20:
                del self._calls[next(iter(self._calls))]
            self.books.sent(frame[1], frame[2], frame[3])
        accepted, self.wire.accepted = self.wire.accepted, []
        for action, request, response in accepted:
            self._agreed(action, request, response)

    def _agreed(self, action: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> None:
        """The station has answered a call of the CSMS."""
        t = self._world.t
        if action == "RequestStartTransaction" and response["status"] == "Accepted":
            evse = request.get("evseId")
            where = frozenset({evse}) if evse else None
            if not self.settings.surely("AuthCtrlr.AuthorizeRemoteStart", t):
                self.permits.grant(t, "RequestStart", request["idToken"]["idToken"], where)
            else:
                self.permits.card(t, request["idToken"]["idToken"], evse, online=True, accepted=True)
        elif action == "RequestStopTransaction" and response["status"] == "Accepted":
            told = self.books.accounts.told.get(request["transactionId"])
            if told is not None and told.evse_id is not None:
                self.permits.take_away(told.evse_id, t)
        elif action == "SetVariables":
            for asked, result in zip(request["setVariableData"], response["setVariableResult"], strict=True):
                if result["attributeStatus"] == "Accepted":
                    name = f"{asked['component']['name']}.{asked['variable']['name']}"
                    self.settings.set(name, asked["attributeValue"], t)

    # ------------------------------------------------------------------ steps

    def committed(self, event: Event, stored: list[Stored]) -> None:
        """A step is on the disk."""
        del event
        for told in self.books.committed(stored, online=self._world.line.up):
            if told["triggerReason"] in TAKEN_AWAY or told["eventType"] == "Ended":
                known = self.books.accounts.told[told["transactionInfo"]["transactionId"]]
                token = known.token["idToken"] if known.token else None
                self.permits.take_away(known.evse_id, self._world.t, token)
                self._world.looks = LOOKS
        for effect in stored:
            if isinstance(effect, FinishCommand):
                self._command_done(effect)

    def stepped(self) -> None:
        """A step is done with."""
        self.moved()

    def check(self) -> None:
        """Time has passed."""
        self.wire.check(self._world.t)
        self.moved()

    def looked(self, snapshot: BoardSnapshot) -> None:
        """The station is about to see that."""
        if not snapshot.online or snapshot.at < self._shown_at:
            return
        for evse in self._pulled_unseen:
            if not self._world.site.evses[evse].plugged:  # else nobody can tell that it is not the same EV
                self._pulled(evse)
        self._pulled_unseen.clear()
        first, self._shown_at = self._shown_at == NOT_YET, snapshot.at
        for one in snapshot.evses:
            if not self._world.site.evses[one.evse_id].meter:
                self.books.shown(one.evse_id, one.meter.energy)
            elif first:
                self.books.lied_at_first(one.evse_id)

    @property
    def _blind(self) -> bool:
        """The station cannot see the board."""
        world = self._world
        return world.station is None or not world.site.online or world.t < world.redis_back or not world.supply

    def moved(self) -> None:
        """Something may have moved at the board."""
        world = self._world
        t = world.t
        if self._blind:
            self._blind_until = t
        excused = t - self._blind_until < 2.0
        for evse_id, car in world.site.evses.items():
            was, self._closed[evse_id] = self._closed.get(evse_id, False), car.closed
            if car.closed and not was and not excused:
                self.permits.closes(evse_id, t)
            else:
                self.permits.power(evse_id, t, closed=car.closed, excused=excused)
            if car.wanted and car.wanted.current > RATING:
                raise Broken("current", f"EVSE {evse_id} is offered {car.wanted.current} A")

    # ------------------------------------------------------------------ people

    def plugged(self, evse: int) -> None:
        self.permits.plugged_in(evse, self._world.t)

    def unplugged(self, evse: int) -> None:
        if self._blind:
            self._pulled_unseen.add(evse)
            return
        self._pulled(evse)

    def _pulled(self, evse: int) -> None:
        car = self._world.site.evses[evse]
        self.permits.pulled(evse, self._world.t, held=car.socket and car.cable)

    def cable_gone(self, evse: int) -> None:
        self.permits.cable_gone(evse, self._world.t)

    def presented(self, uid: str, evse: int | None) -> None:
        accepted = self.wire.registration == "Accepted"
        self.permits.card(self._world.t, uid, evse, online=self._world.line.up, accepted=accepted)

    def command(self, action: str, arguments: Mapping[str, Any]) -> int:
        """A number for an operator's command."""
        number = len(self._commands) + 1
        self._commands[number] = (action, arguments)
        return number

    def _command_done(self, effect: FinishCommand) -> None:
        action, arguments = self._commands[effect.command_id]
        self._finished += 1
        if effect.status != "Accepted":
            return
        if action == "start":
            self.permits.grant(self._world.t, "web page", None, frozenset({arguments["evse_id"]}))
        elif action == "stop":
            self.permits.take_away(arguments["evse_id"], self._world.t)

    def next_remote_id(self) -> int:
        self._remote += 1
        return self._remote

    # ------------------------------------------------------------------ disturbances

    def disturbed(self, evse: int | None) -> None:
        """The board is away, or lies: what flows meanwhile may be nobody's."""
        self.books.excuse(evse)

    @property
    def _keeps_own_time(self) -> bool:
        """The machine's clock is the station's; otherwise the CSMS tells it the time."""
        return self.settings.values.get("ClockCtrlr.TimeSource", "Heartbeat") != "Heartbeat"

    def machine_clock_moved(self) -> None:
        """The machine's clock was set, right or wrong."""
        if self._keeps_own_time:
            self._clock_is_set(self._world.wall_offset)

    def _clock_is_set(self, error: timedelta | None) -> None:
        """The station's clock is wrong by this now (None: nobody knows); times may go back once where that is new."""
        was, self.books.clock_error = self.books.clock_error, None if error is None else abs(error) + CLOCK_SLACK
        if was != CLOCK_SLACK or self.books.clock_error is None or self.books.clock_error > CLOCK_SLACK + SYNC:
            self.books.forgive_times()
        elif error is not None:
            self.books.clock_error = CLOCK_SLACK

    # ------------------------------------------------------------------ size

    def size(self) -> int:
        """How many elements the station's lists and tables have."""
        return size_of(self._world.station)
