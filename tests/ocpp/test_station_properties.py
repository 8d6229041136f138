"""Any order of plug, card, EV, fault, answer, loss of link or power, and time keeps the invariants.

``make test`` runs a small profile; ``HYPOTHESIS_PROFILE=long pytest tests/ocpp/test_station_properties.py`` a long one.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from station.device_model.components.transactions import TX_START_POINTS, TX_STOP_POINTS
from station.domain.authorization import AuthorizedBy
from station.domain.board import Fault
from station.domain.events import OperatorCommand, Tick
from station.domain.evse import Evse
from station.domain.moment import rfc3339
from station.domain.reason import Why
from tests.support.invariants import Ledger, content
from tests.support.memory_rig import MemoryRig

EVSES = st.sampled_from([1, 2])
CARDS = st.sampled_from(["04AAAA01", "04BBBB02", "04CCCC03"])
PAUSES = st.sampled_from([0.0, 0.2, 1.4, 6.0, 12.0])  # s
SELDOM = st.sampled_from([False, False, False, True])
STARTS_BEFORE_ENERGY = {"EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer"}
MODES: dict[str, list[Any]] = {
    "Authorize": [
        {"idTokenInfo": {"status": "Accepted"}},
        {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "FLEET", "type": "Central"}}},
        {"idTokenInfo": {"status": "Accepted", "evseId": [2]}},
        {"idTokenInfo": {"status": "Blocked"}},
        {"error": "InternalError"},
        None,
    ],
    "TransactionEvent": [
        {},
        {"idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "FLEET", "type": "Central"}}},
        {"idTokenInfo": {"status": "Invalid"}},
        {"error": "GenericError"},
        {"totalCost": "not a number"},
        None,
    ],
    "BootNotification": ["Accepted", "Accepted", "Accepted", "Pending", "Rejected", {"error": "InternalError"}, None],
    "StatusNotification": [{}, {"error": "NotSupported"}, None],
    "MeterValues": [{}, None],
    "Heartbeat": ["now", None],
    "SecurityEventNotification": [{}, {"error": "NotImplemented"}, {"error": "GenericError"}],
}


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, str]:
    def points(choice: tuple[str, ...]) -> str:
        return ",".join(sorted(draw(st.sets(st.sampled_from(choice), min_size=1, max_size=3))))

    def flag() -> str:
        return draw(st.sampled_from(["true", "false"]))

    return {
        "TxCtrlr.TxStartPoint": points(TX_START_POINTS),
        "TxCtrlr.TxStopPoint": points(TX_STOP_POINTS),
        "TxCtrlr.StopTxOnEVSideDisconnect": flag(),
        "TxCtrlr.StopTxOnInvalidId": flag(),
        "TxCtrlr.TxBeforeAcceptedEnabled": flag(),
        "TxCtrlr.EVConnectionTimeOut": draw(st.sampled_from(["3", "60"])),
        "TxCtrlr.ResumptionTimeout": draw(st.sampled_from(["0", "30", "3600"])),
        "AuthCtrlr.Enabled": draw(st.sampled_from(["true", "true", "true", "false"])),
        "AuthCtrlr.AuthorizeRemoteStart": flag(),
        "AuthCtrlr.OfflineTxForUnknownIdEnabled": flag(),
        "AuthCtrlr.LocalPreAuthorize": flag(),
        "AuthCtrlr.LocalAuthorizeOffline": flag(),
        "AuthCtrlr.MasterPassGroupId": draw(st.sampled_from(["", "", "FLEET"])),
        "AuthCtrlr.MasterPassSelection": flag(),
        "AuthCacheCtrlr.Enabled": flag(),
        "AuthCacheCtrlr.LifeTime": draw(st.sampled_from(["60", "2592000"])),
        "AuthCacheCtrlr.Storage": draw(st.sampled_from(["250", "262144"])),
        "TxCtrlr.MaxEnergyOnInvalidId": draw(st.sampled_from(["0", "20"])),
        "SampledDataCtrlr.TxUpdatedInterval": draw(st.sampled_from(["0", "10", "60"])),
        "SampledDataCtrlr.TxEndedInterval": draw(st.sampled_from(["0", "7"])),
        "AlignedDataCtrlr.Interval": draw(st.sampled_from(["0", "60", "900"])),
        "AlignedDataCtrlr.TxEndedInterval": draw(st.sampled_from(["0", "30"])),
        "AlignedDataCtrlr.SendDuringIdle": flag(),
        # nothing is to be given up here: that is what test_outbox is for
        "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "100",
        "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": draw(st.sampled_from(["120", "600"])),
        "OCPPCommCtrlr.QueueAllMessages": flag(),
        "OCPPCommCtrlr.OfflineThreshold": draw(st.sampled_from(["0", "60"])),
    }


class StationMachine(RuleBasedStateMachine):
    @initialize(configuration=configurations(), connect=st.sampled_from([True, True, True, False]))
    def start(self, configuration: dict[str, str], connect: bool) -> None:
        self.configuration = configuration
        self.rig = MemoryRig(**configuration)
        self.ledger = Ledger(self.rig)
        self.commands = 0
        self.blocked: set[str] = set()
        self.rig.on_frame = self._on_frame
        self.rig.answers["BootNotification"] = self._boot_answer
        self.rig.answers["Heartbeat"] = self._heartbeat_answer
        self.boot_mode: Any = "Accepted"
        self.heartbeat_mode: Any = "now"
        self.rig.boot(connect=connect)

    def _on_frame(self, frame: list[Any]) -> None:
        """Rule 3 of the design: what must not be lost is stored before it is on the wire."""
        if frame[0] == 2 and frame[2] in ("TransactionEvent", "SecurityEventNotification"):
            assert any(call.payload == frame[3] for call in self.rig.disk.queue.values()), "sent before it was stored"

    def _boot_answer(self, request: dict[str, Any]) -> dict[str, Any] | None:
        if not isinstance(self.boot_mode, str):
            return self.boot_mode
        return {
            "status": self.boot_mode,
            "interval": 20,
            "currentTime": rfc3339(self.rig.station.clock.utc(self.rig.now)),
        }

    def _heartbeat_answer(self, request: dict[str, Any]) -> dict[str, Any] | None:
        return {"currentTime": rfc3339(self.rig.station.clock.utc(self.rig.now))} if self.heartbeat_mode else None

    # ------------------------------------------------------------------ driver and EV

    @rule(evse=EVSES, seconds=PAUSES)
    def cable(self, evse: int, seconds: float) -> None:
        if self.rig.board.evses[evse].plugged:
            self.rig.unplug(evse)
        else:
            self.rig.plug(evse)
        self.rig.let(seconds)

    @rule(card=CARDS, evse=st.none() | EVSES, seconds=PAUSES)
    def card(self, card: str, evse: int | None, seconds: float) -> None:
        before = self._let_in(card)
        self.rig.card(card, evse=evse)
        self.rig.let(seconds)
        if card in self.blocked:
            assert self._let_in(card) <= before, "a blocked card was let in where it was presented"

    def _let_in(self, card: str) -> set[int | None]:
        """The EVSEs (None: the lobby) where somebody may charge because of that card, and not because of the CSMS."""
        seats = self.rig.station.context.seats()
        return {
            seat.evse_id
            for seat in seats
            if (given := seat.authorization) and given.id_token.id_token == card and given.remote_start_id is None
        }

    @rule(card=CARDS, evse=EVSES, cable_first=st.booleans(), seconds=PAUSES)
    def start_session(self, card: str, evse: int, cable_first: bool, seconds: float) -> None:
        self.session(card, evse, cable_first=cable_first, seconds=seconds)

    def session(self, card: str, evse: int, *, cable_first: bool, seconds: float) -> None:
        """A shortcut into the middle of a session, so that short runs get there."""
        if self.rig.station.context.evses[evse].authorization:
            return
        self.rig.board.evses[evse].wants_energy = True
        if cable_first:
            self.rig.plug(evse)
        self.rig.card(card, evse=evse)
        self.rig.let(0.4)
        self.rig.plug(evse)
        self.rig.let(2.0 + seconds)

    @rule(card=CARDS, evse=EVSES, stop=st.booleans())
    def whole_session(self, card: str, evse: int, stop: bool) -> None:
        self.session(card, evse, cable_first=True, seconds=6.0)
        if stop:
            self.rig.card(card, evse=evse)
            self.rig.let(2.0)
        self.rig.unplug(evse)
        self.rig.let(1.0)

    @rule(evse=EVSES, seconds=PAUSES)
    def ev_pauses(self, evse: int, seconds: float) -> None:
        self.rig.ev(evse, wants_energy=not self.rig.board.evses[evse].wants_energy)
        self.rig.let(seconds)

    @rule(evse=EVSES, seconds=PAUSES)
    def bay(self, evse: int, seconds: float) -> None:
        self.rig.bay(evse, occupied=not self.rig.board.evses[evse].bay)
        self.rig.let(seconds)

    # ------------------------------------------------------------------ board

    @rule(evse=EVSES, fault=st.sampled_from(Fault), seconds=PAUSES, stays=SELDOM)
    def fault(self, evse: int, fault: Fault, seconds: float, stays: bool) -> None:
        self.rig.fault(evse, fault)
        self.rig.let(seconds)
        if not stays:
            self.rig.fault(evse, None)

    @rule(seconds=PAUSES, stays=SELDOM)
    def board_offline(self, seconds: float, stays: bool) -> None:
        self.rig.board.online = False
        self.rig.let(0.2 + seconds)
        self.rig.board.online = not stays
        self.rig.poll()

    @precondition(lambda self: not self.rig.board.online)
    @rule()
    def board_online(self) -> None:
        self.rig.board.online = True
        self.rig.poll()

    @rule(
        evse=EVSES,
        says=st.sampled_from(
            [{"energy": 0}, {"energy": 0xFFFF_FFFF}, {"energy": 10**12}, {"ok": False}, {"age": 60.0}]
        ),
    )
    def meter_glitch(self, evse: int, says: dict[str, Any]) -> None:
        self.rig.board.evses[evse].meter = says
        self.rig.let(0.4)
        self.rig.board.evses[evse].meter = {}

    @rule(open_=st.booleans())
    def door(self, open_: bool) -> None:
        self.rig.board.door_open = open_
        self.rig.poll()

    # ------------------------------------------------------------------ CSMS

    @rule(data=st.data(), action=st.sampled_from(sorted(MODES)))
    def answers(self, data: st.DataObject, action: str) -> None:
        modes = MODES[action]
        mode = data.draw(st.just(modes[0]) | st.sampled_from(modes))
        if action == "BootNotification":
            self.boot_mode = mode
        elif action == "Heartbeat":
            self.heartbeat_mode = mode
        else:
            self.rig.answers[action] = mode

    @rule()
    def late_answers(self) -> None:
        self.rig.release()

    @precondition(lambda self: not self.rig.online)
    @rule()
    def link_up(self) -> None:
        self.rig.connect()

    @precondition(lambda self: self.rig.online)
    @rule(evse=EVSES, seconds=PAUSES, stays=SELDOM, in_flight=st.booleans())
    def link_down(self, evse: int, seconds: float, stays: bool, in_flight: bool) -> None:
        if in_flight:  # the link breaks before these are answered
            before = dict(self.rig.answers)
            self.rig.answers.update({"TransactionEvent": None, "StatusNotification": None})
            self.cable(evse, 0.2)
            self.rig.answers.clear()
            self.rig.answers.update(before)
        self.rig.disconnect()
        self.rig.let(seconds)
        if not stays:
            self.rig.connect()

    @precondition(lambda self: self.rig.online)
    @rule(card=CARDS, evse=st.none() | EVSES, number=st.integers(0, 2**31 - 1))
    def request_start(self, card: str, evse: int | None, number: int) -> None:
        request = {"remoteStartId": number, "idToken": {"idToken": card, "type": "ISO14443"}}
        self.rig.call("RequestStartTransaction", request | ({"evseId": evse} if evse else {}))

    @precondition(lambda self: self.rig.online)
    @rule(evse=EVSES)
    def request_stop(self, evse: int) -> None:
        transaction = self.rig.station.context.evses[evse].transaction
        transaction_id = transaction.transaction_id if transaction else "none"
        self.rig.call("RequestStopTransaction", {"transactionId": transaction_id})

    @precondition(lambda self: self.rig.online)
    @rule(evse=EVSES)
    def unlock(self, evse: int) -> None:
        self.rig.call("UnlockConnector", {"evseId": evse, "connectorId": 1})

    @precondition(lambda self: self.rig.online)
    @rule(kind=st.sampled_from(["OnIdle", "Immediate", "restart"]), seconds=PAUSES)
    def reset(self, kind: str, seconds: float) -> None:
        if kind == "restart":
            self.rig.operator("restart", 10_000)
        else:
            self.rig.call("Reset", {"type": kind})
        self.rig.let(seconds)

    @precondition(lambda self: self.rig.online)
    @rule(evse=st.sampled_from([None, {"id": 1}, {"id": 2}, {"id": 1, "connectorId": 1}]), operative=st.booleans())
    def change_availability(self, evse: dict[str, int] | None, operative: bool) -> None:
        request = {"operationalStatus": "Operative" if operative else "Inoperative"}
        self.rig.call("ChangeAvailability", request | ({"evse": evse} if evse else {}))

    @precondition(lambda self: self.rig.online)
    @rule(
        message=st.sampled_from(
            ["BootNotification", "Heartbeat", "StatusNotification", "MeterValues", "TransactionEvent"]
        ),
        evse=EVSES,
    )
    def trigger(self, message: str, evse: int) -> None:
        self.rig.call("TriggerMessage", {"requestedMessage": message, "evse": {"id": evse, "connectorId": 1}})

    # ------------------------------------------------------------------ operator, power, time

    @rule(action=st.sampled_from(["start", "stop", "unlock", "availability"]), evse=EVSES, on=st.booleans())
    def operator(self, action: str, evse: int, on: bool) -> None:
        self.commands += 1
        self.rig.operator(action, self.commands, evse_id=evse, operative=on)

    @rule(card=CARDS, action=st.sampled_from(["block_card", "unblock_card", "teach_card", "stop_teaching"]))
    def own_cards(self, card: str, action: str) -> None:
        self.commands += 1
        arguments = {"id_token": card.lower(), "type": "ISO14443", "command_id": self.commands - 1}
        self.rig.step(OperatorCommand(self.commands, "owner", action, arguments))
        if action == "block_card":
            self.blocked.add(card)
        elif action == "unblock_card":
            self.blocked.discard(card)

    @rule(away=st.sampled_from([0.0, 20.0, 5000.0]), connect=st.sampled_from([True, True, False]))
    def power_cut(self, away: float, connect: bool) -> None:
        self.rig.power_cut()
        self.rig.now = self.rig.now.plus(away)
        self.rig.boot(connect=connect)

    @rule(seconds=st.sampled_from([0.2, 0.4, 1.0, 5.0, 12.0]))
    def let(self, seconds: float) -> None:
        self.rig.let(seconds)

    @rule(seconds=st.sampled_from([30.0, 61.0, 901.0, 7200.0]))
    def skip(self, seconds: float) -> None:
        self.rig.skip(seconds)
        self.rig.poll()

    @rule(days=st.sampled_from([-20_000, -1, 1, 10_000]))
    def jump_wall_clock(self, days: int) -> None:
        if self.rig.now.wall.year in range(2025, 2028):
            self.rig.jump_wall_clock(timedelta(days=days))
        else:
            self.rig.jump_wall_clock(self.rig.station.clock.utc(self.rig.now) - self.rig.now.wall)

    # ------------------------------------------------------------------ what must hold

    @invariant()
    def rebooted(self) -> None:
        """The shell restarts what asked for it."""
        if self.rig.reboots:
            self.rig.reboots.clear()
            reachable = self.rig.online
            self.rig.power_cut()
            self.rig.boot(connect=reachable)

    @invariant()
    def told_by_the_rules(self) -> None:
        self.ledger.check()

    @invariant()
    def power_needs_authorization(self) -> None:
        for evse in self.rig.board.evses.values():
            seat = self.rig.station.context.evses[evse.evse_id]
            if evse.wanted is None or not evse.wanted.allow_power:
                continue
            assert seat.authorization is not None, "power without authorization"
            assert not seat.suspended_by_station, "power for a token that the CSMS refused"
            if self.configuration["AuthCtrlr.Enabled"] == "true":
                assert seat.authorization.by != AuthorizedBy.NONE_NEEDED

    @invariant()
    def the_reason_is_true(self) -> None:
        """What people are told of an EVSE, at any moment, is one thing and is so."""
        station = self.rig.station
        for evse in station.context.evses.values():
            why = station.reason(evse, self.rig.now).why
            flows = evse.board_online and evse.transferring
            assert (why in (Why.CHARGING, Why.TAKES_LITTLE)) <= flows, f"{why} while no energy flows"
            assert (why is Why.FREE) <= (not evse.plugged), "a car is plugged in"
            assert (why is Why.WAITING_FOR_CARD) <= (evse.plugged and evse.authorization is None), "nobody has to wait"
            assert (why is Why.FAULT) == (evse.board_online and bool(evse.faults))

    @invariant()
    def what_is_lost_is_counted(self) -> None:
        losses = self.rig.disk.remembered.get("queue_losses") or {}
        assert sum(loss["count"] for loss in losses.values()) == len(self.rig.disk.given_up)
        assert sum(lane.waiting for lane in self.rig.station.outbox.lanes()) == len(self.rig.disk.queue)

    @invariant()
    def cache_is_bounded_and_on_the_disk(self) -> None:
        """C10.FR.02, C10.FR.07."""
        cache = self.rig.station.context.token_cache
        assert cache.size <= int(self.configuration["AuthCacheCtrlr.Storage"])
        assert len(cache) == len(self.rig.disk.cached_tokens)

    @invariant()
    def energy_belongs_to_a_transaction(self) -> None:
        if not STARTS_BEFORE_ENERGY & set(self.configuration["TxCtrlr.TxStartPoint"].split(",")):
            return
        for evse in self.rig.board.evses.values():
            if evse.power and self.rig.board.online and not self.rig.reboots:
                assert self.rig.station.context.evses[evse.evse_id].transaction, "energy outside a transaction"

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        """C01.FR.26: an authorization without an EV ends with EVConnectionTimeOut."""
        for seat in self.rig.station.context.seats():
            if seat.authorization is None or (isinstance(seat, Evse) and (seat.plugged or not seat.board_online)):
                continue
            assert seat.authorization.expires is not None, "an authorization that waits for ever"

    @invariant()
    def deadlines_are_kept(self) -> None:
        for _ in range(5):
            due = self.rig.station.deadline()
            if due is None or due > self.rig.now.monotonic:
                return
            self.rig.step(Tick())
        raise AssertionError(f"the deadline {due} stays in the past")

    def teardown(self) -> None:
        """The link is up, the CSMS answers, everybody leaves: then all has arrived, once and in order."""
        if not hasattr(self, "rig"):
            return
        rig = self.rig
        self.boot_mode, self.heartbeat_mode = "Accepted", "now"
        for action in MODES:
            if action not in ("BootNotification", "Heartbeat"):
                rig.answers.pop(action, None)
        rig.board.online = True
        for evse in rig.board.evses.values():
            evse.fault, evse.plugged, evse.bay, evse.meter = None, False, False, {}
        rig.poll()
        if rig.online:
            rig.disconnect()
        rig.connect()
        rig.let(10)
        for _ in range(4):
            rig.skip(600)
            rig.poll()
            self.rebooted()
        for seat in rig.station.context.seats():
            if seat.transaction:  # TxStopPoint does not end it: the CSMS does
                rig.call("RequestStopTransaction", {"transactionId": seat.transaction.transaction_id})
        rig.let(12)
        self.rebooted()  # a Reset may have waited for the last transaction
        rig.let(12)
        rig.skip(3600)
        told = self.ledger.check()
        assert not rig.disk.queue, "something still waits"
        assert not [one for one in rig.disk.given_up if one.given_up.split()[0] not in ("NotImplemented",)]
        for record in rig.disk.transactions.values():
            assert not record.active, "a transaction that nothing ends"
            assert len(told[record.transaction_id].events) == record.seq_no, "an event never arrived"
            assert content(told[record.transaction_id].events[-1])["eventType"] == "Ended"


LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
TestStation = StationMachine.TestCase
TestStation.pytestmark = [pytest.mark.timeout(1200)]  # 30 s of work, which a busy machine may stretch
TestStation.settings = settings(
    max_examples=2_000 if LONG else 100,
    stateful_step_count=60 if LONG else 40,
    derandomize=not LONG,  # make test is the same every time; the long profile goes looking
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
