"""What lasts, in and out: a whole ``Memory`` at the start of a life, then one commit per step of the station.

Called by the uplink alone, from the one thread that owns its database connection.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models as orm
from django.db import transaction
from django.utils import timezone

from station.domain.authorization import CachedToken
from station.domain.certificates import CertificateUse, StoredCertificate
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
    SaveMeterPoint,
    SaveNetworkProfile,
    SaveTransaction,
    SaveVariable,
    Stored,
    TrimSecurityLog,
    UpdateQueued,
)
from station.domain.events import OperatorCommand
from station.domain.memory import Memory, QueuedCall, StoredVariable
from station.domain.network import NetworkProfile
from station.domain.transaction import Transaction
from station.store import confidential, customers, mapping, models, redaction, security_log
from station.store.confidential import WRITE_ONLY
from station.store.secrets import SecretDamaged, seal, unseal

log = logging.getLogger(__name__)

# Remembered, and sealed too: a URL may hold a password, what comes back after a trial does, and the password before the
# present one is one.
SEALED_FACTS = frozenset({"log_upload", "firmware_update", "connection_trial", "password_spare"})
COMMAND_MESSAGE_LENGTH = 300
FACTS = ("login", "web_security")  # commands that say what was, and ask for nothing: they are never too late

_VARIABLE_KEY = (
    "component",
    "component_instance",
    "evse_id",
    "connector_id",
    "variable",
    "variable_instance",
    "attribute",
)
_PROFILE_COLUMNS = [column.name for column in models.NetworkProfile._meta.concrete_fields]
_TRANSACTION_COLUMNS = [column.name for column in models.Transaction._meta.concrete_fields if not column.primary_key]


# ---------------------------------------------------------------------- in


def load() -> Memory:
    """All that lasted. Raises django.db.Error where the database cannot be read, ValueError where a row is damaged."""
    return Memory(
        transactions=[_restored(row) for row in models.Transaction.objects.filter(active=True).order_by("started_at")],
        queue=[
            QueuedCall(row.sequence, row.action, row.payload, row.created, row.attempts)
            for row in models.QueuedCall.objects.order_by("sequence")
        ],
        variables=[variable for row in models.Variable.objects.all() if (variable := _opened(row))],
        remembered={row.key: value for row in models.Remembered.objects.all() if (value := _recalled(row)) is not None},
        network_profiles=[
            NetworkProfile(**{name: getattr(row, name) for name in _PROFILE_COLUMNS})
            for row in models.NetworkProfile.objects.order_by("slot")
        ],
        cached_tokens=[token for row in models.CachedToken.objects.all() if (token := _cached(row))],
        certificates=[kept for row in models.Certificate.objects.all() if (kept := _certificate(row))],
    )


def filed_commands(
    now: datetime | None = None, *, after: int = 0, at_most: timedelta = timedelta(seconds=60)
) -> list[OperatorCommand]:
    """Commands with an id above ``after`` that wait to be done, oldest first.

    Those older than ``at_most`` are rejected instead: nobody who pressed a button while the station was down still
    stands there when it comes back.
    """
    now = now or timezone.now()
    waiting = models.Command.objects.filter(status=models.Command.Status.FILED, id__gt=after)
    rows = list(waiting.order_by("id"))
    if any(_is_late(row, now - at_most) for row in rows):
        late = waiting.filter(filed_at__lt=now - at_most).exclude(action__in=FACTS)
        confidential.hide(late)
        late.update(
            status=models.Command.Status.REJECTED,
            message="The station could not take this up in time.",
            finished_at=now,
        )
    return [
        command for row in rows if not _is_late(row, now - at_most) and (command := _to_be_done(row, now)) is not None
    ]


def _is_late(row: models.Command, limit: datetime) -> bool:
    return row.filed_at < limit and row.action not in FACTS


def _to_be_done(row: models.Command, now: datetime) -> OperatorCommand | None:
    try:
        return OperatorCommand(row.id, row.who, row.action, confidential.opened(row))
    except SecretDamaged as error:
        log.error("command %s cannot be carried out: %s", row.id, error)
        rejected = models.Command.objects.filter(id=row.id)
        confidential.hide(rejected)
        rejected.update(
            status=models.Command.Status.REJECTED,
            message="What was typed cannot be read any more. Please enter it again.",
            finished_at=now,
        )
        return None


def _restored(row: models.Transaction) -> Transaction:
    try:
        return mapping.from_row(row)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"transaction {row.transaction_id} is damaged: {error}") from error


def _cached(row: models.CachedToken) -> CachedToken | None:
    try:
        return mapping.token_from_row(row)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        # The CSMS can be asked again; no reason to stay down.
        log.error("the authorization cache entry %s is left out: %s", row, error)
        return None


def roots(use: CertificateUse) -> tuple[str, ...]:
    """The installed root certificates for that use, in PEM, as of now."""
    rows = models.Certificate.objects.filter(use=use.value)
    return tuple(kept.chain[0] for row in rows if (kept := _certificate(row)) and kept.chain)


def _certificate(row: models.Certificate) -> StoredCertificate | None:
    try:
        return mapping.certificate_from_row(row)
    except (TypeError, ValueError) as error:
        log.error("the certificate %s is left out: %s", row, error)
        return None


def _opened(row: models.Variable) -> StoredVariable | None:
    value = row.value
    if (row.component, row.variable) in WRITE_ONLY:
        try:
            value = unseal(value)
        except SecretDamaged as error:
            # Charging must go on without it; the CSMS will say that it misses a password.
            log.error("%s.%s is left out: %s", row.component, row.variable, error)
            return None
    return StoredVariable(value=value, **{name: getattr(row, name) for name in _VARIABLE_KEY})


def _recalled(row: models.Remembered) -> Any:
    if row.key not in SEALED_FACTS:
        return row.value
    try:
        value = json.loads(unseal(row.value))
        _protect(value)
        return value
    except (SecretDamaged, TypeError, AttributeError, ValueError) as error:
        log.error("the remembered %s is left out: %s", row.key, error)
        return None


def _protect(fact: Any) -> None:
    """Keep the passwords in a sealed fact out of what this process logs; that of a URL is known by its place."""
    if isinstance(fact, dict):
        redaction.protect(*(value for key, value in fact.items() if "password" in key and isinstance(value, str)))


def readable_variables() -> list[StoredVariable]:
    """What differs from the factory's defaults, without the write-only variables."""
    return [
        StoredVariable(value=row.value, **{name: getattr(row, name) for name in _VARIABLE_KEY})
        for row in models.Variable.objects.exclude(_write_only())
    ]


