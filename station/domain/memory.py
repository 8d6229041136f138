"""What a station remembers from its last life: the result of loading, the argument of building a Station."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from station.domain.authorization import CachedToken
from station.domain.certificates import StoredCertificate
from station.domain.network import NetworkProfile
from station.domain.transaction import Transaction

QUEUE_LIMIT = 4000  # calls; with all measurands on three phases, some 10 kB of memory each


@dataclass(slots=True)
class QueuedCall:
    """A call in the durable queue (E04, E13). ``sequence`` orders it; ``attempts`` counts what was answered badly."""

    sequence: int
    action: str
    payload: dict[str, Any]
    created: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class StoredVariable:
    """An attribute value that was set; see ``effects.SaveVariable`` for the fields."""

    component: str
    variable: str
    value: str
    attribute: str = "Actual"
    component_instance: str = ""
    variable_instance: str = ""
    evse_id: int = 0
    connector_id: int = 0


@dataclass(slots=True)
class Memory:
    """All that lasted. An empty one is a station fresh from the factory."""

    transactions: list[Transaction] = field(default_factory=list)  # active ones only
    queue: list[QueuedCall] = field(default_factory=list)  # by sequence
    variables: list[StoredVariable] = field(default_factory=list)
    remembered: Mapping[str, Any] = field(default_factory=dict)
    network_profiles: list[NetworkProfile] = field(default_factory=list)  # by slot
    cached_tokens: list[CachedToken] = field(default_factory=list)
    certificates: list[StoredCertificate] = field(default_factory=list)  # in the order of their installation
