"""How the station in memory gets to its CSMS: the uplink's own itinerary, in virtual time, between two endpoints.

TLS is real, only its bytes are carried by hand: what the station accepts and why it refuses is its own code's word.
"""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography import x509

from station.domain.events import ConnectionFailed
from station.domain.network import FailureCause, NetworkProfile
from station.uplink.backoff import Itinerary
from station.uplink.configuration import LinkSettings, by_priority, connection_url, link_settings
from station.uplink.failures import LinkRefused, refusal
from station.uplink.runtime import LAST_SLOT
from station.uplink.tls import ClientContext, client_context
from tests.conformance import endpoints
from tests.conformance.endpoints import Login, Presence
from tests.conformance.handshake import shake_hands
from tests.conformance.rig import PASSWORD, Attempt
from tests.support.memory_rig import MemoryRig


@dataclass
class Csms:
    """Both endpoints, in memory. ``closed`` are those that turn attempts away."""

    rig: MemoryRig
    hosts: dict[str, int]  # host and port -> endpoint
    presences: dict[int, Presence]
    password: str = PASSWORD
    closed: set[int] = field(default_factory=set)
    attempts: list[Attempt] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)

    def settings(self) -> LinkSettings:
        """The station's."""
        return link_settings(self.rig.station.model, password=self.rig.station.passwords.to_use)

    def meet(self, profile: NetworkProfile) -> bool:
        """One attempt of the station, and what it hears of it; returns whether it led to a connection."""
        settings = self.settings()
        endpoint = self.hosts.get(urlsplit(profile.csms_url).netloc, 0)
        try:
            self._let_in(endpoint, profile, settings)
        except LinkRefused as refused:
            self.attempts.append(Attempt(self.rig.now.monotonic, endpoint, accepted=False))
            self.rig.step(
                ConnectionFailed(
                    profile.slot, profile.security_profile, refused.cause, str(refused), settings.spare_password
                )
            )
            return False
        self.attempts.append(Attempt(self.rig.now.monotonic, endpoint, accepted=True))
        self.rig.connect(profile.slot, spare_password=settings.spare_password)
        return True

    def _let_in(self, endpoint: int, profile: NetworkProfile, settings: LinkSettings) -> None:
        if not endpoint:
            raise LinkRefused("nobody listens", FailureCause.UNREACHABLE)
        presence, host = self.presences[endpoint], urlsplit(profile.csms_url).hostname or ""
        at = self.rig.now.monotonic
        path = urlsplit(connection_url(profile.csms_url, settings.identity)).path
        credentials = None
        if settings.password and profile.security_profile <= 2:
            credentials = settings.identity, settings.password
        if profile.security_profile >= 2:
            login = self._secured(endpoint, host, profile, settings, Login(at, endpoint, path, credentials))
        elif presence.security_profile >= 2:
            raise LinkRefused("the CSMS does not answer as a WebSocket server", FailureCause.PROTOCOL)
        else:
            login = Login(at, endpoint, path, credentials)
        self.logins.append(login)
        if endpoint in self.closed:
            raise LinkRefused("HTTP 503", FailureCause.REFUSED)
        if presence.security_profile <= 2 and (credentials is None or credentials[1] != self.password):
            raise LinkRefused("HTTP 401", FailureCause.CREDENTIALS)

    def _secured(
        self, endpoint: int, host: str, profile: NetworkProfile, settings: LinkSettings, login: Login
    ) -> Login:
        rig = self.rig
        context: ClientContext | None = None
        try:
            material = rig.station.certificates.material(rig.station.clock.utc(rig.now), profile.slot)
            context = client_context(profile.security_profile, material, rig.signing.keys, host, settings.policy)
            assert context is not None
            server = endpoints.context(host, self.presences[endpoint])
            theirs = shake_hands(context, server, host, settings.policy)
        except Exception as error:
            if isinstance(error, AssertionError):
                raise
            raise refusal(error, context, 0) from error
        assert theirs is not None
        der = theirs.getpeercert(binary_form=True)
        return Login(
            login.at,
            login.endpoint,
            login.path,
            login.credentials,
            theirs.version(),
            frozenset(name for name, _, _ in theirs.shared_ciphers() or ()),
            x509.load_der_x509_certificate(der) if der else None,
        )


class Network:
    """Stands in for the uplink's connector, which is an asyncio task around the same rules."""

    def __init__(self, rig: MemoryRig, csms: Csms) -> None:
        self.csms = csms
        self._rig = rig
        self._station = rig.station
        self._due: tuple[float, int] | None = None
        rig.disk.remembered.setdefault(LAST_SLOT, 1)  # as the uplink does with the first connection
        self._itinerary = Itinerary(random.Random(1), last_good=1)
        self._plan()  # the slot that the station is connected with
        self._due = None
        self._itinerary.succeeded()

    def pass_time(self) -> None:
        """Do what is due now."""
        rig = self._rig
        if rig.station is not self._station:  # a boot
            self._station, self._due = rig.station, None
            self._itinerary = Itinerary(random.Random(1), rig.disk.remembered.get(LAST_SLOT))
        if rig.reconnects:
            rig.reconnects.clear()
            self._itinerary.restart()
            self._due = None
            if rig.online:
                rig.disconnect()
        if rig.online:
            return
        if self._due is None:
            self._plan()
        assert self._due is not None
        at, slot = self._due
        if rig.now.monotonic >= at - 1e-9:
            self._due = None
            self._connect(slot)

    def _plan(self) -> None:
        settings = self.csms.settings()
        profiles = by_priority(self._rig.station.network.in_force, settings.priority)
        attempt = self._itinerary.plan([profile.slot for profile in profiles], settings.attempts, settings.backoff)
        self._due = self._rig.now.monotonic + attempt.wait, attempt.slot

    def _connect(self, slot: int) -> None:
        profile = next(profile for profile in self._rig.station.network.in_force if profile.slot == slot)
        if not self.csms.meet(profile):
            self._itinerary.failed()
            return
        self._itinerary.succeeded()
        self._rig.disk.remembered[LAST_SLOT] = slot


def basic(header: str | None) -> tuple[str, str] | None:
    """User and password of an Authorization header."""
    if header is None:
        return None
    scheme, _, encoded = header.partition(" ")
    assert scheme == "Basic", header
    user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    return user, password
