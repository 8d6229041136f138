"""What may happen to a station: the one argument of ``Station.step``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from station.domain.board import BoardSnapshot
from station.domain.diagnosis import Step
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
    spare_password: bool = False  # connected with the password before BasicAuthPassword (A01)


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The WebSocket is closed. A call that was in flight gets no answer."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """An attempt to connect came to nothing. ``detail`` is for a person."""

    slot: int
    security_profile: int
    cause: FailureCause
    detail: str = ""
    spare_password: bool = False  # as in ``LinkUp``


@dataclass(frozen=True, slots=True)
class ConnectionDiagnosed:
    """How far a ``DiagnoseConnection`` has come: all steps so far; ``over`` with the last one."""

    diagnosis_id: str
    steps: tuple[Step, ...]
    over: bool = False


@dataclass(frozen=True, slots=True)
class CallReceived:
    """The CSMS calls; the frame was valid JSON, a valid CALL and valid against the action's schema.

    ``size`` is the frame's length in bytes, 0 where that is not known.
    """

    call_id: str
    action: str
    payload: Payload
    size: int = field(default=0, compare=False)


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
    (customer_identifier, id_token, type), ``login`` (accepted, user, origin, locked for how many seconds),
    ``clear_security_log``, ``install_certificate`` (use: a CertificateUse, certificate in PEM; for the station's own
    the whole chain, to the pending request), ``delete_certificate`` (certificate_id), ``renew_certificate`` (send:
    whether the request goes to the CSMS; otherwise it waits, remembered as ``certificate_request``, to be downloaded),
    ``diagnose_connection`` (slot, or csms_url and security_profile), ``stop_diagnosis``, ``block_card`` and
    ``unblock_card`` (id_token, type), ``teach_card`` (the next card read within 60 s is remembered as ``taught_card``
    and authorizes nothing; the command is open until then), ``stop_teaching`` (command_id of the ``teach_card``),
    ``set_installation`` (variables: texts by name, see ``device_model.installation``), ``begin_maintenance`` and
    ``end_maintenance`` (evse_id; to end without one: all that the person had begun), ``manual_setpoint`` (evse_id,
    current in A, phases), ``self_test`` (evse_id), ``install_firmware`` (transfer_id: where its file lies in the
    spool; certificate in PEM, signature in Base64), ``limit`` (evse_id, current in A per phase: 0 pauses, None
    lifts all limits of the owner's there), ``send_log`` (log_type: DiagnosticsLog or SecurityLog, url).

    Of an installer, each tried at once and taken back by itself unless the CSMS answers (``keep``: without a trial;
    ``less_security``: also with a lower security profile): ``set_network_profile`` (slot, csms_url, security_profile,
    message_timeout in seconds, interface; identity and password where they change with it), ``remove_network_profile``
    (slot), ``set_network_priority`` (slots, the first one first), ``set_credentials`` (identity, password; empty:
    as it is). ``take_back`` ends such a trial before its time.
    """

    command_id: int
    who: str
    action: str
    arguments: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LimitWanted:
    """The owner's automation limits an EVSE for ``valid_for`` seconds from now, unless it says so again before.

    State that is repeated, not a command: nobody is told what came of it but by the live view. ``current`` is A per
    phase, 0 pauses, None ends such a limit.
    """

    evse_id: int
    current: float | None
    valid_for: float
    who: str = ""


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
class SecurityObserved:
    """A security event (``domain.security``) that somebody outside of the station saw: the link, the RPC, the machine.

    ``tech_info`` is for people, and holds no secret.
    """

    type: str
    tech_info: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing but time has passed; sent when ``Station.deadline()`` is reached."""


Event: TypeAlias = (
    Started
    | LinkUp
    | LinkDown
    | ConnectionFailed
    | ConnectionDiagnosed
    | CallReceived
    | CallAnswered
    | CallFailed
    | OperatorCommand
    | LimitWanted
    | BoardSnapshot
    | TransferReport
    | CustomerLookedUp
    | SigningRequestMade
    | SecurityObserved
    | Tick
)
