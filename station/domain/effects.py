"""What a step of the station asks its shell to do.

The shell first commits all ``Stored`` effects of a step in one database transaction and only then carries out
the others, in order (one step, one commit).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from station.domain.authorization import CachedToken
from station.domain.board import Setpoint
from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.network import NetworkProfile
from station.domain.transaction import IdToken

Json: TypeAlias = Mapping[str, Any]


class SetBy(StrEnum):
    """Who gave a variable of the device model its value."""

    STATION = "station"  # itself, as what the CSMS answered or a clock's time has it
    CSMS = "csms"  # SetVariables
    PERSON = "person"  # an installer on the web page, or by the API
    PROVISION = "provision"  # the command line, as a factory would


# ------------------------------------------------------------------ towards the CSMS


@dataclass(frozen=True, slots=True)
class Call:
    """Send a CALL. At most one is outstanding; the station waits for CallAnswered or CallFailed."""

    call_id: str
    action: str
    payload: Json
    timeout: float  # seconds, OCPPCommCtrlr.MessageTimeout


@dataclass(frozen=True, slots=True)
class Answer:
    """Send the CALLRESULT to a CALL of the CSMS."""

    call_id: str
    action: str
    payload: Json


@dataclass(frozen=True, slots=True)
class AnswerError:
    """Send a CALLERROR (part 4, section 4.3) to a CALL of the CSMS."""

    call_id: str
    code: str
    description: str = ""
    details: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Close the WebSocket, after what is queued for it was written, and open it anew by the network profiles."""

    reason: str


# ------------------------------------------------------------------ towards board and machine


@dataclass(frozen=True, slots=True)
class SetBoard:
    """The setpoint to keep applying from now on."""

    setpoint: Setpoint


@dataclass(frozen=True, slots=True)
class Reboot:
    """Restart the appliance's own processes. ``reason`` is a BootReasonEnumType for the next BootNotification."""

    reason: str


# ------------------------------------------------------------------ what others do for the station


@dataclass(frozen=True, slots=True)
class StartTransfer:
    """Have the transfer worker do this, or tell once more what came of it; it does no attempt twice.

    ``attempt`` counts from 1. Each attempt is answered by ``TransferReport`` events; where none come, for Redis or the
    worker may be away, the station says it again.
    """

    transfer_id: str
    attempt: int
    task: str  # "upload_log", "download_firmware", "install_firmware", "confirm_firmware"
    parameters: Json


@dataclass(frozen=True, slots=True)
class CancelTransfer:
    """Whatever the transfer worker does or was to do for ``transfer_id``, it stops; no report follows."""

    transfer_id: str


@dataclass(frozen=True, slots=True)
class LookUpCustomer:
    """Find what is stored about these tokens; answered by a ``CustomerLookedUp`` event with the same id."""

    lookup_id: str
    id_tokens: tuple[IdToken, ...]


@dataclass(frozen=True, slots=True)
class MakeSigningRequest:
    """Make a new key pair and a certificate signing request (PKCS#10); answered by ``SigningRequestMade``.

    The private key never leaves the station (A02.FR.05). ``key_type`` is ``P-256``, ``P-384`` or ``RSA-3072``.
    """

    request_id: str
    use: CertificateUse
    common_name: str
    organization: str
    key_type: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class ForgetKey:
    """Destroy a private key that nothing needs any more; ``key`` as in ``StoredCertificate``."""

    key: str


@dataclass(frozen=True, slots=True)
class DiagnoseConnection:
    """Walk to the CSMS of ``profile`` and tell what is found there, by ``ConnectionDiagnosed`` events with the same id.

    ``connected``: the station is connected by just this profile, with that ``registration``; then nobody logs in a
    second time, for a CSMS may drop the first connection for that.
    """

    diagnosis_id: str
    profile: NetworkProfile
    connected: bool = False
    registration: str | None = None


@dataclass(frozen=True, slots=True)
class StopDiagnosis:
    """Nobody waits for that diagnosis any more; no event follows."""

    diagnosis_id: str


Errand: TypeAlias = (
    StartTransfer
    | CancelTransfer
    | LookUpCustomer
    | MakeSigningRequest
    | ForgetKey
    | DiagnoseConnection
    | StopDiagnosis
)


# ------------------------------------------------------------------ what lasts (all subclasses of Stored)


@dataclass(frozen=True, slots=True)
class Stored:
    """Base of everything that goes into the step's one commit."""


