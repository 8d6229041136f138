"""The whole charging station: events in, effects out. No socket, no file, no thread, no clock of its own."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from station.device_model.components import (
    EVSE,
    ChargingStation,
    ClockCtrlr,
    Connector,
    ConnectorPlugRetentionLock,
    OCPPCommCtrlr,
)
from station.device_model.model import DeviceModel
from station.domain.authorization import Authorization, AuthorizedBy
from station.domain.availability import Availability as AvailabilityState
from station.domain.board import BoardSnapshot
from station.domain.clock import Clock
from station.domain.effects import Answer, AnswerError, Effect, FinishCommand, SaveVariable, SetBoard, Stored
from station.domain.events import (
    CallAnswered,
    CallFailed,
    CallReceived,
    Event,
    LinkDown,
    LinkUp,
    OperatorCommand,
    Tick,
)
from station.domain.evse import Evse, Lobby, Seat
from station.domain.firmware import RunningFirmware
from station.domain.memory import Memory
from station.domain.meter import Meter
from station.domain.moment import Moment, parse_rfc3339
from station.domain.ocmf import Signer
from station.domain.reason import Reason
from station.domain.reservation import Reservations as ReservationState
from station.domain.transaction import IdToken, Transaction
from station.ocpp.block import Block, CallRefused, Handler
from station.ocpp.blocks.a_connection import ConnectionFailures
from station.ocpp.blocks.a_doctor import ConnectionDoctor
from station.ocpp.blocks.a_passwords import Passwords
from station.ocpp.blocks.a_security import Security
from station.ocpp.blocks.a_station_certificate import StationCertificate
from station.ocpp.blocks.b_provisioning.boot import Boot
from station.ocpp.blocks.b_provisioning.installation import Installation
from station.ocpp.blocks.b_provisioning.installer import Installer
from station.ocpp.blocks.b_provisioning.local_time import LocalTime
from station.ocpp.blocks.b_provisioning.network_profiles import NetworkProfiles
from station.ocpp.blocks.b_provisioning.reports import Reports
from station.ocpp.blocks.b_provisioning.reset import Reset
from station.ocpp.blocks.b_provisioning.trial import Trial
from station.ocpp.blocks.b_provisioning.variables import Variables
from station.ocpp.blocks.c_authorization import AuthorizationBlock
from station.ocpp.blocks.e_transactions import Transactions
from station.ocpp.blocks.f_remote_control import RemoteControl
from station.ocpp.blocks.g_availability import Availability
from station.ocpp.blocks.g_maintenance import Maintenance
from station.ocpp.blocks.g_problems import Problems
from station.ocpp.blocks.h_reservation import REMEMBERED, Reservations
from station.ocpp.blocks.j_meter_values import MeterValues
from station.ocpp.blocks.k_owner_limits import OwnerLimits
from station.ocpp.blocks.l_firmware_management import FirmwareManagement
from station.ocpp.blocks.m_certificates import Certificates
from station.ocpp.blocks.n_diagnostics import Customers, Logs
from station.ocpp.blocks.p_data_transfer import DataTransfer
from station.ocpp.certificates import CertificateStore
from station.ocpp.context import Context
from station.ocpp.outbox import Outbox
from station.ocpp.power import PowerControl
from station.ocpp.queue_losses import QueueLosses
from station.ocpp.reasons import Reasons
from station.ocpp.signing import Signing
from station.ocpp.token_cache import TokenCache

log = logging.getLogger(__name__)

OPERATOR_ACTIONS = {
    "start",
    "stop",
    "unlock",
    "restart",
    "availability",
    "set_variable",
    "master_pass",
    "name_customer",
    "set_network_profile",
    "remove_network_profile",
    "set_network_priority",
    "set_credentials",
    "take_back",
    "login",
    "web_security",
    "clear_security_log",
    "install_certificate",
    "delete_certificate",
    "renew_certificate",
    "diagnose_connection",
    "stop_diagnosis",
    "block_card",
    "unblock_card",
    "teach_card",
    "stop_teaching",
    "install_firmware",
    "set_installation",
    "begin_maintenance",
    "end_maintenance",
    "manual_setpoint",
    "self_test",
    "limit",
    "send_log",
}


class Station:
    """One charging station.

    ``memory`` is what lasted from the last life; ``evses`` the number of EVSEs; ``entropy`` the source of identifiers;
    ``firmware`` what runs (BootNotification says its version); ``signer`` signs meter values, where there is one.
    ``step`` takes one event and returns what is to be done about it.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        evses: int,
        entropy: random.Random,
        firmware: RunningFirmware | None = None,
        signer: Signer | None = None,
    ) -> None:
        self.model = DeviceModel(evses, memory.variables)
        self.clock = Clock(
            timedelta(seconds=float(memory.remembered.get("clock_offset") or 0)),
            follow_machine=self.model[ClockCtrlr.TimeSource][0] != "Heartbeat",
            not_before=_last_told(memory),
        )
        self.board: BoardSnapshot | None = None
        self.link: LinkUp | None = None
        self._now: Moment | None = None
        self.context = Context(
            model=self.model,
            evses={number: self._new_evse(number) for number in range(1, evses + 1)},
            lobby=Lobby(),
            availability=AvailabilityState.restore(memory.remembered.get("availability")),
            clock=self.clock,
            reservations=ReservationState.restore(
                {one: self.model[Connector.ConnectorType.at(one, 1)] for one in range(1, evses + 1)},
                memory.remembered.get(REMEMBERED),
            ),
            remembered=memory.remembered,
            entropy=entropy,
        )
        self.outbox = Outbox(memory.queue, self.model, self.clock, self.context.new_id, self.context.emit)
        self.outbox.lost = QueueLosses(self.context).note
        self.context.outbox = self.outbox
        self.context.signing = Signing(self.context, signer)
        self.context.token_cache = TokenCache(self.context, memory.cached_tokens)
        self.context.customer_sources.append(self.context.token_cache.about)
        self.certificates = CertificateStore(self.context, memory.certificates, self._utc)
        self.context.certificates = self.certificates
        if not any(evse.socket for evse in self._evses()):
            self.model.freeze(OCPPCommCtrlr.UnlockOnEVSideDisconnect)  # part 2, 2.1.12
        self._restore(memory)
        firmware = firmware or RunningFirmware("")
        self._sources(firmware.version)
        self._power = PowerControl(self.model)
        self.limits = OwnerLimits(self.context)
        self._reset = Reset(self.context)
        self._remote = RemoteControl(self.context)
        self.authorization = AuthorizationBlock(self.context)
        self._reasons = Reasons(self.context, self.authorization, self._power)
        self.availability = Availability(self.context)
        self.maintenance = Maintenance(self.context, self._power.limit)
        self.network = NetworkProfiles(self.context, memory.network_profiles)
        self.trial = Trial(self.context, self.network)
        self.passwords = Passwords(self.context)
        self.doctor = ConnectionDoctor(self.context, self.network.profile)
        self.firmware = FirmwareManagement(self.context, firmware)
        # Order matters where several blocks hear the same event: availability is told before the transaction is.
        self._blocks: list[Block] = [
            Boot(self.context),
            self.network,
            self.trial,
            Installer(self.context, self.network, self.trial),
            Security(self.context),
            ConnectionFailures(self.context),
            self.passwords,
            self.doctor,
            Variables(self.context),
            Installation(self.context),
            Reports(self.context),
            LocalTime(self.context),
            self._reset,
            Reservations(self.context),  # whom an EVSE is kept for is known before its status is told
            self.maintenance,
            self.availability,
            Problems(self.context),
            self.limits,
            self.authorization,
            Transactions(self.context),
            self._remote,
            MeterValues(self.context),
            self.firmware,
            Certificates(self.context),
            StationCertificate(self.context),
            Logs(self.context),
            Customers(self.context),
            DataTransfer(self.context),
        ]
        self._handlers = _union(self._blocks)

    # ------------------------------------------------------------------ building

    def _new_evse(self, number: int) -> Evse:
        rating = self.model.limits(EVSE.Power.at(number)).maximum
        socket = self.model[Connector.ConnectorType.at(number, 1)].startswith("s")  # ConnectorEnumType: s, a socket
        return Evse(id=number, meter=Meter(max_power=float(rating or 22_080)), socket=socket)

    def _restore(self, memory: Memory) -> None:
        spent = memory.remembered.get("spent") or {}
        registers = memory.remembered.get("registers") or {}
        for evse in self.context.evses.values():
            evse.spent = set(spent.get(str(evse.id), ()))
            evse.meter.floor = int(registers.get(str(evse.id), 0))
        for transaction in memory.transactions:
            seat: Seat | None = self.context.lobby
            if transaction.evse_id is not None:
                seat = self.context.evses.get(transaction.evse_id)
            if seat is None or seat.transaction is not None:
                continue
            seat.transaction = transaction
            if transaction.extra.get("authorized"):
                seat.authorization = _authorization_of(transaction)
            if isinstance(seat, Evse):
                register = transaction.extra.get("register")
                seat.meter.floor = register if isinstance(register, int) else transaction.meter_start or 0
                seat.suspended_by_station = bool(transaction.extra.get("suspended"))

    def _sources(self, firmware_version: str) -> None:
        model = self.model
        model.source(ClockCtrlr.DateTime, self._utc)
        model.source(ChargingStation.FirmwareVersion, lambda: firmware_version)
        model.source(
            ChargingStation.Problem, lambda: any(evse.faults or not evse.board_online for evse in self._evses())
        )
        for evse in self._evses():
            model.source(EVSE.Power.at(evse.id), _power_of(evse))
            model.source(EVSE.Problem.at(evse.id), _problem_of(evse))
            model.source(ConnectorPlugRetentionLock.Available.at(evse.id, 1), _has_lock(evse))
            model.source(ConnectorPlugRetentionLock.Problem.at(evse.id, 1), _lock_problem_of(evse))

    def _utc(self) -> datetime:
        if self._now is None:
            raise LookupError("before the first step there is no time")
        return self.clock.utc(self._now)

    def _evses(self) -> list[Evse]:
        return list(self.context.evses.values())

    def rating(self, evse: Evse) -> float:
        """A per phase that the EVSE is made for; infinite where nobody said."""
        return self._power.rating(evse)

    @property
    def actions(self) -> frozenset[str]:
        """The actions of the CSMS that this station answers."""
        return frozenset(self._handlers)

    # ------------------------------------------------------------------ stepping

    def step(self, event: Event, now: Moment) -> list[Effect]:
        """Take one event; returns the effects in the order in which they are to be carried out."""
        self._now = now
        if isinstance(event, BoardSnapshot) and self.board is not None and event.at < self.board.at:
            event = Tick()  # overtaken by a newer one on its way: what it says is past
        context = self.context
        context.effects.clear()
        self.outbox.begin(now)
        answer: list[Effect] = []
        match event:
            case CallReceived():
                answer = self._handle(event, now)
            case CallAnswered():
                self.outbox.answered(event, now)
            case CallFailed():
                self.outbox.failed(event, now)
            case BoardSnapshot():
                self._take_board(event)
            case LinkUp():
                self.link = event
            case LinkDown():
                self.link = None
                self.outbox.link_down(now)
            case OperatorCommand() if event.action not in OPERATOR_ACTIONS:
                context.emit(FinishCommand(event.command_id, "Rejected", f"Unknown action {event.action}."))
        self._tell(event, now)
        self._tell_signals(now)
        self._reset.settle(now)
        self._tell_signals(now)
        self._set_board()
        self.outbox.pump(now)
        stored = [self._dated(effect, now) for effect in context.effects if isinstance(effect, Stored)]
        others = [effect for effect in context.effects if not isinstance(effect, Stored)]
        context.effects.clear()
        return [*stored, *answer, *others]

    def _dated(self, effect: Stored, now: Moment) -> Stored:
        """Changes of the device model have a time of their own in the history."""
        return replace(effect, at=self.clock.utc(now)) if isinstance(effect, SaveVariable) else effect

    def deadline(self) -> float | None:
        """When the station wants a ``Tick`` at the latest (monotonic seconds), or None."""
        waits = [block.deadline() for block in self._blocks]
        return min([at for at in [*waits, self.outbox.deadline()] if at is not None], default=None)

    def reason(self, evse: Evse, now: Moment) -> Reason:
        """Why that EVSE does what it does, for people."""
        return self._reasons.find(evse, now)

    # ------------------------------------------------------------------ parts of a step

    def _tell(self, event: object, now: Moment) -> None:
        for block in self._blocks:
            block.on(event, now)

    def _tell_signals(self, now: Moment) -> None:
        while self.context.signals:
            self._tell(self.context.signals.pop(0), now)

    def _take_board(self, board: BoardSnapshot) -> None:
        self.board = board
        known = {snapshot.evse_id: snapshot for snapshot in board.evses}
        for evse in self._evses():
            evse.take(board, known.get(evse.id))

    def _set_board(self) -> None:
        setpoint = self._power.update(
            self.context.evses,
            self.board,
            self._remote.unlocking,
            self.maintenance.manual,
            self.maintenance.self_tests,
        )
        if setpoint is not None:
            self.context.emit(SetBoard(setpoint))

    def _handle(self, call: CallReceived, now: Moment) -> list[Effect]:
        if self.outbox.registration == "Rejected":
            return [AnswerError(call.call_id, "SecurityError", "the CSMS rejected this station")]  # B03.FR.08
        handler = self._handlers.get(call.action)
        if handler is None:
            return [AnswerError(call.call_id, "NotSupported", f"{call.action} is not supported by this station")]
        self.context.handling(call.call_id, call.size)
        try:
            response = handler(call.payload, now)
        except CallRefused as refused:
            return [AnswerError(call.call_id, refused.code, refused.description)]
        except Exception:
            # A mistake of ours: the CSMS is told, and a CSMS that repeats the call cannot keep the station rebooting.
            log.exception("%s failed", call.action)
            return [AnswerError(call.call_id, "InternalError", "the station could not handle this")]
        return [] if response is None else [Answer(call.call_id, call.action, response)]


