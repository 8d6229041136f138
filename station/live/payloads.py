"""The live view: what the uplink tells everybody who watches, as typed payloads.

A watcher first gets a whole ``StationLive`` (ask with ``bus.HELLO``), then one ``StationLive`` after every change,
at most a few a second. Whole states rather than edges: a lost message is repaired by the next. JSON on the
wire; ``encode`` and ``decode`` are the only ways in and out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ReasonLive:
    """Why an EVSE does what it does: ``domain.reason.Reason`` as it travels.

    ``why`` is a ``domain.reason.Why``; empty only where nobody said.
    """

    why: str = ""
    status: str = ""
    faults: tuple[str, ...] = ()
    by: str = ""
    who: str = ""
    since: str = ""
    until: str = ""
    left: int | None = None  # s
    limit: float | None = None  # A
    soc: float | None = None  # per cent
    charged: bool = False
    offline: str = ""
    limited_by: str = ""


@dataclass(frozen=True, slots=True)
class EvseLive:
    """One EVSE as a person would want to see it.

    ``availability`` is OCPP's ConnectorStatusEnumType (Available, Occupied, Reserved, Unavailable, Faulted);
    ``activity`` a stable word for what goes on (``free``, ``waiting_for_card``, ``waiting_for_plug``, ``authorizing``,
    ``preparing``, ``charging``, ``suspended_ev``, ``suspended_evse``, ``finishing``, ``unavailable``, ``faulted``,
    ``no_board``).
    """

    evse_id: int
    availability: str
    activity: str
    cp_state: str = "A"
    plugged: bool = False
    contactor_closed: bool = False
    power: float = 0.0  # W
    current: tuple[float, float, float] = (0.0, 0.0, 0.0)  # A
    voltage: tuple[float, float, float] = (0.0, 0.0, 0.0)  # V
    current_offered: float = 0.0  # A
    current_max: float = 0.0  # A per phase, the rating
    limit: float | None = None  # A per phase that the owner allows: the least of the two below; 0 pauses
    limit_standing: float | None = None  # set for good
    limit_timed: float | None = None  # set until ``limit_until``
    limit_until: str = ""  # RFC 3339
    register: float = 0.0  # Wh, the meter's import register
    soc: float | None = None
    temperature: float | None = None
    transaction_id: str | None = None
    started_at: str | None = None  # RFC 3339
    energy: float = 0.0  # Wh of the running session
    charging_state: str | None = None
    id_token: str | None = None
    id_token_type: str | None = None
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    message: str = ""  # why the last card was refused and the like, a stable word
    personal_message: str = ""  # what the CSMS has to say to the driver; anybody's text
    reason: ReasonLive = field(default_factory=ReasonLive)
    languages: tuple[str, ...] = ()  # in which the driver wants to be spoken to, best first (RFC 5646)
    curve: tuple[tuple[float, float], ...] = ()  # (seconds since the session's start, W), up to 240 points


@dataclass(frozen=True, slots=True)
class FirmwareLive:
    """A firmware update under way.

    ``phase`` is a stable word (``waits_to_download``, ``downloads``, ``waits_to_install``, ``installs``, ``reboots``,
    ``proves_itself``); ``status`` what the CSMS was told last, a FirmwareStatusEnumType. ``waits_until`` is RFC 3339,
    empty where it waits for sessions to end, or for nothing.
    """

    phase: str
    status: str
    request_id: int  # -1: a person brought it, and not the CSMS
    host: str  # empty: it was uploaded
    version: str = ""  # of the new firmware, once it is known
    moved: int = 0  # bytes of the download, of ``total`` (0: not known)
    total: int = 0
    attempt: int = 0  # of ``attempts`` downloads
    attempts: int = 0
    waits_until: str = ""
    detail: str = ""  # what went wrong in the last attempt


@dataclass(frozen=True, slots=True)
class LaneLive:
    """A kind of messages that wait for the CSMS, in order: ``transactions``, ``events`` or ``notices``.

    Times are RFC 3339. ``since`` is when the oldest was said, ``action`` what it is, ``attempts`` how often the CSMS
    did not take it; ``next_at`` is empty where it goes as soon as there is a line and its turn comes.
    """

    kind: str
    waiting: int
    since: str
    action: str
    attempts: int = 0
    next_at: str = ""
    sending: bool = False


@dataclass(frozen=True, slots=True)
class QueueLive:
    """The durable queue. ``curve``: (seconds since 1970, how many waited from then on), while there is one to see."""

    lanes: tuple[LaneLive, ...] = ()
    curve: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class StationLive:
    """The whole station. ``serial`` grows with every publication within one life of the uplink."""

    serial: int
    life: str  # changes with every start of the uplink
    at: str  # RFC 3339, the station's clock
    connected: bool
    registration: str | None  # Accepted, Pending, Rejected; None before the first answer
    security_profile: int
    csms_url: str
    identity: str
    board_online: bool
    board_error: str = ""
    door_open: bool = False
    link_note: str = ""  # what the last attempt to connect came to, in words; empty while connected
    queue_length: int = 0
    queue: QueueLive | None = None
    slot: int = 0  # the network configuration slot of the connection; 0: none
    trial_slot: int = 0  # an installer's new settings are being tried with this slot; 0: none are
    trial_left: int = 0  # s until the former ones come back
    master_pass: bool = False  # a master pass was shown: somebody is to choose which sessions end (C16)
    firmware_version: str = ""
    firmware: FirmwareLive | None = None  # an update under way
    # What the connection doctor has found so far, as ``domain.diagnosis.Diagnosis.as_json``; None: nobody asked lately.
    diagnosis: dict[str, Any] | None = None
    evses: tuple[EvseLive, ...] = field(default_factory=tuple)
    # For installers: by EVSE id as ``g_maintenance.Maintenance.as_json``, and under ``board`` the board itself.
    engineering: dict[str, dict[str, Any]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)  # what is measured or worked out of the device model


def encode(live: StationLive) -> dict[str, Any]:
    """A JSON-ready dictionary."""
    return asdict(live)


def decode(data: dict[str, Any]) -> StationLive:
    """The payload behind ``encode``; raises TypeError or KeyError where it is none."""
    evses = tuple(
        EvseLive(
            **{
                **evse,
                "current": tuple(evse["current"]),
                "voltage": tuple(evse["voltage"]),
                "faults": tuple(evse["faults"]),
                "warnings": tuple(evse["warnings"]),
                "languages": tuple(evse["languages"]),
                "curve": tuple(tuple(point) for point in evse["curve"]),
                "reason": ReasonLive(**{**evse["reason"], "faults": tuple(evse["reason"]["faults"])}),
            }
        )
        for evse in data["evses"]
    )
    firmware = FirmwareLive(**data["firmware"]) if data.get("firmware") else None
    return StationLive(**{**data, "evses": evses, "firmware": firmware, "queue": _queue(data.get("queue"))})


def _queue(data: dict[str, Any] | None) -> QueueLive | None:
    if data is None:
        return None
    lanes = tuple(LaneLive(**lane) for lane in data["lanes"])
    return QueueLive(lanes, tuple((float(at), int(waiting)) for at, waiting in data["curve"]))