def secrets_set() -> set[tuple[str, str]]:
    """Component and variable of the write-only variables that have a value."""
    return set(models.Variable.objects.filter(_write_only()).values_list("component", "variable"))


def _write_only() -> orm.Q:
    return orm.Q(*(orm.Q(component=component, variable=name) for component, name in WRITE_ONLY), _connector=orm.Q.OR)


def secrets() -> list[str]:
    """The values of write-only variables, for those who must keep them out of what leaves the station."""
    rows = models.Variable.objects.filter(_write_only())
    known = [opened.value for row in rows if (opened := _opened(row)) and opened.value]
    for row in models.Remembered.objects.filter(key="password_spare"):
        spare = _recalled(row)
        if isinstance(spare, dict):
            known += [str(one) for key in ("password", "instead_of_password") if (one := spare.get(key))]
    return known


# ---------------------------------------------------------------------- out


def commit(effects: Iterable[Stored]) -> None:
    """Write one step in one database transaction: all of it or, raising django.db.Error, nothing.

    Several effects on the same thing come down to the last one, so that a step takes a few statements at most; all
    but journal and meter points may be written twice without harm, should a commit's own success get lost.
    """
    batch = _Batch()
    for effect in effects:
        batch.add(effect)
    with transaction.atomic():
        batch.write()


