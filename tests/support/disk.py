"""A disk that keeps what was committed and gives it to the next life."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from station.domain import customer
from station.domain.authorization import CachedToken
from station.domain.certificates import StoredCertificate
from station.domain.effects import (
    Dequeue,
    Enqueue,
    EraseCustomer,
    FinishCommand,
    ForgetCachedToken,
    Journal,
    LogSecurity,
    Remember,
    RemoveCertificate,
    RemoveNetworkProfile,
    SaveCachedToken,
    SaveCertificate,
    SaveNetworkProfile,
    SaveTransaction,
    SaveVariable,
    Stored,
    TrimSecurityLog,
    UpdateQueued,
)
from station.domain.memory import Memory, QueuedCall, StoredVariable
from station.domain.network import NetworkProfile
from station.domain.transaction import IdToken


@dataclass
class Disk:
    """What was committed: the argument of the next life."""

    transactions: dict[str, Any] = field(default_factory=dict)
    queue: dict[int, QueuedCall] = field(default_factory=dict)
    variables: dict[tuple[Any, ...], StoredVariable] = field(default_factory=dict)
    remembered: dict[str, Any] = field(default_factory=dict)
    network_profiles: dict[int, NetworkProfile] = field(default_factory=dict)
    journal: list[Journal] = field(default_factory=list)
    security_log: list[LogSecurity] = field(default_factory=list)
    finished: dict[int, FinishCommand] = field(default_factory=dict)
    given_up: list[Dequeue] = field(default_factory=list)
    cached_tokens: dict[str, CachedToken] = field(default_factory=dict)
    certificates: dict[str, StoredCertificate] = field(default_factory=dict)

    def commit(self, effects: Iterable[Stored]) -> None:
        for effect in effects:
            match effect:
                case SaveTransaction():
                    self.transactions[effect.record.transaction_id] = replace(
                        effect.record, extra=json.loads(json.dumps(effect.record.extra))
                    )
                case Enqueue():
                    payload = json.loads(json.dumps(effect.payload))
                    self.queue[effect.sequence] = QueuedCall(effect.sequence, effect.action, payload, effect.created)
                case UpdateQueued():
                    queued = self.queue[effect.sequence]
                    queued.attempts = effect.attempts
                    if effect.payload is not None:
                        queued.payload = json.loads(json.dumps(effect.payload))
                case Dequeue():
                    del self.queue[effect.sequence]
                    if effect.given_up:
                        self.given_up.append(effect)
                case SaveVariable():
                    self._save(effect)
                case Remember():
                    self.remembered[effect.key] = json.loads(json.dumps(effect.value))
                case SaveNetworkProfile():
                    self.network_profiles[effect.profile.slot] = effect.profile
                case RemoveNetworkProfile():
                    self.network_profiles.pop(effect.slot, None)
                case SaveCertificate():
                    self.certificates[effect.record.certificate_id] = effect.record
                case RemoveCertificate():
                    self.certificates.pop(effect.certificate_id, None)
                case SaveCachedToken():
                    self.cached_tokens[effect.record.key] = effect.record
                case ForgetCachedToken(key=None):
                    self.cached_tokens.clear()
                case ForgetCachedToken():
                    self.cached_tokens.pop(effect.key, None)
                case EraseCustomer():
                    self._erase(effect.id_tokens)
                case Journal():
                    self.journal.append(effect)
                case TrimSecurityLog():
                    self.security_log = self.security_log[-effect.keep :] if effect.keep else []
                case LogSecurity():
                    self.security_log.append(effect)
                case FinishCommand():
                    self.finished[effect.command_id] = effect

    def _save(self, effect: SaveVariable) -> None:
        key = (
            effect.component,
            effect.component_instance,
            effect.evse_id,
            effect.connector_id,
            effect.variable,
            effect.variable_instance,
            effect.attribute,
        )
        if effect.value is None:
            self.variables.pop(key, None)
            return
        self.variables[key] = StoredVariable(
            effect.component,
            effect.variable,
            effect.value,
            effect.attribute,
            effect.component_instance,
            effect.variable_instance,
            effect.evse_id,
            effect.connector_id,
        )

    def look_up(self, tokens: tuple[IdToken, ...]) -> tuple[str, ...]:
        """What ``store.customers.look_up`` finds in the database."""
        found = [
            (one.started_at, customer.transaction_line(one))
            for one in self.transactions.values()
            if customer.anonymous(replace(one), tokens)
        ]
        found += [
            (one.at, customer.journal_line(one.at, one.kind, one.evse_id, one.data))
            for one in self.journal
            if customer.names(one.data, tokens)
        ]
        return tuple(line for _, line in sorted(found))

    def _erase(self, tokens: tuple[IdToken, ...]) -> None:
        for transaction in self.transactions.values():
            if not transaction.active:
                customer.anonymous(transaction, tokens)
        self.journal = [
            replace(one, data=customer.without(one.data)) if customer.names(one.data, tokens) else one
            for one in self.journal
        ]

    def load(self) -> Memory:
        active = [transaction for transaction in self.transactions.values() if transaction.active]
        return Memory(
            transactions=[replace(one, extra=json.loads(json.dumps(one.extra))) for one in active],
            queue=[replace(call) for _, call in sorted(self.queue.items())],
            variables=list(self.variables.values()),
            remembered={key: value for key, value in self.remembered.items() if value is not None},
            network_profiles=[profile for _, profile in sorted(self.network_profiles.items())],
            certificates=list(self.certificates.values()),
            cached_tokens=list(self.cached_tokens.values()),
        )
