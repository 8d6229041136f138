"""What the link needs to know before it connects, read afresh for every attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from station.device_model.components import OCPPCommCtrlr, SecurityCtrlr
from station.device_model.model import DeviceModel
from station.domain.network import NetworkProfile
from station.uplink.backoff import BackOffRules
from station.uplink.tls import DEFAULT_POLICY, RevocationCheck, TlsPolicy


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """The device model's part. ``ping_interval`` in seconds, 0: no pings. ``password`` empty: none is set."""

    identity: str
    password: str
    priority: tuple[int, ...]
    attempts: int
    backoff: BackOffRules
    ping_interval: float
    spare_password: bool = False  # ``password`` is the one before BasicAuthPassword
    policy: TlsPolicy = DEFAULT_POLICY


def link_settings(
    model: DeviceModel, spare_identity: str = "", password: tuple[str, bool] | None = None
) -> LinkSettings:
    """What the device model says about connecting, as it is now.

    ``spare_identity`` serves where none is set; ``password`` is the one to use and whether it is the spare one
    (``Passwords.to_use``), None: BasicAuthPassword.
    """
    secret, spare = password or (model[SecurityCtrlr.BasicAuthPassword], False)
    return LinkSettings(
        identity=model[SecurityCtrlr.Identity] or spare_identity,
        password=secret,
        priority=tuple(int(slot) for slot in model[OCPPCommCtrlr.NetworkConfigurationPriority]),
        attempts=model[OCPPCommCtrlr.NetworkProfileConnectionAttempts],
        backoff=BackOffRules(
            wait_minimum=model[OCPPCommCtrlr.RetryBackOffWaitMinimum],
            random_range=model[OCPPCommCtrlr.RetryBackOffRandomRange],
            repeat_times=model[OCPPCommCtrlr.RetryBackOffRepeatTimes],
        ),
        ping_interval=model[OCPPCommCtrlr.WebSocketPingInterval],
        spare_password=spare,
        policy=TlsPolicy(
            wildcards=model[SecurityCtrlr.AllowCSMSTLSWildcards],
            rsa_suites=model[SecurityCtrlr.AllowRSACipherSuites],
            revocation=RevocationCheck(model[SecurityCtrlr.RevocationCheck]),
        ),
    )


def by_priority(profiles: Sequence[NetworkProfile], priority: Sequence[int]) -> list[NetworkProfile]:
    """The profiles to try, in the order of NetworkConfigurationPriority; all by slot where it names none of them."""
    known = {profile.slot: profile for profile in profiles}
    chosen = [known[slot] for slot in priority if slot in known]
    return chosen or [known[slot] for slot in sorted(known)]


def connection_url(csms_url: str, identity: str) -> str:
    """The identity as last segment of the endpoint's path, percent-encoded (part 4, section 3.1.1)."""
    parts = urlsplit(csms_url)
    host = parts.netloc.rpartition("@")[2]  # credentials come from the device model alone
    path = f"{parts.path.rstrip('/')}/{quote(identity, safe='')}"
    return urlunsplit((parts.scheme, host, path, parts.query, ""))
