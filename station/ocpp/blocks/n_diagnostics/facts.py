"""What a diagnostics file says of the station itself, as it is at this moment; plain values, no secret among them."""

from __future__ import annotations

from typing import Any

from station.device_model.definition import Attribute, Mutability
from station.domain.evse import Evse
from station.domain.moment import Moment, rfc3339
from station.ocpp.context import Context


def facts(context: Context, now: Moment) -> dict[str, Any]:
    """JSON-ready: ``station``, ``evses`` by id, ``device_model`` by name."""
    outbox = context.outbox
    return {
        "station": {
            "time": rfc3339(context.clock.utc(now)),
            "connected": outbox.online,
            "registration": outbox.registration or "none yet",
            "messages waiting": outbox.waiting,
            "restart scheduled": context.restarting,
        },
        "evses": {str(evse.id): _evse(evse, now) for evse in context.evses.values()},
        "device_model": _device_model(context),
    }


def _evse(evse: Evse, now: Moment) -> dict[str, Any]:
    told: dict[str, Any] = {
        "board online": evse.board_online,
        "authorized": evse.authorization is not None,
        "transaction": evse.transaction.transaction_id if evse.transaction else "none",
        "charging state": str(evse.charging_state(now.monotonic)),
        "faults": ", ".join(sorted(evse.faults)) or "none",
    }
    snapshot = evse.snapshot
    if snapshot is not None:
        told |= {
            "control pilot": str(snapshot.cp_state),
            "contactor closed": snapshot.contactor_closed,
            "locked": snapshot.connector_locked,
            "current offered (A)": snapshot.current_offered,
            "power (W)": snapshot.meter.total_power,
            "energy register (mWh)": snapshot.meter.energy,
            "meter ok": snapshot.meter.ok,
            "warnings": ", ".join(sorted(snapshot.warnings)) or "none",
            "watchdog": str(snapshot.watchdog),
            "temperature (°C)": snapshot.temperature,
        }
    return told


def _device_model(context: Context) -> dict[str, str]:
    return {
        str(entry.names): entry.text()
        for entry in context.model.entries()
        if not entry.variable.secret and entry.variable.attributes[Attribute.ACTUAL] is not Mutability.WRITE_ONLY
    }