@dataclass(slots=True)
class _Batch:
    """The effects of a step, by table."""

    transactions: dict[str, models.Transaction] = field(default_factory=dict)
    points: list[models.MeterPoint] = field(default_factory=list)
    enqueued: dict[int, models.QueuedCall] = field(default_factory=dict)
    updated: dict[int, dict[str, Any]] = field(default_factory=dict)
    dequeued: set[int] = field(default_factory=set)
    variables: dict[tuple[Any, ...], str | None] = field(default_factory=dict)
    changes: list[models.VariableChange] = field(default_factory=list)
    remembered: dict[str, Any] = field(default_factory=dict)
    profiles: dict[int, NetworkProfile | None] = field(default_factory=dict)  # by slot; None: removed
    finished: list[FinishCommand] = field(default_factory=list)
    journal: list[models.JournalEntry] = field(default_factory=list)
    security: list[models.SecurityLogEntry] = field(default_factory=list)
    security_kept: int | None = None  # of those before this step
    cached: dict[str, models.CachedToken | None] = field(default_factory=dict)  # None: to be deleted
    cache_cleared: bool = False
    certificates: dict[str, models.Certificate | None] = field(default_factory=dict)  # None: to be deleted
    erased: list[EraseCustomer] = field(default_factory=list)

    def add(self, effect: Stored) -> None:
        """Sort one effect in; raises TypeError for one that this store does not know."""
        match effect:
            case SaveTransaction(record=record):
                self.transactions[record.transaction_id] = mapping.to_row(record)
            case SaveMeterPoint():
                self.points.append(
                    models.MeterPoint(
                        transaction_id=effect.transaction_id,
                        at=effect.at,
                        power=effect.power,
                        current=effect.current,
                        energy=effect.energy,
                        soc=effect.soc,
                        **{
                            f"current_{phase}": max(0, round(ampere * 1000))
                            for phase, ampere in enumerate(effect.currents[:3], 1)
                        },
                    )
                )
            case Enqueue() | UpdateQueued() | Dequeue():
                self._add_queued(effect)
            case SaveVariable():
                self.variables[tuple(getattr(effect, name) for name in _VARIABLE_KEY)] = effect.value
                if effect.at is not None:
                    self.changes.append(_change(effect, effect.at))
            case Remember():
                self.remembered[effect.key] = effect.value
            case SaveNetworkProfile(profile=profile):
                self.profiles[profile.slot] = profile
            case RemoveNetworkProfile(slot=slot):
                self.profiles[slot] = None
            case SaveCertificate(record=record):
                self.certificates[record.certificate_id] = mapping.certificate_to_row(record)
            case RemoveCertificate(certificate_id=certificate_id):
                self.certificates[certificate_id] = None
            case SaveCachedToken(record=record):
                self.cached[record.key] = mapping.token_to_row(record)
            case ForgetCachedToken(key=None):
                self.cached.clear()
                self.cache_cleared = True
            case ForgetCachedToken(key=str() as key):
                self.cached[key] = None
            case FinishCommand():
                self.finished.append(effect)
            case EraseCustomer():
                self.erased.append(effect)
            case Journal():
                self.journal.append(
                    models.JournalEntry(
                        at=effect.at,
                        kind=effect.kind[:40],
                        evse_id=effect.evse_id,
                        transaction_id=effect.transaction_id,
                        data=redaction.without_secrets(dict(effect.data)),
                    )
                )
            case LogSecurity():
                self.security.append(security_log.entry(effect))
            case TrimSecurityLog(keep=keep):
                self.security_kept = keep if self.security_kept is None else min(keep, self.security_kept)
            case _:
                raise TypeError(f"{type(effect).__name__} cannot be stored")

    def _add_queued(self, effect: Enqueue | UpdateQueued | Dequeue) -> None:
        match effect:
            case Enqueue():
                self.enqueued[effect.sequence] = models.QueuedCall(
                    sequence=effect.sequence,
                    action=effect.action,
                    payload=dict(effect.payload),
                    created=effect.created,
                    attempts=0,
                )
            case UpdateQueued():
                change: dict[str, Any] = {"attempts": effect.attempts}
                if effect.payload is not None:
                    change["payload"] = dict(effect.payload)
                self.updated.setdefault(effect.sequence, {}).update(change)
            case Dequeue():
                if self.enqueued.pop(effect.sequence, None) is None:
                    self.dequeued.add(effect.sequence)
                self.updated.pop(effect.sequence, None)

    def write(self) -> None:
        """Run the statements, within the caller's transaction."""
        if self.transactions:
            models.Transaction.objects.bulk_create(
                self.transactions.values(),
                update_conflicts=True,
                unique_fields=["transaction_id"],
                update_fields=_TRANSACTION_COLUMNS,
            )
        if self.points:
            models.MeterPoint.objects.bulk_create(self.points)
        self._write_queue()
        self._write_variables()
        self._write_remembered()
        self._write_profiles()
        self._write_certificates()
        self._write_cache()
        self._write_finished()
        if self.journal:
            models.JournalEntry.objects.bulk_create(self.journal)
        if self.security_kept is not None:
            security_log.trim(self.security_kept)
        if self.security:
            models.SecurityLogEntry.objects.bulk_create(self.security)
        for customer in self.erased:
            customers.erase(customer.id_tokens, customer.identifier)

    def _write_queue(self) -> None:
        for sequence in [sequence for sequence in self.updated if sequence in self.enqueued]:
            for name, value in self.updated.pop(sequence).items():
                setattr(self.enqueued[sequence], name, value)
        if self.enqueued:
            models.QueuedCall.objects.bulk_create(
                self.enqueued.values(),
                update_conflicts=True,
                unique_fields=["sequence"],
                update_fields=["action", "payload", "created", "attempts"],
            )
        for sequence, change in self.updated.items():
            models.QueuedCall.objects.filter(sequence=sequence).update(**change)
        if self.dequeued:
            models.QueuedCall.objects.filter(sequence__in=self.dequeued).delete()

    def _write_variables(self) -> None:
        gone = [key for key, value in self.variables.items() if value is None]
        if gone:
            models.Variable.objects.filter(
                orm.Q(*(orm.Q(**dict(zip(_VARIABLE_KEY, key, strict=True))) for key in gone), _connector=orm.Q.OR)
            ).delete()
        rows = [_variable(key, value) for key, value in self.variables.items() if value is not None]
        if rows:
            models.Variable.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=list(_VARIABLE_KEY), update_fields=["value"]
            )

        if self.changes:
            models.VariableChange.objects.bulk_create(self.changes)

    def _write_finished(self) -> None:
        for finished in self.finished:
            models.Command.objects.filter(id=finished.command_id).update(
                status=finished.status[:10],
                message=finished.message[:COMMAND_MESSAGE_LENGTH],
                finished_at=timezone.now(),
            )
        if self.finished:
            confidential.hide(models.Command.objects.filter(id__in=[finished.command_id for finished in self.finished]))

    def _write_cache(self) -> None:
        if self.cache_cleared:
            models.CachedToken.objects.all().delete()
        gone = [key for key, row in self.cached.items() if row is None]
        if gone and not self.cache_cleared:
            models.CachedToken.objects.filter(key__in=gone).delete()
        rows = [row for row in self.cached.values() if row is not None]
        if rows:
            models.CachedToken.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["key"],
                update_fields=["info", "stored", "updated", "used", "uses"],
            )

    def _write_certificates(self) -> None:
        gone = [certificate_id for certificate_id, row in self.certificates.items() if row is None]
        if gone:
            models.Certificate.objects.filter(certificate_id__in=gone).delete()
        rows = [row for row in self.certificates.values() if row is not None]
        if rows:
            models.Certificate.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["certificate_id"],
                update_fields=["use", "chain", "installed", "key"],
            )

    def _write_remembered(self) -> None:
        gone = [key for key, value in self.remembered.items() if value is None]
        if gone:
            models.Remembered.objects.filter(key__in=gone).delete()
        for key in SEALED_FACTS & self.remembered.keys():
            _protect(self.remembered[key])
        rows = [
            models.Remembered(key=key, value=seal(json.dumps(value)) if key in SEALED_FACTS else value)
            for key, value in self.remembered.items()
            if value is not None
        ]
        if rows:
            models.Remembered.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["key"], update_fields=["value"]
            )

    def _write_profiles(self) -> None:
        gone = [slot for slot, profile in self.profiles.items() if profile is None]
        if gone:
            models.NetworkProfile.objects.filter(slot__in=gone).delete()
        rows = [models.NetworkProfile(**asdict(profile)) for profile in self.profiles.values() if profile is not None]
        if rows:
            models.NetworkProfile.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["slot"],
                update_fields=[name for name in _PROFILE_COLUMNS if name != "slot"],
            )


def _change(effect: SaveVariable, at: datetime) -> models.VariableChange:
    hidden = (effect.component, effect.variable) in WRITE_ONLY
    return models.VariableChange(
        at=at,
        by=effect.by,
        who=effect.who[:150],
        old=None if hidden else effect.old,
        new=None if hidden else effect.value or "",
        **{name: getattr(effect, name) for name in _VARIABLE_KEY},
    )


def _variable(key: tuple[Any, ...], value: str) -> models.Variable:
    row = models.Variable(value=value, **dict(zip(_VARIABLE_KEY, key, strict=True)))
    if (row.component, row.variable) in WRITE_ONLY:
        row.value = seal(value)
    return row
