"""What one functional block lets the others know within a step. Blocks never import each other; they listen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from station.domain.authorization import Authorization
from station.domain.transaction import IdToken


@dataclass(frozen=True, slots=True)
class VariableChanged:
    """An attribute's value changed by SetVariables or by an installer (not by the station itself)."""

    component: str
    variable: str
    variable_instance: str
    evse_id: int
    connector_id: int
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """The CSMS answered BootNotification: Accepted, Pending or Rejected. ``first`` since this boot."""

    status: str
    first: bool


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """The next link goes by other settings than the last one; who answers there has accepted nobody yet."""


@dataclass(frozen=True, slots=True)
class TryWithoutRoot:
    """An operator wants a CSMS root gone: to be deleted once a connection has come up without it."""

    certificate_id: str
    command_id: int
    who: str


@dataclass(frozen=True, slots=True)
class BackOnline:
    """The link is up again after ``offline`` seconds, without a boot in between (B04)."""

    offline: float


@dataclass(frozen=True, slots=True)
class Authorized:
    """A driver may charge. ``evse_id`` None: at the EVSE that the next cable is plugged into."""

    evse_id: int | None
    authorization: Authorization
    trigger: str = "Authorized"  # TriggerReasonEnumType: Authorized or RemoteStart


@dataclass(frozen=True, slots=True)
class AuthorizeRemotely:
    """RequestStartTransaction wants its token checked first (AuthorizeRemoteStart, F01.FR.01)."""

    evse_id: int | None
    id_token: IdToken
    remote_start_id: int


@dataclass(frozen=True, slots=True)
class AuthorizationEnded:
    """Nobody may charge there any more. ``evse_id`` None: the authorization that waited for a cable."""

    evse_id: int | None
    trigger: str  # TriggerReasonEnumType
    stopped_reason: str  # ReasonEnumType, for the case that this ends the transaction
    id_token: IdToken | None = None  # the token that ended it, where there was one (E07.FR.02)


@dataclass(frozen=True, slots=True)
class EndTransactions:
    """All transactions end now, whatever TxStopPoint says (Reset, B12.FR.04)."""

    trigger: str
    stopped_reason: str
    evse_id: int | None = None  # None: everywhere


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """The Ended event of a transaction was queued."""

    transaction_id: str
    evse_id: int | None


@dataclass(frozen=True, slots=True)
class TriggerRequested:
    """TriggerMessage was accepted; the block that owns the message sends it. ``evse_id`` None: all."""

    message: str
    evse_id: int | None = None
    connector_id: int | None = None


@dataclass(frozen=True, slots=True)
class EvseChanged:
    """Something about an EVSE's availability may have changed: status is to be computed anew."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class StatusShown:
    """The connector of an EVSE has another ConnectorStatusEnumType now."""

    evse_id: int
    status: str


@dataclass(frozen=True, slots=True)
class ReservationEnded:
    """A reservation is over without having been used. A ReservationUpdateStatusEnumType."""

    reservation_id: int
    status: str


@dataclass(frozen=True, slots=True)
class EvseReset:
    """An EVSE's own reset is over: what is plugged in there counts as plugged in now."""

    evse_id: int


@dataclass(frozen=True, slots=True)
class RebootWanted:
    """The station is to reboot as soon as all is said; transactions that still run outlive it. A BootReasonEnumType."""

    reason: str


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """A security event of ``domain.security``. ``tech_info`` is for people, and holds no secret.

    ``critical`` None: as the table says.
    """

    type: str
    tech_info: str = ""
    critical: bool | None = None


@dataclass(frozen=True, slots=True)
class MeterDue:
    """A sampled or clock-aligned meter value of a running transaction is due (J01, J02)."""

    evse_id: int
    trigger: str  # MeterValuePeriodic or MeterValueClock
    meter: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CustomerErased:
    """Nothing is to be kept about that token any more but the local list (N10.FR.03, N10.FR.06)."""

    id_token: IdToken
