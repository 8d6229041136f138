"""Functional block G, Availability: StatusNotification (G01), Heartbeat (G02), ChangeAvailability (G03, G04)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from station.device_model.components import EVSE, ChargingStation, ClockCtrlr, Connector, OCPPCommCtrlr
from station.domain import availability
from station.domain.availability import Outage, OutBy
from station.domain.board import BoardSnapshot
from station.domain.effects import FinishCommand
from station.domain.events import LinkDown, OperatorCommand, Tick
from station.domain.evse import Evse
from station.domain.moment import Moment, parse_rfc3339, rfc3339
from station.domain.signals import (
    AuthorizationEnded,
    BackOnline,
    EvseChanged,
    RegistrationChanged,
    StatusShown,
    TransactionEnded,
    TriggerRequested,
    VariableChanged,
)
from station.ocpp.block import Block, Payload
from station.ocpp.context import Context

BOARD_PATIENCE = 5.0  # s without an answer from the board before its EVSEs count as faulted
FALLBACK_HEARTBEAT = 300  # s, where HeartbeatInterval is 0


class Availability(Block):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._reported: dict[int, str] = {}  # what the CSMS was last told, by EVSE id
        self._shown: dict[int, str] = {}
        self._shown_at: dict[int, float] = {}  # monotonic
        self._heartbeat_at: float | None = None
        self._heartbeat_out = False
        self.actions = {"ChangeAvailability": self.change_availability}

    # ------------------------------------------------------------------ events

    def on(self, event: object, now: Moment) -> None:
        match event:
            case BoardSnapshot() | EvseChanged():
                self._update(now)
            case TransactionEnded():
                self._apply_scheduled()
                self._update(now)
            case RegistrationChanged(status="Accepted"):
                self._reported.clear()  # B01.FR.05
                self._update(now)
                self._schedule_heartbeat(now)
            case BackOnline():
                if event.offline > self._context.model[OCPPCommCtrlr.OfflineThreshold]:
                    self._reported.clear()  # B04.FR.01; otherwise only what changed, B04.FR.02
                self._update(now)
                self._schedule_heartbeat(now)
            case LinkDown():
                self._heartbeat_at = None
                self._heartbeat_out = False
            case Tick():
                self._update(now)
                if self._heartbeat_at is not None and now.monotonic >= self._heartbeat_at:
                    self._schedule_heartbeat(now)
                    self._heartbeat()
            case VariableChanged(component="OCPPCommCtrlr", variable="HeartbeatInterval"):
                if self._heartbeat_at is not None:
                    self._schedule_heartbeat(now)
            case TriggerRequested(message="Heartbeat"):
                self._heartbeat(requested=True)
            case TriggerRequested(message="StatusNotification"):
                for evse in self._context.evses.values():
                    if event.evse_id in (None, evse.id):
                        self._notify(evse, self.status(evse, now), now, requested=True)
            case OperatorCommand(action="availability"):
                self._operator(event, now)

    def deadline(self) -> float | None:
        beats = [self._heartbeat_at] if self._heartbeat_at is not None else []
        losses = [
            evse.board_lost_at + BOARD_PATIENCE
            for evse in self._context.evses.values()
            if evse.board_lost_at is not None and self._shown.get(evse.id) != "Faulted"
        ]
        lasting = [
            self._lasting_at(evse)
            for evse in self._context.evses.values()
            if self._may_tell() and self._reported.get(evse.id) != self._shown.get(evse.id)
        ]
        return min(beats + losses + lasting, default=None)

    # ------------------------------------------------------------------ status

    def status(self, evse: Evse, now: Moment) -> str:
        """ConnectorStatusEnumType of the EVSE's one connector (G01.FR.01)."""
        lost = evse.board_lost_at is not None and now.monotonic >= evse.board_lost_at + BOARD_PATIENCE
        if evse.faults or lost:
            return "Faulted"
        if evse.transaction is None and not self._context.availability.operative(evse.id):
            return "Unavailable"
        taken = evse.authorization or (evse.transaction and evse.transaction.id_token)
        if evse.id in self._context.reservations.held and not taken:
            return "Reserved"  # H01.FR.23; with a stranger's cable, too (G01.FR.09)
        if evse.plugged or evse.cable_in:
            return "Occupied"
        return "Available"

    def _update(self, now: Moment) -> None:
        for evse in self._context.evses.values():
            if evse.snapshot is None and evse.board_lost_at is None:
                continue  # nothing is known yet; the first snapshot is on its way
            status = self.status(evse, now)
            if self._shown.get(evse.id) != status:
                self._show(evse, status, now)
            told = self._reported.get(evse.id)
            if told != status and (told is None or now.monotonic >= self._lasting_at(evse)):
                self._notify(evse, status, now)

    def _lasting_at(self, evse: Evse) -> float:
        """When the status has lasted long enough to be told (monotonic); what was never told is told at once."""
        return self._shown_at[evse.id] + self._context.model[ChargingStation.MinimumStatusDuration]

    def _show(self, evse: Evse, status: str, now: Moment) -> None:
        before = self._shown.get(evse.id)
        self._shown[evse.id], self._shown_at[evse.id] = status, now.monotonic
        model = self._context.model
        model.assign(Connector.AvailabilityState.at(evse.id, 1), status)
        model.assign(EVSE.AvailabilityState.at(evse.id), status)
        model.assign(ChargingStation.AvailabilityState, self._whole())
        self._context.raise_signal(StatusShown(evse.id, status))
        if status == "Faulted":
            words = [str(fault) for fault in sorted(evse.faults)] or ["BoardOffline"]
            self._context.journal(now, "fault", evse_id=evse.id, faults=words)
        elif before == "Faulted":
            self._context.journal(now, "fault_cleared", evse_id=evse.id)

    def _whole(self) -> str:
        states = set(self._shown.values())
        for state in ("Available", "Occupied", "Reserved", "Unavailable", "Faulted"):
            if state in states:
                return state
        return "Available"

    def _notify(self, evse: Evse, status: str, now: Moment, *, requested: bool = False) -> None:
        if not requested and not self._may_tell():
            return  # told when the link is back (B04)
        news = evse.id in self._reported
        self._reported[evse.id] = status
        if not (requested or news or self._context.outbox.registered):
            return  # how it was at the boot is told once the CSMS has accepted the station (B01.FR.05)
        payload = {
            "timestamp": rfc3339(self._context.clock.utc(now)),
            "connectorStatus": status,
            "evseId": evse.id,
            "connectorId": 1,
        }
        self._context.call("StatusNotification", payload, failed=self._lost_status(evse.id), requested=requested)

    def _may_tell(self) -> bool:
        """The CSMS can hear it, or it is kept for the CSMS."""
        return self._context.outbox.registered or self._context.outbox.keeps_all

    def _lost_status(self, evse_id: int) -> Any:
        def failed(code: str, now: Moment) -> None:
            if code == "LinkDown":
                self._reported.pop(evse_id, None)  # the CSMS never heard it

        return failed

    # ------------------------------------------------------------------ G02 heartbeat

    def _schedule_heartbeat(self, now: Moment) -> None:
        interval = self._context.model[OCPPCommCtrlr.HeartbeatInterval] or FALLBACK_HEARTBEAT
        self._heartbeat_at = now.monotonic + float(interval)

    def _heartbeat(self, *, requested: bool = False) -> None:
        if self._heartbeat_out:
            return
        self._heartbeat_out = True
        self._context.call("Heartbeat", {}, answered=self._beaten, failed=self._missed, requested=requested)

    def _beaten(self, response: Mapping[str, Any], now: Moment) -> None:
        self._heartbeat_out = False
        if "Heartbeat" in self._context.model[ClockCtrlr.TimeSource]:
            self._context.clock.synchronize(parse_rfc3339(response["currentTime"]), now)  # G02.FR.06

    def _missed(self, code: str, now: Moment) -> None:
        self._heartbeat_out = False

    # ------------------------------------------------------------------ G03, G04

    def change_availability(self, request: Payload, now: Moment) -> dict[str, object]:
        """Answer ChangeAvailabilityRequest for the station, an EVSE or a connector."""
        target = request.get("evse") or {}
        evse_id, connector_id = target.get("id", 0), target.get("connectorId", 0)
        if evse_id and evse_id not in self._context.evses:
            return _rejected("UnknownEvse", f"there is no EVSE {evse_id}")
        if connector_id not in (0, 1):
            return _rejected("UnknownConnectorId", f"EVSE {evse_id} has no connector {connector_id}")
        operative = request["operationalStatus"] == "Operative"
        level = availability.key(evse_id, connector_id)
        return {"status": self._change(level, evse_id, operative, now, Outage(OutBy.CSMS))}

    def _change(self, level: str, evse_id: int, operative: bool, now: Moment, outage: Outage) -> str:
        states = self._context.availability
        concerned = [evse for evse in self._context.evses.values() if evse_id in (0, evse.id)]
        if states.is_set(level) == operative:
            states.scheduled.pop(level, None)
            if operative:
                states.outages.pop(level, None)
            self._context.remember("availability", states.dump())
            for evse in concerned:
                self._context.raise_signal(EvseChanged(evse.id))
            return "Accepted"  # G03.FR.03, G04.FR.04
        if not operative:
            since = self._context.clock.utc(now).replace(microsecond=0)
            states.outages[level] = replace(outage, since=rfc3339(since))
        if not operative and any(evse.transaction for evse in concerned):
            states.scheduled[level] = operative
            status = "Scheduled"  # G03.FR.05, G04.FR.06
        else:
            states.set(level, operative)
            status = "Accepted"
        self._dismiss(concerned)
        self._context.remember("availability", states.dump())
        self._context.journal(now, "availability", level=level, operative=operative, status=status)
        for evse in concerned:
            self._context.raise_signal(EvseChanged(evse.id))
        return status

    def _apply_scheduled(self) -> None:
        states = self._context.availability
        for level, operative in list(states.scheduled.items()):
            evse_id = int(level.partition(".")[0])
            concerned = [evse for evse in self._context.evses.values() if evse_id in (0, evse.id)]
            if not any(evse.transaction for evse in concerned):
                states.set(level, operative)
                self._dismiss(concerned)
        self._context.remember("availability", states.dump())

    def _dismiss(self, concerned: list[Evse]) -> None:
        """Who was authorized at what is Inoperative now, and has no transaction yet, gets no energy there."""
        for evse in concerned:
            if evse.authorization and not evse.transaction and not self._context.availability.operative(evse.id):
                self._context.raise_signal(AuthorizationEnded(evse.id, "AbnormalCondition", "Other"))

    def _operator(self, command: OperatorCommand, now: Moment) -> None:
        evse_id = command.arguments.get("evse_id") or 0
        if evse_id and evse_id not in self._context.evses:
            self._context.emit(FinishCommand(command.command_id, "Rejected", f"There is no EVSE {evse_id}."))
            return
        operative, outage = bool(command.arguments.get("operative")), Outage(OutBy.PERSON, command.who)
        status = self._change(availability.key(evse_id), evse_id, operative, now, outage)
        words = "Done." if status == "Accepted" else "It will be done when the running session has ended."
        self._context.emit(FinishCommand(command.command_id, "Accepted", words))


def _rejected(reason_code: str, info: str) -> dict[str, object]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason_code, "additionalInfo": info}}
