"""What the link needs to know before it connects, read afresh for every attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from station.store.repositories import ConnectionProfile
from station.uplink.backoff import BackOffRules


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """The device model's part. ``ping_interval`` in seconds, 0: no pings. ``password`` empty: none is set."""

    identity: str
    password: str
    priority: tuple[int, ...]
    attempts: int
    backoff: BackOffRules
    ping_interval: float


def by_priority(profiles: Sequence[ConnectionProfile], priority: Sequence[int]) -> list[ConnectionProfile]:
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
