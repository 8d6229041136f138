"""Who may charge, since when, and on whose word (block C)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from station.domain.transaction import IdToken


class AuthorizedBy(StrEnum):
    """On whose word a driver may charge; shown on the session's page."""

    CSMS = "csms"  # Authorize was answered with Accepted
    OFFLINE = "offline"  # unknown token, accepted while offline (C15)
    REMOTE = "remote"  # RequestStartTransaction without a check of our own (F01.FR.02)
    OPERATOR = "operator"  # started on the station's own web page
    NONE_NEEDED = "none_needed"  # AuthCtrlr.Enabled is false (C01.FR.01)


@dataclass(frozen=True, slots=True)
class Authorization:
    """A driver's permission to charge at one EVSE, or at the next one that a cable is plugged into.

    ``expires`` (monotonic seconds) is when it ends unless an EV was connected (EVConnectionTimeOut, C01.FR.26).
    ``evse_ids`` empty means any EVSE (C01.FR.19..21).
    """

    id_token: IdToken
    by: AuthorizedBy
    group_id_token: IdToken | None = None
    remote_start_id: int | None = None
    evse_ids: tuple[int, ...] = ()
    expires: float | None = None
    extra: dict[str, object] = field(default_factory=dict)
