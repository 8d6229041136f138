"""Functional block A, Security: the station's own certificate, asked for and renewed (A02, A03).

The key is made by an errand and never seen here. From the errand to the accepted certificate there is one request,
remembered step by step, so that a power cut costs at most a repetition. A certificate that comes in is tried beside
the one before (``CertificateStore.trial``): the first connection decides which of the two stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from station.device_model.components import ChargingStation, OCPPCommCtrlr, SecurityCtrlr
from station.domain import pki
from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.effects import FinishCommand, MakeSigningRequest, Reconnect
from station.domain.events import ConnectionFailed, LinkUp, OperatorCommand, SigningRequestMade, Started
from station.domain.moment import Moment, rfc3339
from station.domain.network import FailureCause
from station.domain.pki import BadCertificate
from station.domain.signals import SecurityEvent, TriggerRequested
from station.ocpp.block import Block, Payload
from station.ocpp.certificates import NEW, OLD, REQUEST
from station.ocpp.context import Context

OWN = CertificateUse.CHARGING_STATION
EARLY = timedelta(days=30)  # A03.FR.02: one month before it expires
LOOK = 3600.0  # s between two looks at the date
DISCOURAGED = 86_400.0  # s until a renewal that came to nothing is tried again by the station itself
PATIENCE = 120.0  # s in which a certificate that a person brought must lead to a connection
INFO_LENGTH = 512  # StatusInfoType.additionalInfo

# Stages of a request: its key is being made; it is to be sent; the CSMS has it, and is asked again after a while, or
# is not; nothing is sent any more, and a certificate still welcome; a person carries it to the authority.
KEY, SIGN, WAIT, SENT, STOPPED, MANUAL = "key", "sign", "wait", "sent", "stopped", "manual"
CSMS, EXPIRY, OPERATOR = "csms", "expiry", "operator"


class _Fulfilled(BadCertificate):
    """A second certificate for the same request, as comes of one that was sent twice."""


@dataclass(slots=True)
class _Request:
    """What is remembered of a request; the web interface offers ``csr`` (PEM) for download."""

    request_id: str
    why: str
    stage: str
    common_name: str
    organization: str
    csr: str = ""
    key: str = ""
    made: str = ""  # when, RFC 3339
    manual: bool = False  # not for the CSMS: a person carries it to the authority
    sent: int = 0  # how often the CSMS took it


class StationCertificate(Block):
    """Asks for certificates by the CSMS's trigger, by coming expiry and by an operator, and takes what comes."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._store = context.certificates
        kept = context.remembered.get(REQUEST)
        try:
            self._request = _Request(**kept) if isinstance(kept, dict) else None
        except TypeError:
            self._request = None
        self._in_flight = False
        self._again_at: float | None = None  # monotonic: the certificate should have come by then
        self._look_at = 0.0
        self._patient_until: float | None = None
        self._failures = 0  # attempts to connect with the certificate of the trial that is used now
        self._command: int | None = None  # the operator's, until the request is made
        self.actions = {"CertificateSigned": self.certificate_signed}

    def on(self, event: object, now: Moment) -> None:
        match event:
            case Started():
                self._resume(now)
            case TriggerRequested(message="SignChargingStationCertificate"):
                self._begin(CSMS, now)  # A02.FR.02
            case SigningRequestMade():
                self._made(event, now)
            case LinkUp(security_profile=security_profile) if security_profile >= 3:
                self._connected(now)
            case ConnectionFailed(security_profile=security_profile) if security_profile >= 3:
                self._not_connected(event, now)
            case OperatorCommand(action="renew_certificate"):
                self._operator_renew(event, now)
            case OperatorCommand(action="install_certificate") if event.arguments.get("use") == OWN:
                self._operator_install(event, now)
        self._pass_time(now)

    def deadline(self) -> float | None:
        looks = self._context.outbox.registered and self._proves_itself
        waits = [self._again_at, self._patient_until, self._look_at if looks else None]
        return min((at for at in waits if at is not None), default=None)

    @property
    def _proves_itself(self) -> bool:
        """Whether connections are made with the station's certificate."""
        return bool(self._context.model[SecurityCtrlr.SecurityProfile] >= 3)

    # ------------------------------------------------------------------ asking

    def _begin(self, why: str, now: Moment, *, manual: bool = False) -> None:
        model = self._context.model
        request = self._request
        if request and request.stage == KEY:
            request.why = why if request.why == EXPIRY else request.why
            return  # F06.FR.10: what is about to be sent is what is asked for
        self._keep(
            _Request(
                self._context.new_id(),
                why,
                KEY,
                # A00.FR.511; where the factory gave no serial number, the identity is what is unique
                model[ChargingStation.SerialNumber] or model[SecurityCtrlr.Identity],
                model[SecurityCtrlr.OrganizationName],  # A00.FR.509
                manual=manual,
            )
        )
        self._again_at = None
        self._in_flight = False
        if request:
            self._store.forget_key(request.key)
        self._make()

    def _make(self) -> None:
        request = self._request
        assert request is not None  # noqa: S101 - for the type checker
        key_type = self._context.model[SecurityCtrlr.CertificateKeyType]
        self._context.emit(
            MakeSigningRequest(request.request_id, OWN, request.common_name, request.organization, key_type)
        )

    def _made(self, event: SigningRequestMade, now: Moment) -> None:
        request = self._request
        if request is None or request.request_id != event.request_id or request.stage != KEY:
            self._store.forget_key(event.key)
            return
        if event.failed:
            self._keep(None)
            self._look_at = now.monotonic + DISCOURAGED
            self._context.journal(now, "certificate_request_failed", detail=event.failed)
            self._finish("Rejected", f"No certificate request could be made: {event.failed}.")
            return
        request.stage = MANUAL if request.manual else SIGN
        request.csr, request.key = event.csr, event.key
        request.made = rfc3339(self._context.clock.utc(now))
        self._keep(request)
        self._context.journal(now, "certificate_requested", why=request.why, subject=request.common_name)
        self._finish("Accepted", "The certificate request was made.")

    def _resume(self, now: Moment) -> None:
        """After a start, where the last life ended."""
        request = self._request
        if request and request.stage == KEY:
            self._make()
        elif request and request.stage == WAIT:
            self._await_certificate(request, now)

    def _pass_time(self, now: Moment) -> None:
        request = self._request
        if request and self._again_at is not None and now.monotonic >= self._again_at:
            self._again_at = None
            request.stage = SIGN  # A02.FR.17: the same request, until the CSMS makes a certificate of it
        if request and request.stage == SIGN and not self._in_flight:
            self._send(request)
        if self._patient_until is not None and now.monotonic >= self._patient_until:
            self._patient_until = None
            if self._store.trial and self._store.trial.use == NEW and not self._context.outbox.online:
                self._swap(now)
                self._context.emit(Reconnect("the new certificate led to no connection"))
        if now.monotonic >= self._look_at and self._context.outbox.registered and self._proves_itself:
            self._look_at = now.monotonic + LOOK
            self._renew_in_time(now)

    def _renew_in_time(self, now: Moment) -> None:
        if self._store.trial or (self._request and self._request.stage != SENT):
            return  # one at a time; and what ended in silence is for the CSMS to take up again (A02.FR.19, A02.FR.20)
        at = self._context.clock.utc(now)
        own = self._store.own(at)
        period = self._store.validity(own) if own else None
        if period and at >= period[1] - EARLY:
            self._begin(EXPIRY, now)  # A03.FR.02

    def _send(self, request: _Request) -> None:
        outbox = self._context.outbox
        allowed = outbox.registration == "Accepted" or (request.why == CSMS and outbox.registration == "Pending")
        if not outbox.online or not allowed:
            return
        self._in_flight = True
        self._context.call(
            "SignCertificate",
            {"csr": request.csr, "certificateType": OWN.value},  # A02.FR.03, A02.FR.13
            answered=lambda response, now: self._answered(request, response["status"] == "Accepted", now),
            failed=lambda code, now: self._failed(request, code, now),
            requested=request.why == CSMS,
        )

    def _answered(self, request: _Request, accepted: bool, now: Moment) -> None:
        if request is not self._request:
            return
        self._in_flight = False
        if not accepted:
            self._keep(None)
            self._store.forget_key(request.key)
            self._look_at = now.monotonic + DISCOURAGED
            self._context.journal(now, "certificate_request_refused", why=request.why)
            return
        request.sent += 1
        if not self._context.model[SecurityCtrlr.CertSigningWaitMinimum]:
            request.stage = SENT  # nothing repeats it, but the next renewal need not wait for it
            self._look_at = now.monotonic + DISCOURAGED
        elif request.sent <= self._context.model[SecurityCtrlr.CertSigningRepeatTimes] + 1:
            request.stage = WAIT
            self._await_certificate(request, now)
        else:
            request.stage = STOPPED  # A02.FR.19
        self._keep(request)

    def _await_certificate(self, request: _Request, now: Moment) -> None:
        shortest = self._context.model[SecurityCtrlr.CertSigningWaitMinimum]
        self._again_at = now.monotonic + shortest * 2 ** max(0, request.sent - 1)  # A02.FR.18

    def _failed(self, request: _Request, code: str, now: Moment) -> None:
        if request is not self._request:
            return
        self._in_flight = False
        if code != "LinkDown":  # then it goes out again with the next connection
            # A CSMS that does not know the action signs nothing; any other error may pass.
            self._answered(request, code not in ("NotSupported", "NotImplemented"), now)

    # ------------------------------------------------------------------ what comes of it

    def certificate_signed(self, request: Payload, now: Moment) -> dict[str, Any]:
        """Answer CertificateSignedRequest."""
        if request.get("certificateType", OWN) != OWN:
            return _rejected("UnsupportedRequest", "there is no certificate for ISO 15118 here")
        chain: str = request["certificateChain"]
        longest = self._context.model[SecurityCtrlr.MaxCertificateChainSize]
        if len(chain) > longest:
            return _rejected("TooLargeElement", f"at most {longest} characters are taken")  # A02.FR.16
        try:
            self._take(chain, now, CSMS)
        except _Fulfilled as repeated:
            return _rejected("InvalidCertificate", str(repeated))
        except BadCertificate as flaw:
            if self._request and self._request.stage in (SIGN, WAIT, SENT):
                self._request.stage = STOPPED  # A02.FR.20
                self._again_at = None
                self._keep(self._request)
            self._context.journal(now, "station_certificate_refused", detail=str(flaw))
            self._context.raise_signal(SecurityEvent("InvalidChargingStationCertificate", str(flaw)))  # A02.FR.07
            return _rejected("InvalidCertificate", str(flaw))
        return {"status": "Accepted"}  # A02.FR.08

    def _take(self, text: str, now: Moment, who: str) -> None:
        """Have a new certificate of the station's tried, or raise BadCertificate with nothing changed."""
        at = self._context.clock.utc(now)
        way = self._judged(text, now)
        request = self._request
        assert request is not None  # noqa: S101 - for the type checker: there is no way without one
        pems = tuple(pki.pem(one) for one in way)
        record = StoredCertificate(pki.certificate_id(OWN, pems[0]), OWN, pems, at, request.key)
        in_use = self._proves_itself
        self._store.renew(record, at, in_use=in_use)
        self._keep(None)
        self._again_at = None
        self._failures = 0
        self._patient_until = now.monotonic + PATIENCE if self._store.trial and who != CSMS else None
        until = rfc3339(way[0].not_valid_after_utc)
        self._context.journal(now, "station_certificate_installed", subject=pki.subject(way[0]), until=until, who=who)
        self._context.raise_signal(
            SecurityEvent("ReconfigurationOfSecurityParameters", "a charging station certificate came", critical=False)
        )
        if in_use:
            self._context.emit(Reconnect("a new charging station certificate"))  # A02.FR.08

    def _judged(self, text: str, now: Moment) -> list[Any]:
        """The certificate and those between it and its root: the checks of A02.FR.06, with A00.FR.501 to 514."""
        chain = [pki.read(pem) for pem in pki.split(text)]
        leaf, request = chain[0], self._request
        key = pki.public_key(leaf)
        if request is None or not request.csr or key != pki.requested_key(request.csr):
            if any(pki.public_key(one) == key for one in self._store.readable(OWN)):
                raise _Fulfilled("there is a certificate for this request already")
            raise BadCertificate("its key is not that of a request of this station")
        at = self._context.clock.utc(now)
        pki.check_dates(leaf, at)
        pki.check_strength(leaf)
        pki.check_client(leaf)
        if pki.common_name(leaf) != request.common_name:
            raise BadCertificate(f"its commonName is not {request.common_name}")  # A00.FR.511
        if request.organization and request.organization not in pki.organizations(leaf):
            raise BadCertificate(f"its organizationName is not {request.organization}")  # A00.FR.509
        return pki.path(leaf, chain[1:], self._store.readable(CertificateUse.CSMS_ROOT), at)

    # ------------------------------------------------------------------ whether it works

    def _connected(self, now: Moment) -> None:
        self._failures = 0
        self._patient_until = None
        side = self._store.settle()  # A02.FR.10
        if side == NEW:
            self._context.journal(now, "station_certificate_proven")
        elif side == OLD:
            self._look_at = now.monotonic + DISCOURAGED
            self._context.journal(now, "station_certificate_taken_back")
            event = SecurityEvent("DiscardedRenewedClientCertificate", "no connection could be made with it")
            self._context.raise_signal(event)  # A02.FR.29

    def _not_connected(self, event: ConnectionFailed, now: Moment) -> None:
        if not self._store.tried or event.cause is FailureCause.NAME:
            return  # it was not even shown to anybody
        self._failures += 1
        model = self._context.model
        slots = len(model[OCPPCommCtrlr.NetworkConfigurationPriority]) or 1
        enough = slots * max(1, model[OCPPCommCtrlr.NetworkProfileConnectionAttempts])  # A02.FR.28
        # Where it is this certificate that is refused, or cannot even be used, there is nothing to wait for.
        plain = event.cause in (FailureCause.STATION_CERTIFICATE, FailureCause.CONFIGURATION)
        if plain or self._failures >= enough:
            self._swap(now)

    def _swap(self, now: Moment) -> None:
        self._failures = 0
        self._store.swap()
        trial = self._store.trial
        self._context.journal(now, "station_certificate_swapped", side=trial.use if trial else "")

    # ------------------------------------------------------------------ an operator

    def _operator_renew(self, command: OperatorCommand, now: Moment) -> None:
        if not (self._context.model[ChargingStation.SerialNumber] or self._context.model[SecurityCtrlr.Identity]):
            self._refuse(command, "The station has no identity yet.")
            return
        if self._request and self._request.stage == KEY:
            self._refuse(command, "A request is being made already.")
            return
        self._begin(OPERATOR, now, manual=not command.arguments.get("send", True))
        self._command = command.command_id

    def _operator_install(self, command: OperatorCommand, now: Moment) -> None:
        try:
            self._take(str(command.arguments.get("certificate") or ""), now, command.who)
        except BadCertificate as flaw:
            self._refuse(command, f"The certificate was not taken: {flaw}.")
        else:
            told = "The certificate is being tried." if self._store.trial else "The certificate was installed."
            self._context.emit(FinishCommand(command.command_id, "Accepted", told))

    def _refuse(self, command: OperatorCommand, why: str) -> None:
        self._context.emit(FinishCommand(command.command_id, "Rejected", why))

    def _finish(self, status: str, message: str) -> None:
        if self._command is not None:
            self._context.emit(FinishCommand(self._command, status, message))
        self._command = None

    # ------------------------------------------------------------------ what lasts

    def _keep(self, request: _Request | None) -> None:
        self._request = request
        kept: Mapping[str, Any] | None = asdict(request) if request else None
        self._context.remember(REQUEST, kept)


def _rejected(reason_code: str, info: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason_code, "additionalInfo": info[:INFO_LENGTH]}}
