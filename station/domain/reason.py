"""Why an EVSE does what it does, above all: why a car that is plugged in is not charging. Exactly one reason at a time.

A fact for people, not for the CSMS. The words are the web interface's; here is what is true, and with it what a
sentence needs: which fault, whose word, since when, how long still.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from station.domain.availability import Outage

LEAST_CURRENT = 6.0  # A; IEC 61851-1 has no offer below it
LITTLE = 100.0  # W; what a car takes that is awake, and does not charge


class Why(StrEnum):
    """The reason. What it says of an EVSE at which energy flows is here, too, so that there always is one."""

    NO_BOARD = "no_board"  # since
    FAULT = "fault"  # faults
    ENDING = "ending"  # over; the contactor has yet to open
    KEPT = "kept"  # the lock holds a driver's cable (E09.FR.03)
    LOCK_FAILED = "lock_failed"
    SUSPENDED = "suspended"  # status: the CSMS refused the token of what runs (E05.FR.02)
    FELL_BACK = "fell_back"  # the board was left alone, and paused
    CHARGING = "charging"  # limited_by
    TAKES_LITTLE = "takes_little"  # soc
    LOCKING = "locking"
    PAUSED = "paused"  # the owner, or his automation, allows nothing for now
    TOO_LITTLE = "too_little"  # limit: what is left for the car is too little to charge with
    CAR_PAUSES = "car_pauses"  # charged, soc
    CAR_PREPARES = "car_prepares"
    STARTING = "starting"  # allowed; the board's offer is on its way
    WAITING_FOR_CABLE = "waiting_for_cable"  # left
    UNAVAILABLE = "unavailable"  # by, who, since
    CHECKING = "checking"
    REFUSED = "refused"  # status
    NOT_ACCEPTED = "not_accepted"  # status: the registration, empty where the CSMS never answered
    DEAUTHORIZED = "deauthorized"  # status; over, because the CSMS refused the token
    OVER = "over"
    RESERVED = "reserved"  # who (empty: not for one card alone), until
    WAITING_FOR_CARD = "waiting_for_card"  # offline
    FREE = "free"


class Offline(StrEnum):
    """Who may charge while the CSMS is away."""

    NOT = ""  # it is not away
    ANYBODY = "anybody"
    KNOWN = "known"  # who is in the authorization cache
    NOBODY = "nobody"


class LimitedBy(StrEnum):
    """What keeps a car that charges below the EVSE's rating."""

    NOTHING = ""
    TEMPERATURE = "temperature"
    CABLE = "cable"
    OWNER = "owner"  # or what he has set to do it
    FALLBACK = "fallback"  # the board's own, after the station had left it alone


