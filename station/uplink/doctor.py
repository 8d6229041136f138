"""The connection doctor: walks to a CSMS step by step and says what is wrong and what to do about it.

It goes the way that the link goes, with the same checks, and tells the CSMS nothing before it has proved itself. It
logs in where the station is not connected there anyhow, and leaves again at once.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from station.domain.certificates import TlsMaterial
from station.domain.diagnosis import Outcome, SeenCertificate, Step, StepName
from station.domain.effects import DiagnoseConnection
from station.domain.events import ConnectionDiagnosed
from station.domain.moment import rfc3339
from station.domain.network import FailureCause, NetworkProfile, flaw_of_scheme
from station.uplink.configuration import LinkSettings
from station.uplink.failures import LinkRefused, refusal
from station.uplink.link import open_link
from station.uplink.peer import common_names
from station.uplink.tls import ClientContext, Handshake, TlsUnusable, check_peer, client_context, peek_context

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

log = logging.getLogger(__name__)

NAME_TIMEOUT = 10.0  # s
TCP_TIMEOUT = 10.0  # s for one address
TLS_TIMEOUT = 15.0  # s
SOON = 14  # days that a certificate should still have
ADDRESSES = 3  # tried

_ADVICE = {
    FailureCause.NAME: "Check the host name in the CSMS's URL, and the name server of the site's network.",
    FailureCause.UNREACHABLE: "Check the URL's port, the site's internet access, and whether a firewall lets the"
    " station out to it.",
    FailureCause.TLS_VERSION: "Ask the operator of the CSMS to switch on TLS 1.2 or 1.3.",
    FailureCause.TLS_CIPHER_SUITE: "Ask the operator of the CSMS for an ECDSA certificate, or set"
    " SecurityCtrlr.AllowRSACipherSuites where the CSMS has an RSA certificate and no TLS 1.3.",
    FailureCause.TLS: "Check the URL's host and port: does the CSMS listen for wss:// there?",
    FailureCause.CSMS_CERTIFICATE: "Ask the operator of the CSMS for the certificate that it should show, and compare.",
    FailureCause.STATION_CERTIFICATE: "Install a charging station certificate that this CSMS knows, and use security"
    " profile 3.",
    FailureCause.CREDENTIALS: "Check the station's identity and its password: both must be as the CSMS has them.",
    FailureCause.REFUSED: "Ask the operator of the CSMS whether it knows this station, and check the path of the URL.",
    FailureCause.SUBPROTOCOL: "Ask the operator of the CSMS for its address for OCPP 2.0.1.",
    FailureCause.PROTOCOL: "Check the URL: something else than a CSMS seems to listen there.",
    FailureCause.CONFIGURATION: "Complete the settings on the pages Network and Certificates.",
}
# OpenSSL's verify codes (x509_vfy.h) that a person can do something special about.
_CERTIFICATE_ADVICE = {
    9: "Check the station's clock; if it is right, the CSMS's certificate is not valid yet.",
    10: "Ask the operator of the CSMS to renew its certificate; check the station's clock, too.",
    18: "Ask the operator of the CSMS for a certificate of an authority, and install that authority's root.",
    19: "Install the root certificate that stands last in the chain, if the operator of the CSMS confirms it.",
    20: "Install the root certificate of the CSMS's authority, or have the CSMS send its intermediate certificates.",
    21: "Install the root certificate of the CSMS's authority, or have the CSMS send its intermediate certificates.",
    62: "Use the host name that the certificate names in the URL, or have the CSMS's certificate corrected.",
    66: "Ask the operator of the CSMS for a certificate with a longer key (RSA 2048 or EC 256).",
    67: "The CSMS's authority uses a key that is too short: it needs another one.",
    68: "The CSMS's authority signs with an outdated hash: it needs to sign with SHA-256.",
}
_REGISTERED = {
    "Accepted": (Outcome.PASSED, "The CSMS has accepted the station.", ""),
    "Pending": (Outcome.WARNED, "The CSMS keeps the station waiting (Pending).", "Ask its operator what is missing."),
    "Rejected": (
        Outcome.FAILED,
        "The CSMS rejects the station's BootNotification.",
        "Ask the operator of the CSMS to register this station by its identity and serial number.",
    ),
}
_UNANSWERED = (Outcome.WARNED, "The CSMS has not answered BootNotification yet.", "Wait a minute and look again.")


async def diagnose(
    order: DiagnoseConnection, settings: LinkSettings, material: TlsMaterial, keys: Path
) -> AsyncIterator[Step]:
    """One ``Step`` after the other as each ends; the last one is the first that fails. May be cancelled at any time."""
    walk = _Walk(order, settings, material, keys)
    try:
        async for step in walk.steps():
            yield step
    finally:
        walk.leave()


class Doctor:
    """Runs diagnoses one at a time; ``offer`` takes what is found as events."""

    def __init__(
        self,
        settings: Callable[[], LinkSettings],
        material: Callable[[int], TlsMaterial],
        keys: Path,
        offer: Callable[[ConnectionDiagnosed], None],
    ) -> None:
        self._settings = settings
        self._material = material
        self._keys = keys
        self._offer = offer
        self._task: asyncio.Task[None] | None = None
        self._diagnosis_id = ""

    def begin(self, order: DiagnoseConnection) -> None:
        """Take up ``order``; what was under way is dropped. Returns at once."""
        self.close()
        self._diagnosis_id = order.diagnosis_id
        self._task = asyncio.get_running_loop().create_task(self._walk(order), name="connection doctor")

    def stop(self, diagnosis_id: str) -> None:
        """Drop that diagnosis."""
        if diagnosis_id == self._diagnosis_id:
            self.close()

    def close(self) -> None:
        """Drop what is under way."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _walk(self, order: DiagnoseConnection) -> None:
        steps: list[Step] = []
        try:
            async for step in diagnose(order, self._settings(), self._material(order.profile.slot), self._keys):
                steps.append(step)
                self._offer(ConnectionDiagnosed(order.diagnosis_id, tuple(steps)))
        except Exception:
            log.exception("a diagnosis of the connection failed")
            says = "The station could not finish this for a reason of its own; its log says more."
            steps.append(Step(StepName.CONFIGURATION, Outcome.FAILED, 0.0, says))
        self._offer(ConnectionDiagnosed(order.diagnosis_id, tuple(steps), over=True))


