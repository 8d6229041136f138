"""What may happen to a station: the one argument of ``Station.step``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from station.domain.board import BoardSnapshot
from station.domain.network import FailureCause

Payload: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Started:
    """The process runs and what lasted is loaded; always the first event of a life."""


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The WebSocket to the CSMS is open and speaks ocpp2.0.1. ``slot`` is the network configuration slot."""

    slot: int
    security_profile: int


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The WebSocket is closed. A call that was in flight gets no answer."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """An attempt to connect came to nothing. ``cause`` is a ``domain.network.FailureCause``, ``detail`` for a person."""

    slot: int
    security_profile: int
    cause: FailureCause
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CallReceived:
    """The CSMS calls; the frame was valid JSON, a valid CALL and valid against the action's schema."""

    call_id: str
    action: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The CSMS answered a call of ours with a CALLRESULT that is valid against the schema."""

    call_id: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class CallFailed:
    """A call of ours ended without a usable result.

    ``code`` is the CALLERROR's error code as received (unknown codes are kept), or one of the RPC layer's own
    words: ``Timeout`` (no answer within MessageTimeout), ``LinkDown`` (closed before the answer came),
    ``InvalidAnswer`` (a CALLRESULT against the schema), ``InvalidRequest`` (the call itself was; it was never sent).
    """

    call_id: str
    code: str
    description: str = ""
    details: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperatorCommand:
    """A person, or the API, asks for something. ``arguments`` is what the form or API validated.

    Actions: ``start`` (evse_id; id_token and type where one is presented there, such as a KeyCode), ``stop``
    (evse_id), ``unlock`` (evse_id), ``restart``, ``set_variable`` (component, variable, value …), ``availability``
    (evse_id or None, operative), ``master_pass`` (evse_ids to end, None: all; C16), ``name_customer``
    (customer_identifier, id_token, type).
    """

    command_id: int
    who: str
    action: str
    arguments: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TransferReport:
    """How the transfer worker fares with an attempt; may come doubled, late, or never.

    A log: ``status`` is ``Preparing``, ``Uploading`` (again and again, with ``moved`` of ``total`` bytes), or how it
    ended: an UploadLogStatusEnumType. A firmware: ``Downloading`` (again and again), ``Downloaded``, and the ends
    ``SignatureVerified``, ``InvalidSignature`` or ``DownloadFailed``; ``Installing`` (again and again), and the ends
    ``Prepared`` (``detail`` is its version), ``InstallVerificationFailed`` or ``InstallationFailed``; ``Confirmed``.
    ``detail`` is for a person.
    """

    transfer_id: str
    attempt: int
    status: str
    detail: str = ""
    moved: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class CustomerLookedUp:
    """What a ``LookUpCustomer`` found: a line for each fact, the oldest first. ``failed``: it could not be read."""

    lookup_id: str
    lines: tuple[str, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class SigningRequestMade:
    """What came of ``MakeSigningRequest``: the request in PEM and where the private key is.

    ``failed`` says for a person why there is none; then the other two are empty.
    """

    request_id: str
    csr: str = ""
    key: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing but time has passed; sent when ``Station.deadline()`` is reached."""


Event: TypeAlias = (
    Started
    | LinkUp
    | LinkDown
    | ConnectionFailed
    | CallReceived
    | CallAnswered
    | CallFailed
    | OperatorCommand
    | BoardSnapshot
    | TransferReport
    | CustomerLookedUp
    | SigningRequestMade
    | Tick
)
