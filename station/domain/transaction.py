"""A transaction as OCPP part 2, block E means it, and the session a person sees in the history."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ChargingState(StrEnum):
    """ChargingStateEnumType."""

    CHARGING = "Charging"
    EV_CONNECTED = "EVConnected"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    IDLE = "Idle"


@dataclass(frozen=True, slots=True)
class IdToken:
    """IdTokenType without its additionalInfo: what identifies who charges. Compared without regard to case."""

    id_token: str
    type: str

    def matches(self, other: IdToken | None) -> bool:
        """True where both name the same token (C01.FR.25; identifiers are case insensitive)."""
        return other is not None and (self.id_token.casefold(), self.type) == (other.id_token.casefold(), other.type)

    @property
    def loggable(self) -> str:
        """The identifier as it may stand in a journal; a key code never does (C04.FR.04)."""
        return "****" if self.type == "KeyCode" else self.id_token


@dataclass(slots=True)
class Transaction:
    """One transaction, from its Started to its Ended event.

    ``meter_start`` and ``meter_stop`` are register values in mWh (None until the EVSE is known). ``seq_no`` is
    the number that the next TransactionEvent gets. ``active`` turns False with the Ended event.
    """

    transaction_id: str
    started_at: datetime
    evse_id: int | None = None
    connector_id: int | None = None
    id_token: IdToken | None = None
    group_id_token: IdToken | None = None
    authorized_by: str = ""  # "csms", "offline", "remote" … for the history
    remote_start_id: int | None = None
    reservation_id: int | None = None
    seq_no: int = 0
    charging_state: ChargingState | None = None
    phases_used: int | None = None
    meter_start: int | None = None
    meter_stop: int | None = None
    soc_start: float | None = None
    soc_stop: float | None = None
    ended_at: datetime | None = None
    stopped_reason: str = ""
    active: bool = True
    started_offline: bool = False
    meter_suspect: bool = False  # a reading was refused as implausible while it ran
    seconds_charging: float = 0.0
    extra: dict[str, object] = field(default_factory=dict)  # what blocks keep across a power cut; JSON
