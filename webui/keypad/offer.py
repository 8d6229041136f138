"""What the station takes besides cards, and where: read from what is stored, so that no browser has to watch."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError

from station.device_model.components import AuthCtrlr
from station.store.models import Remembered, Variable
from webui.dashboard import latest

KEY_CODE = "KeyCode"


def takes_key_codes() -> bool:
    """AuthCtrlr.SupportedIdTokenTypes names KeyCode."""
    variable = AuthCtrlr.SupportedIdTokenTypes
    rows = Variable.objects.filter(component=variable.component, variable=variable.name, attribute="Actual")
    try:
        stored = rows.values_list("value", flat=True).first()
    except DatabaseError:
        return False  # a page that says so must still be shown
    kinds = variable.default or () if stored is None else stored.split(",")
    return KEY_CODE in kinds


def evse_ids() -> list[int]:
    """The station's EVSEs."""
    station = latest.recent()
    if station is not None and station.evses:
        return [evse.evse_id for evse in station.evses]
    row = Remembered.objects.filter(key="uplink.evses").first()
    count = row.value if row is not None and isinstance(row.value, int) else settings.ENVIRONMENT.evses
    return list(range(1, count + 1))
