"""Stations, EVSEs and sessions for the tests of the web interface."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from station.live.payloads import EvseLive, StationLive

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
CARD = "04A2B3C4D5E6F7"
TRANSACTION = "6f1c7c52-8f4e-4c53-9f6e-1f5a5d0c9b11"


def free(evse_id: int = 1, **changes: Any) -> EvseLive:
    """An EVSE at which nothing happens."""
    return replace(EvseLive(evse_id=evse_id, availability="Available", activity="free", register=1204.6), **changes)


def waiting(evse_id: int = 1, **changes: Any) -> EvseLive:
    """A car is plugged in, and nobody has shown a card."""
    return replace(
        free(evse_id),
        **{"availability": "Occupied", "activity": "waiting_for_card", "cp_state": "B1", "plugged": True, **changes},
    )


def charging(evse_id: int = 1, *, minutes: float = 25, **changes: Any) -> EvseLive:
    """A session that has lasted ``minutes``."""
    seconds = minutes * 60
    curve = tuple(
        (round(seconds * i / 120, 1), round(7300 * min(1, i / 12) + 70 * math.sin(i / 3), 1)) for i in range(121)
    )
    running = EvseLive(
        evse_id=evse_id,
        availability="Occupied",
        activity="charging",
        cp_state="C2",
        plugged=True,
        contactor_closed=True,
        power=7312.0,
        current=(31.8, 0.0, 0.0),
        voltage=(230.1, 0.0, 0.0),
        current_offered=32.0,
        register=4215.2,
        soc=41.5,
        transaction_id=TRANSACTION,
        started_at=(NOON - timedelta(seconds=seconds)).isoformat(),
        energy=3010.6,
        charging_state="Charging",
        id_token=CARD,
        id_token_type="ISO14443",
        curve=curve,
    )
    return replace(running, **changes)


def station(*evses: EvseLive, **changes: Any) -> StationLive:
    """A station that is connected and well; its EVSEs are free unless others are given."""
    well = StationLive(
        serial=1,
        life="first",
        at=NOON.isoformat(),
        connected=True,
        registration="Accepted",
        security_profile=1,
        csms_url="ws://127.0.0.1:9000/ocpp",
        identity="CP-1",
        board_online=True,
        evses=evses or (free(1), free(2)),
    )
    return replace(well, **changes)
