"""From the station's state to the live view that people watch."""

from __future__ import annotations

import math
from collections import deque
from datetime import timedelta
from typing import Any

from station.device_model.components import ChargingStation, ClockCtrlr
from station.device_model.model import DeviceModel, Entry
from station.domain.evse import EV_CONNECTED, Evse
from station.domain.moment import Moment, rfc3339
from station.domain.reason import Reason
from station.domain.transaction import ChargingState
from station.live.payloads import EvseLive, FirmwareLive, LaneLive, QueueLive, ReasonLive, StationLive
from station.ocpp.station import Station
from station.uplink.queue_curve import QueueCurve

CURVE_POINTS = 240
REFUSAL_SHOWN = 20.0  # s that the last refusal stays on the page

ACTIVITY = {
    ChargingState.CHARGING: "charging",
    ChargingState.SUSPENDED_EV: "suspended_ev",
    ChargingState.SUSPENDED_EVSE: "suspended_evse",
    ChargingState.EV_CONNECTED: "preparing",
    ChargingState.IDLE: "waiting_for_plug",
}


class Presenter:
    """Makes ``StationLive`` payloads; keeps what a view needs and the station does not: the curve of each session.

    ``life`` is a word that is different for every start of the uplink.
    """

    def __init__(self, life: str, *, identity: str, csms_url: str) -> None:
        self.identity = identity
        self.csms_url = csms_url
        self.link_note = ""  # what the last attempt to connect came to
        self._life = life
        self._serial = 0
        self._model: DeviceModel | None = None
        self._entries: list[tuple[str, Entry]] = []
        self._curves: dict[str, deque[tuple[float, float]]] = {}
        self._queue_curve = QueueCurve()

    def present(self, station: Station, now: Moment) -> StationLive:
        """The whole station as it is now."""
        self._serial += 1
        evses = tuple(self._evse(station, evse, now) for evse in station.context.evses.values())
        running = {evse.transaction_id for evse in evses}
        for transaction_id in [known for known in self._curves if known not in running]:
            del self._curves[transaction_id]
        board = station.board
        return StationLive(
            serial=self._serial,
            life=self._life,
            at=rfc3339(station.clock.utc(now)),
            connected=station.outbox.online,
            registration=station.outbox.registration,
            security_profile=station.link.security_profile if station.link else 0,
            csms_url=self.csms_url,
            identity=self.identity,
            board_online=board is not None and board.online,
            board_error=board.error if board else "no word from the board yet",
            door_open=board is not None and board.door_open,
            link_note="" if station.outbox.online else self.link_note,
            queue_length=station.outbox.waiting,
            queue=self._queue(station, now),
            slot=station.link.slot if station.link else 0,
            trial_slot=station.trial.slot,
            trial_left=station.trial.left(now),
            master_pass=station.authorization.master_pass.choosing,
            diagnosis=diagnosis.as_json() if (diagnosis := station.doctor.current(now)) else None,
            firmware_version=station.model[ChargingStation.FirmwareVersion],
            firmware=_firmware(station),
            evses=evses,
            engineering=_engineering(station, now),
            variables={name: entry.text() for name, entry in self._computed(station)},
        )

    def _queue(self, station: Station, now: Moment) -> QueueLive:
        utc = station.clock.utc(now)

        def moment(at: float | None) -> str:
            # whole seconds, so that the same is said the same with every publication
            return "" if at is None else rfc3339((utc + timedelta(seconds=at - now.monotonic)).replace(microsecond=0))

        lanes = tuple(
            LaneLive(
                lane.kind,
                lane.waiting,
                rfc3339(lane.since),
                lane.action,
                lane.attempts,
                moment(lane.retry_at),
                lane.sending,
            )
            for lane in station.outbox.lanes()
        )
        return QueueLive(lanes, self._queue_curve.after(utc.timestamp(), station.outbox.waiting))

    def _computed(self, station: Station) -> list[tuple[str, Entry]]:
        """The variables that only the running station knows, but for the time, which is in the view anyway."""
        if self._model is not station.model:
            self._model = station.model
            self._entries = [
                (str(entry.names), entry)
                for entry in station.model.entries()
                if entry.variable.computed and entry.variable is not ClockCtrlr.DateTime
            ]
        return self._entries

    def _evse(self, station: Station, evse: Evse, now: Moment) -> EvseLive:
        live = EvseLive(
            evse_id=evse.id,
            availability=station.availability.status(evse, now),
            activity=self._activity(station, evse, now),
            reason=_reason(station.reason(evse, now)),
        )
        snapshot, reading = evse.snapshot, evse.meter.reading
        values: dict[str, object] = {}
        if snapshot is not None:
            values |= {
                "cp_state": str(snapshot.cp_state),
                "plugged": evse.plugged,
                "contactor_closed": snapshot.contactor_closed,
                "current_offered": snapshot.current_offered,
                "soc": snapshot.soc,
                "temperature": snapshot.temperature,
                "faults": tuple(sorted(str(fault) for fault in snapshot.faults)),
                "warnings": tuple(sorted(str(warning) for warning in snapshot.warnings)) + self._doubts(evse),
            }
        if reading is not None:
            values |= {
                "power": round(evse.meter.power, 1),
                "current": reading.current,
                "voltage": reading.voltage,
                "register": reading.energy / 1000,
            }
        values |= self._limits(station, evse, now)
        values |= self._session(station, evse, now)
        values |= self._said(station, evse, now)
        return EvseLive(**{**{name: getattr(live, name) for name in live.__slots__}, **values})

    def _limits(self, station: Station, evse: Evse, now: Moment) -> dict[str, object]:
        """What the owner allows. The end of a timed limit is told in whole seconds: it must not tremble."""
        rating = station.rating(evse)
        values: dict[str, object] = {
            "current_max": int(rating * 10 + 1e-6) / 10 if math.isfinite(rating) else 0.0,
            "limit": evse.limit,
            "limit_standing": station.limits.standing(evse.id),
        }
        timed = station.limits.timed(evse.id, now)
        if timed is not None:
            until = station.clock.utc(now) + timedelta(seconds=timed[1] + 0.5)
            values |= {"limit_timed": timed[0], "limit_until": rfc3339(until.replace(microsecond=0))}
        return values

    def _doubts(self, evse: Evse) -> tuple[str, ...]:
        return (f"Meter:{evse.meter.problem}",) if evse.meter.problem else ()

    def _activity(self, station: Station, evse: Evse, now: Moment) -> str:
        status = station.availability.status(evse, now)
        if not evse.board_online:
            return "no_board"
        if status in ("Faulted", "Unavailable"):
            return status.lower()
        transaction = evse.transaction
        if transaction and "ending" in transaction.extra:
            return "finishing"
        if evse.authorization:
            return ACTIVITY[evse.charging_state(now.monotonic)]
        if station.authorization.asking(evse.id) and (evse.plugged or len(station.context.evses) == 1):
            return "authorizing"
        if evse.plugged:
            return "finishing" if EV_CONNECTED in evse.spent else "waiting_for_card"
        if station.context.lobby.authorization:
            return "waiting_for_plug"
        return "free"

    def _said(self, station: Station, evse: Evse, now: Moment) -> dict[str, object]:
        """What there is to say to the driver: to the one who charges, or to the one who was just refused."""
        authorization, refusal = evse.authorization, station.authorization.refusal
        if authorization is not None:
            return {"personal_message": authorization.personal_message, "languages": authorization.languages}
        if refusal is None or now.monotonic - refusal.at > REFUSAL_SHOWN or refusal.evse_id not in (None, evse.id):
            return {}
        return {
            "message": refusal.why,
            "personal_message": refusal.personal_message,
            "languages": refusal.languages,
        }

    def _session(self, station: Station, evse: Evse, now: Moment) -> dict[str, object]:
        transaction = evse.transaction
        if transaction is None:
            return {}
        started = transaction.started_at
        energy = 0.0
        if transaction.meter_start is not None and evse.meter.energy is not None:
            energy = max(0, evse.meter.energy - transaction.meter_start) / 1000
        curve = self._curves.setdefault(transaction.transaction_id, deque())
        seconds = (station.clock.utc(now) - started).total_seconds()
        if not curve or seconds - curve[-1][0] >= 1.0:
            curve.append((round(seconds, 1), round(evse.meter.power, 1)))
        if len(curve) > CURVE_POINTS:  # half the points, the same span
            self._curves[transaction.transaction_id] = curve = deque(list(curve)[::2])
        token = transaction.id_token
        return {
            "transaction_id": transaction.transaction_id,
            "started_at": rfc3339(started),
            "energy": energy,
            "charging_state": str(transaction.charging_state) if transaction.charging_state else None,
            "id_token": token.id_token if token else None,
            "id_token_type": token.type if token else None,
            "curve": tuple(curve),
        }


def _reason(reason: Reason) -> ReasonLive:
    told = {name: getattr(reason, name) for name in ReasonLive.__slots__}
    # The wire knows no enumerations.
    return ReasonLive(**{**told, **{name: str(told[name]) for name in ("why", "offline", "limited_by")}})


def _engineering(station: Station, now: Moment) -> dict[str, dict[str, Any]]:
    """What concerns installers: each EVSE by its id, and the board (nothing that changes by itself)."""
    told = station.maintenance.as_json(now)
    board = station.board
    if board is not None:
        told["board"] = {
            "firmware": board.firmware,
            "map_version": board.map_version,
            "boot_count": board.boot_count,
            "reset_cause": board.reset_cause,
        }
    return told


def _firmware(station: Station) -> FirmwareLive | None:
    update = station.firmware.update
    if update is None:
        return None
    return FirmwareLive(
        phase=update.phase.value,
        status=update.status,
        request_id=update.request_id if update.request_id is not None else -1,
        host=update.host,
        version=update.version,
        moved=update.moved,
        total=update.total,
        attempt=update.downloads,
        attempts=update.tries,
        waits_until=station.firmware.waits_until,
        detail=update.detail,
    )
