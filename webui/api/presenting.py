"""From the live view and the history to what the API says."""

from __future__ import annotations

from typing import Any

from station.live.payloads import EvseLive, StationLive
from station.store.models import Command, Transaction
from webui import reason_words, words

ACTIONS = frozenset({"start", "stop", "unlock", "availability", "limit"})  # whose commands the API shows
FLOWING = frozenset({"charging"})


def evse(live: EvseLive) -> dict[str, Any]:
    """An ``schemas.Evse``."""
    session = None
    if live.transaction_id is not None:
        session = {
            "id": live.transaction_id,
            "started_at": live.started_at,
            "energy": live.energy,
            "who": words.masked(live.id_token, live.id_token_type),
        }
    return {
        "id": live.evse_id,
        "state": live.activity,
        "status": live.availability,
        "plugged": live.plugged,
        "charging": live.activity in FLOWING,
        "why_not_charging": why_not_charging(live),
        "reason": live.reason.why,
        "power": live.power,
        "current": list(live.current),
        "voltage": list(live.voltage),
        "current_offered": live.current_offered,
        "current_max": live.current_max,
        "meter": live.register,
        "soc": live.soc,
        "temperature": live.temperature,
        "limit": limit(live),
        "session": session,
        "faults": list(live.faults),
        "warnings": list(live.warnings),
    }


def limit(live: EvseLive) -> dict[str, Any]:
    """A ``schemas.Limit``."""
    return {
        "current": live.limit,
        "standing": live.limit_standing,
        "timed": live.limit_timed,
        "until": live.limit_until or None,
    }


def why_not_charging(live: EvseLive) -> str | None:
    """What is so and what would change it, while a car is plugged in (or a fault is there) and no energy flows."""
    if live.activity in FLOWING or not (live.plugged or live.faults):
        return None
    told = reason_words.tell(live.reason)
    if told is not None:
        return f"{told.sentence} {told.advice}".strip()
    return words.faults(live)[0] if live.faults else str(words.activity(live.activity).sentence)


def status(live: StationLive) -> dict[str, Any]:
    """A ``schemas.Status``."""
    return {
        "at": live.at,
        "identity": live.identity,
        "firmware": live.firmware_version,
        "connected": live.connected,
        "registration": live.registration,
        "security_profile": live.security_profile,
        "queue": live.queue_length,
        "board_online": live.board_online,
        "board_error": live.board_error,
        "door_open": live.door_open,
        "evses": [evse(one) for one in live.evses],
    }


def session(row: Transaction) -> dict[str, Any]:
    """A ``schemas.Session``."""
    return {
        "id": row.transaction_id,
        "evse": row.evse_id,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "running": row.active,
        "energy": row.energy / 1000,
        "meter_start": _watt_hours(row.meter_start),
        "meter_stop": _watt_hours(row.meter_stop),
        "who": words.masked(row.id_token, row.id_token_type),
        "authorized_by": row.authorized_by,
        "stopped_reason": row.stopped_reason or None,
        "meter_suspect": row.meter_suspect,
    }


def command(row: Command) -> dict[str, Any]:
    """A ``schemas.CommandOut``."""
    arguments = row.arguments if isinstance(row.arguments, dict) else {}
    evse_id = arguments.get("evse_id")
    accepted = row.status == Command.Status.ACCEPTED
    return {
        "id": row.pk,
        "action": row.action,
        "evse": evse_id if isinstance(evse_id, int) else None,
        "status": row.status,
        "message": "" if row.status == Command.Status.FILED else words.outcome(row.action, accepted, row.message),
        "who": row.who,
        "filed_at": row.filed_at,
        "finished_at": row.finished_at,
    }


def _watt_hours(milli: int | None) -> float | None:
    return None if milli is None else milli / 1000
