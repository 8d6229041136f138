"""What a backup says of the station it was made on, and what it is compared with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

import station
from station.device_model.components.station import ChargingStation
from station.device_model.model import DeviceModel
from station.domain.moment import rfc3339
from station.store import repositories
from station.store.models import Remembered

EVSES = "uplink.evses"  # remembered by the uplink: how many a real board has


def about() -> dict[str, Any]:
    """This station. Raises django.db.Error."""
    evses = evse_count()
    model = DeviceModel(evses, repositories.readable_variables())
    return {
        "made": rfc3339(timezone.now()),
        "vendor": model.raw(ChargingStation.VendorName),
        "model": model.raw(ChargingStation.Model),
        "serial": model.raw(ChargingStation.SerialNumber),
        "identity": _identity(model),
        "evses": evses,
        "firmware": station.__version__,
    }


def evse_count() -> int:
    """How many EVSEs this station has."""
    environment = settings.ENVIRONMENT
    if environment.simulated:
        return int(environment.evses)
    row = Remembered.objects.filter(key=EVSES).first()
    return int(row.value) if row is not None and isinstance(row.value, int) else int(environment.evses)


def _identity(model: DeviceModel) -> str:
    from station.device_model.components import SecurityCtrlr

    return model.raw(SecurityCtrlr.Identity)