def _union(blocks: list[Block]) -> dict[str, Handler]:
    """One table of all actions; two blocks that claim the same action are a mistake found at start."""
    table: dict[str, Handler] = {}
    for block in blocks:
        for action, handler in block.actions.items():
            if action in table:
                raise TypeError(f"two handlers for {action}")
            table[action] = handler
    return table


def _last_told(memory: Memory) -> datetime | None:
    """The latest time that stands in an event of a transaction that goes on, or in one that still waits."""
    told = [call.created for call in memory.queue]
    told += [parse_rfc3339(str(one.extra["told_at"])) for one in memory.transactions if "told_at" in one.extra]
    return max(told, default=None)


def _authorization_of(transaction: Transaction) -> Authorization:
    by = AuthorizedBy(transaction.authorized_by) if transaction.authorized_by else AuthorizedBy.NONE_NEEDED
    token = transaction.id_token or IdToken("", "NoAuthorization")
    return Authorization(token, by, transaction.group_id_token, remote_start_id=transaction.remote_start_id)


def _power_of(evse: Evse) -> Callable[[], float]:
    return lambda: round(evse.meter.power, 1)


def _problem_of(evse: Evse) -> Callable[[], bool]:
    return lambda: bool(evse.faults) or evse.lock_failed or not evse.board_online


def _has_lock(evse: Evse) -> Callable[[], bool]:
    return lambda: evse.socket


def _lock_problem_of(evse: Evse) -> Callable[[], bool]:
    return lambda: evse.lock_failed