@dataclass(frozen=True, slots=True)
class Reason:
    """``why``, and what belongs to it (see there); the rest is empty.

    ``since`` and ``until`` are RFC 3339, ``left`` in seconds, ``limit`` in A per phase, ``soc`` in per cent.
    ``status`` is an AuthorizationStatusEnumType, a RegistrationStatusEnumType, or a stable word of block C; ``by`` of
    ``availability.OutBy``.
    """

    why: Why
    status: str = ""
    faults: tuple[str, ...] = ()
    by: str = ""
    who: str = ""
    since: str = ""
    until: str = ""
    left: int | None = None
    limit: float | None = None
    soc: float | None = None
    charged: bool = False
    offline: Offline = Offline.NOT
    limited_by: LimitedBy = LimitedBy.NOTHING


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the reason is found from: one EVSE, and what of the station concerns it, at one moment.

    ``wait_left`` is how long an authorization still waits for its cable (s), this EVSE's or one for any EVSE; None:
    nobody waits, or for as long as it takes. ``needs_lock``: a lock has to shut before energy may flow. ``refusal`` is
    why the last token was refused here, while that still concerns whoever stands there; ``deauthorized`` why the CSMS
    refused the token of the session that is over or suspended (empty also where a restart made that forgotten).
    """

    board_online: bool = True
    lost_since: str = ""
    faults: tuple[str, ...] = ()
    plugged: bool = False
    kept: bool = False
    authorized: bool = False
    awaited: bool = False  # somebody was authorized for any EVSE, and no cable has come yet
    wait_left: int | None = None
    lock_failed: bool = False
    needs_lock: bool = False
    suspended: bool = False
    fell_back: bool = False
    transferring: bool = False
    power: float = 0.0
    limit: float = 0.0
    paused: bool = False
    limited_by: LimitedBy = LimitedBy.NOTHING
    offering: bool = False
    offered_long: bool = False  # the EV had its time to take what is offered
    charged: bool = False  # energy has flowed in this session
    soc: float | None = None
    transaction: bool = False
    ending: bool = False
    over: bool = False  # the session of the car that is still plugged in
    outage: Outage | None = None
    checking: bool = False
    refusal: str = ""
    deauthorized: str = ""
    reserved: bool = False
    reserved_for: str = ""
    reserved_until: str = ""
    may_charge: bool = True
    registration: str = ""
    offline: Offline = Offline.NOT


def find(here: Circumstances) -> Reason:
    """The one reason; of several that hold, the one that has to go before any other could matter."""
    if not here.board_online:
        return Reason(Why.NO_BOARD, since=here.lost_since)
    if here.faults:
        return Reason(Why.FAULT, faults=here.faults)
    if here.ending:
        return Reason(Why.ENDING)
    if here.authorized:
        return _of_a_session(here) if here.plugged else Reason(Why.WAITING_FOR_CABLE, left=here.wait_left)
    if here.kept and not here.plugged:
        return Reason(Why.KEPT)
    if here.outage is not None and not (here.plugged and here.over and here.transaction):
        return Reason(Why.UNAVAILABLE, by=str(here.outage.by), who=here.outage.who, since=here.outage.since)
    return _of_a_visitor(here)


def _of_a_session(here: Circumstances) -> Reason:
    """Somebody is authorized, and a car is there."""
    if here.lock_failed:
        return Reason(Why.LOCK_FAILED)
    if here.suspended:
        return Reason(Why.SUSPENDED, status=here.deauthorized)
    if here.transferring:
        if here.power < LITTLE:
            return Reason(Why.TAKES_LITTLE, soc=here.soc)
        return Reason(Why.CHARGING, limited_by=LimitedBy.FALLBACK if here.fell_back else here.limited_by)
    if here.fell_back:
        return Reason(Why.FELL_BACK)
    if here.needs_lock:
        return Reason(Why.LOCKING)
    if here.paused:
        return Reason(Why.PAUSED)
    if here.limit < LEAST_CURRENT:
        return Reason(Why.TOO_LITTLE, limit=here.limit)
    if not here.offering:
        return Reason(Why.STARTING)
    if here.offered_long or here.charged:
        return Reason(Why.CAR_PAUSES, charged=here.charged, soc=here.soc)
    return Reason(Why.CAR_PREPARES)


def _of_a_visitor(here: Circumstances) -> Reason:
    """Nobody is authorized."""
    if not here.plugged and here.awaited and not here.reserved:
        return Reason(Why.WAITING_FOR_CABLE, left=here.wait_left)
    if here.checking:
        return Reason(Why.CHECKING)
    if here.refusal and not (here.reserved and here.refusal == "reserved"):
        return Reason(Why.REFUSED, status=here.refusal)
    if here.plugged and here.over:
        return Reason(Why.DEAUTHORIZED, status=here.deauthorized) if here.deauthorized else Reason(Why.OVER)
    if here.reserved:
        return Reason(Why.RESERVED, who=here.reserved_for, until=here.reserved_until)
    if not here.may_charge:
        return Reason(Why.NOT_ACCEPTED, status=here.registration)
    if here.plugged:
        return Reason(Why.WAITING_FOR_CARD, offline=here.offline)
    return Reason(Why.FREE)