class _Walk:
    def __init__(self, order: DiagnoseConnection, settings: LinkSettings, material: TlsMaterial, keys: Path) -> None:
        parts = urlsplit(order.profile.csms_url)
        self.order = order
        self.profile: NetworkProfile = order.profile
        self.settings = settings
        self.material = material
        self.keys = keys
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if parts.scheme == "wss" else 80)
        self.addresses: list[tuple[int, tuple[object, ...]]] = []
        self.socket: socket.socket | None = None
        self.context: ClientContext | None = None
        self.begun = 0.0

    async def steps(self) -> AsyncIterator[Step]:
        loop = asyncio.get_running_loop()
        for take in (self._configuration, self._name, self._tcp, self._tls, self._log_in):
            self.begun = loop.time()
            for step in await take():
                yield step
                if step.outcome is Outcome.FAILED:
                    return

    def leave(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    # ------------------------------------------------------------------ steps

    async def _configuration(self) -> list[Step]:
        flaw = ""
        if not self.settings.identity:
            flaw = "the station has no identity yet (SecurityCtrlr.Identity)"
        flaw = flaw or flaw_of_scheme(self.profile.csms_url, self.profile.security_profile)
        if flaw:
            return [self._failed(StepName.CONFIGURATION, LinkRefused(flaw))]
        try:
            self.context = client_context(
                self.profile.security_profile, self.material, self.keys, self.host, self.settings.policy
            )
        except TlsUnusable as error:
            return [self._failed(StepName.CONFIGURATION, LinkRefused(str(error)))]
        if self.profile.security_profile <= 2 and not self.settings.password and not self.order.connected:
            return [
                self._step(
                    StepName.CONFIGURATION,
                    Outcome.WARNED,
                    "No password is set; the CSMS will hardly let the station in.",
                    "Set the password that the CSMS has for this station (16 to 40 characters).",
                )
            ]
        return [self._step(StepName.CONFIGURATION, Outcome.PASSED, "The station has all that this connection needs.")]

    async def _name(self) -> list[Step]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(NAME_TIMEOUT):
                found = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except TimeoutError:
            silent = LinkRefused(f"no name server answers within {NAME_TIMEOUT:g} s", FailureCause.NAME)
            return [self._failed(StepName.NAME, silent)]
        except (OSError, UnicodeError) as error:
            return [self._failed(StepName.NAME, refusal(error, None, NAME_TIMEOUT))]
        self.addresses = [(family, address) for family, _, _, _, address in found][:ADDRESSES]
        listed = ", ".join(str(address[0]) for _, address in self.addresses)
        return [self._step(StepName.NAME, Outcome.PASSED, f"{self.host} is {listed}.")]

    async def _tcp(self) -> list[Step]:
        loop = asyncio.get_running_loop()
        failure: Exception = OSError("no address")
        for family, address in self.addresses:
            self.socket = socket.socket(family, socket.SOCK_STREAM)
            self.socket.setblocking(False)
            try:
                async with asyncio.timeout(TCP_TIMEOUT):
                    await loop.sock_connect(self.socket, address)
            except (OSError, TimeoutError) as error:
                failure = error
                self.leave()
                continue
            return [self._step(StepName.TCP, Outcome.PASSED, f"{address[0]} answers at port {self.port}.")]
        return [self._failed(StepName.TCP, refusal(failure, None, TCP_TIMEOUT))]

    async def _tls(self) -> list[Step]:
        if self.context is None:
            self.leave()
            return [self._step(StepName.TLS, Outcome.SKIPPED, "Security profile 1 goes without TLS.")]
        chain: list[Certificate] = []
        try:
            async with asyncio.timeout(TLS_TIMEOUT):
                handshake = await self._shake_hands(self.context)
                chain = _chain(handshake)
                await check_peer(handshake, self.host, self.settings.policy)
        except Exception as error:
            refused = refusal(error, self.context, TLS_TIMEOUT)
            advice = self._advice(refused, error)
            if not chain and refused.cause in (FailureCause.CSMS_CERTIFICATE, FailureCause.TLS_CIPHER_SUITE):
                chain = await self._peek()
            return [self._failed(StepName.TLS, refused, advice, _seen(chain))]
        suite = handshake.cipher()
        says = f"{handshake.version()} with {suite[0] if suite else 'an unknown suite'}."
        seen = _seen(chain)
        soonest = min(seen, key=lambda one: one.days_left)
        if soonest.days_left < SOON:
            says += f" The certificate of {soonest.subject} ends in {soonest.days_left} days."
            advice = "Ask the operator of the CSMS to renew it in time."
            return [self._step(StepName.TLS, Outcome.WARNED, says, advice, certificates=seen)]
        return [self._step(StepName.TLS, Outcome.PASSED, says, certificates=seen)]

    async def _log_in(self) -> list[Step]:
        if self.order.connected:
            says = "The station is connected there now, so it does not log in a second time."
            outcome, boot, advice = _REGISTERED.get(self.order.registration or "", _UNANSWERED)
            return [
                self._step(StepName.AUTHENTICATION, Outcome.PASSED, says),
                self._step(StepName.SUBPROTOCOL, Outcome.PASSED, "ocpp2.0.1 is spoken."),
                self._step(StepName.BOOT, outcome, boot, advice),
            ]
        settings = self.settings
        try:
            link = await open_link(
                self.profile,
                settings.identity,
                settings.password,
                self.material,
                self.keys,
                lambda: 0.0,
                settings.policy,
            )
        except LinkRefused as refused:
            if refused.cause is not FailureCause.SUBPROTOCOL:
                return [self._failed(StepName.AUTHENTICATION, refused)]
            return [
                self._step(StepName.AUTHENTICATION, Outcome.PASSED, "The CSMS lets the station in."),
                self._failed(StepName.SUBPROTOCOL, refused),
            ]
        await link.close()
        return [
            self._step(StepName.AUTHENTICATION, Outcome.PASSED, "The CSMS lets the station in."),
            self._step(StepName.SUBPROTOCOL, Outcome.PASSED, "ocpp2.0.1 is spoken."),
            self._step(StepName.BOOT, Outcome.SKIPPED, "The station boots there when it connects by this profile."),
        ]

    # ------------------------------------------------------------------ parts

    async def _shake_hands(self, context: ssl.SSLContext) -> Handshake:
        """TLS over the open socket, which is closed again when the walk is over."""
        _, writer = await asyncio.open_connection(sock=self.socket, ssl=context, server_hostname=self.host)
        self.socket = None  # the writer's from now on
        handshake: Handshake = writer.get_extra_info("ssl_object")
        writer.transport.abort()
        return handshake

    async def _peek(self) -> list[Certificate]:
        """The chain of a CSMS that was refused, for people to look at: whatever it shows, and it is told nothing."""
        from cryptography import x509

        self.leave()
        context = peek_context()
        try:
            async with asyncio.timeout(TLS_TIMEOUT):
                _, writer = await asyncio.open_connection(self.host, self.port, ssl=context, server_hostname=self.host)
                shown = writer.get_extra_info("ssl_object").shown_chain()
                writer.transport.abort()
            return [x509.load_der_x509_certificate(one) for one in shown]
        except (OSError, ValueError, TimeoutError, EOFError):
            return []

    def _advice(self, refused: LinkRefused, error: Exception) -> str:
        if isinstance(error, ssl.SSLCertVerificationError):
            return _CERTIFICATE_ADVICE.get(error.verify_code, "")
        if refused.cause is FailureCause.CSMS_CERTIFICATE and "not for" in str(refused):
            return _CERTIFICATE_ADVICE[62]
        return ""

    def _failed(
        self,
        name: StepName,
        refused: LinkRefused,
        advice: str = "",
        certificates: tuple[SeenCertificate, ...] = (),
    ) -> Step:
        says = str(refused)
        return self._step(
            name,
            Outcome.FAILED,
            f"{says[:1].upper()}{says[1:]}.",
            advice or _ADVICE[refused.cause],
            cause=refused.cause,
            certificates=certificates,
        )

    def _step(
        self,
        name: StepName,
        outcome: Outcome,
        says: str,
        advice: str = "",
        *,
        cause: FailureCause | None = None,
        certificates: tuple[SeenCertificate, ...] = (),
    ) -> Step:
        seconds = round(asyncio.get_running_loop().time() - self.begun, 3)
        return Step(name, outcome, seconds, says, advice, cause, certificates)


def _chain(handshake: Handshake) -> list[Certificate]:
    from cryptography import x509

    return [x509.load_der_x509_certificate(one) for one in handshake.verified_chain()]


def _seen(chain: Sequence[Certificate]) -> tuple[SeenCertificate, ...]:
    return tuple(_described(one) for one in chain)


def _described(certificate: Certificate) -> SeenCertificate:
    from cryptography import x509

    now = datetime.now(UTC)
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(str(one.value) for one in found if isinstance(one, x509.DNSName | x509.IPAddress))
    except (x509.ExtensionNotFound, ValueError):
        names = ()
    try:
        key = certificate.public_key()
        kind = type(key).__name__.removesuffix("PublicKey").replace("EllipticCurve", "EC").lstrip("_")
        size = getattr(key, "key_size", "")
    except (ValueError, TypeError):
        kind, size = "unreadable", ""
    issuer = certificate.issuer.rfc4514_string()
    return SeenCertificate(
        subject=(common_names(certificate) or [certificate.subject.rfc4514_string()])[0][:120],
        issuer=issuer[:200],
        begins=rfc3339(certificate.not_valid_before_utc),
        ends=rfc3339(certificate.not_valid_after_utc),
        days_left=(certificate.not_valid_after_utc - now).days,
        key=f"{kind} {size}".strip(),
        names=tuple(name[:120] for name in names[:20]),
    )