@dataclass(frozen=True, slots=True)
class SaveTransaction(Stored):
    """Insert or replace a transaction by its id. ``record`` is a ``domain.transaction.Transaction``."""

    record: Any


@dataclass(frozen=True, slots=True)
class SaveMeterPoint(Stored):
    """One point of a transaction's curve: W, A (the highest phase, and each), Wh register."""

    transaction_id: str
    at: datetime
    power: float
    current: float
    energy: float
    soc: float | None = None
    currents: tuple[float, ...] = ()  # A, of L1 and on, as many as are connected


@dataclass(frozen=True, slots=True)
class Enqueue(Stored):
    """Put a call that must not be lost into the queue. ``sequence`` orders the queue and never repeats."""

    sequence: int
    action: str
    payload: Json
    created: datetime


@dataclass(frozen=True, slots=True)
class UpdateQueued(Stored):
    """A queued call was tried again (E13) or its payload amended (``offline`` set)."""

    sequence: int
    attempts: int
    payload: Json | None = None


@dataclass(frozen=True, slots=True)
class Dequeue(Stored):
    """A queued call was answered, or given up by the rules of E13 (``given_up`` says why, empty: answered)."""

    sequence: int
    given_up: str = ""


@dataclass(frozen=True, slots=True)
class SaveVariable(Stored):
    """One attribute value of the device model that outlives a reboot. None deletes it (back to the default).

    For the history: what it was before (None for a secret), ``by`` whom, ``who`` where that is a person, and when. The
    station's step fills in the time; without one, nothing is noted.
    """

    component: str
    variable: str
    value: str | None
    attribute: str = "Actual"
    component_instance: str = ""
    variable_instance: str = ""
    evse_id: int = 0  # 0: the station
    connector_id: int = 0  # 0: the EVSE
    old: str | None = None
    by: SetBy = SetBy.STATION
    who: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SaveNetworkProfile(Stored):
    """Insert or replace a network configuration slot (B09). It is connected with from the next reboot on (B10)."""

    profile: NetworkProfile


@dataclass(frozen=True, slots=True)
class RemoveNetworkProfile(Stored):
    """Empty a network configuration slot (A05.FR.06)."""

    slot: int


@dataclass(frozen=True, slots=True)
class Remember(Stored):
    """A small durable fact of the station itself, by key (availability, clock, reader counters, boot reason …)."""

    key: str
    value: Any  # JSON; None forgets the key


@dataclass(frozen=True, slots=True)
class SaveCertificate(Stored):
    """Insert or replace an installed certificate by its ``certificate_id``."""

    record: StoredCertificate


@dataclass(frozen=True, slots=True)
class RemoveCertificate(Stored):
    """Delete an installed certificate; its private key goes with ``ForgetKey``."""

    certificate_id: str


@dataclass(frozen=True, slots=True)
class SaveCachedToken(Stored):
    """Insert or replace an entry of the authorization cache by its key. ``record`` is a ``CachedToken``."""

    record: CachedToken


@dataclass(frozen=True, slots=True)
class ForgetCachedToken(Stored):
    """Delete the entry of the authorization cache with that key; None deletes all (C11)."""

    key: str | None


@dataclass(frozen=True, slots=True)
class FinishCommand(Stored):
    """The outcome of an operator's command: ``Accepted`` or ``Rejected``, with a sentence for the person."""

    command_id: int
    status: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class EraseCustomer(Stored):
    """Take these tokens out of history and journal (N10); what was charged stays, by whom does not.

    ``identifier`` is the customerIdentifier, where the customer was named so.
    """

    id_tokens: tuple[IdToken, ...]
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class LogSecurity(Stored):
    """Add to the security log (A04.FR.04)."""

    at: datetime
    type: str
    tech_info: str = ""
    critical: bool = True


@dataclass(frozen=True, slots=True)
class TrimSecurityLog(Stored):
    """Of the security log only the newest ``keep`` entries stay; what this step adds comes on top. 0: it is cleared."""

    keep: int


@dataclass(frozen=True, slots=True)
class Journal(Stored):
    """Something that a person may want to read later.

    ``kind`` is a stable word (``card_read``, ``authorized``, ``refused``, ``plugged_in``, ``fault``, ``link_up`` …);
    the words for people are made by the web interface.
    """

    at: datetime
    kind: str
    evse_id: int | None = None
    transaction_id: str | None = None
    data: Json = field(default_factory=dict)


Effect: TypeAlias = Call | Answer | AnswerError | Reconnect | SetBoard | Reboot | Errand | Stored
