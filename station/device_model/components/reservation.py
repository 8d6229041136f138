"""Reservations (part 2, section 2.11)."""

from __future__ import annotations

from station.device_model.definition import READ_ONLY, READ_WRITE, Component, boolean


class ReservationCtrlr(Component):
    """Whether the CSMS may keep an EVSE free for somebody."""

    Available = boolean(True, READ_ONLY, "EVSEs can be reserved, if that is enabled", constant=True)
    Enabled = boolean(True, READ_WRITE, "ReserveNow is accepted; what is reserved already stays so")
    NonEvseSpecific = boolean(
        True, READ_WRITE, "Reservations that name no EVSE, or only a type of connector, are accepted"
    )
