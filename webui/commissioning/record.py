"""What is signed: everything that the protocol says, as data, gathered once at the signature and never changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

import station
from station.device_model.components import (
    EVSE,
    ChargingStation,
    ClockCtrlr,
    Connector,
    ElectricalFeed,
    SecurityCtrlr,
)
from station.device_model.definition import Attribute
from station.device_model.installation import current_of
from station.device_model.model import DeviceModel
from station.device_model.values import encode
from webui.commissioning import steps
from webui.commissioning.models import Commissioning
from webui.dashboard import latest
from webui.device_model.reading import Reading

MOST_SETTINGS = 200


def sign(commissioning: Commissioning, who: str, signature: Mapping[str, Any]) -> Commissioning:
    """Gather the protocol, and end this commissioning. Raises steps.Over where that was done already."""
    told = collect(commissioning, signature)
    with transaction.atomic():
        now = timezone.now()
        changed = Commissioning.objects.filter(pk=commissioning.pk, is_open=True).update(
            is_open=False, signed_at=now, signed_by=who, protocol=told
        )
        if not changed:
            raise steps.Over
    commissioning.refresh_from_db()
    return commissioning


def collect(commissioning: Commissioning, signature: Mapping[str, Any]) -> dict[str, Any]:
    """The protocol as JSON; ``digest`` is the SHA-256 of all the rest."""
    model, live = Reading().model, latest.recent()
    told: dict[str, Any] = {
        "version": 1,
        "begun": commissioning.begun_at.isoformat(),
        "signed": timezone.now().isoformat(),
        "station": {
            "vendor": model[ChargingStation.VendorName],
            "model": model[ChargingStation.Model],
            "serial_number": model[ChargingStation.SerialNumber],
            "identity": model[SecurityCtrlr.Identity],
            "firmware": (live.firmware_version if live else "") or station.__version__,
            "time_zone": model[ClockCtrlr.TimeZone],
        },
        "electrical": _electrical(model),
        "settings": _settings(model),
        "steps": [_step(one) for one in steps.all_of(commissioning) if one.name != steps.SIGN],
        "signature": {name: str(signature[name]) for name in ("name", "company", "remarks", "address")},
    }
    told["digest"] = digest(told)
    return told


def digest(told: Mapping[str, Any]) -> str:
    """Of the protocol without its own digest."""
    rest = {name: value for name, value in told.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _electrical(model: DeviceModel) -> dict[str, Any]:
    return {
        "voltage": model[ElectricalFeed.ACVoltage],
        "fuse": model[ElectricalFeed.FuseRating],
        "phases": model[ChargingStation.SupplyPhases],
        "evses": [
            {
                "evse_id": evse_id,
                "current": round(current_of(model, evse_id), 1),
                "power": float(model.limits(EVSE.Power.at(evse_id)).maximum or 0),
                "phases": model[EVSE.SupplyPhases.at(evse_id)],
                "rotation": model[EVSE.PhaseRotation.at(evse_id)],
                "connector": model[Connector.ConnectorType.at(evse_id, 1)],
            }
            for evse_id in range(1, model.evses + 1)
        ],
    }


def _settings(model: DeviceModel) -> list[list[str]]:
    """What differs from how it was delivered, by name; secrets are none of it."""
    found = []
    for entry in model.entries():
        variable = entry.variable
        if variable.secret or Attribute.ACTUAL not in variable.attributes:
            continue
        if variable.rated and entry.limits != variable.limits:
            found.append([str(entry.names), f"≤ {encode(float(entry.limits.maximum or 0))}", variable.unit])
        elif not variable.computed:
            default = "" if variable.default is None else encode(variable.default)
            if entry.text() != default:
                found.append([str(entry.names), entry.text(), variable.unit])
    return found[:MOST_SETTINGS]


def _step(step: steps.Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "status": step.status,
        "said": step.said,
        "by": step.by,
        "at": step.at.isoformat() if step.at else "",
        "values": dict(step.values),
    }
