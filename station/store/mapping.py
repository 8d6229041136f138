"""Between pure objects and their rows.

A transaction has columns for the history, and ``state`` to restore the object.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from station.domain.authorization import CachedToken, TokenInfo
from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.transaction import ChargingState, IdToken, Transaction
from station.store import models

_STATE_FIELDS = frozenset(field.name for field in fields(Transaction))
_TIMES = ("started_at", "ended_at")
_TOKENS = ("id_token", "group_id_token")


def to_row(record: Transaction) -> models.Transaction:
    """The row that stands for ``record``, not saved. Texts are cut to their columns; ``state`` has them whole."""
    token = record.id_token
    return models.Transaction(
        transaction_id=record.transaction_id,
        evse_id=record.evse_id,
        connector_id=record.connector_id,
        started_at=record.started_at,
        ended_at=record.ended_at,
        active=record.active,
        id_token=token.id_token[:36] if token else "",
        id_token_type=token.type[:20] if token else "",
        authorized_by=record.authorized_by[:20],
        meter_start=record.meter_start,
        meter_stop=record.meter_stop,
        energy=_energy(record),
        stopped_reason=record.stopped_reason[:20],
        charging_state=record.charging_state.value if record.charging_state else "",
        meter_suspect=record.meter_suspect,
        state=_to_state(record),
    )


def from_row(row: models.Transaction) -> Transaction:
    """The object behind ``to_row``; raises ValueError, TypeError or KeyError where the row's state is damaged.

    Fields that an older version did not know get their defaults; fields of a newer one are left out.
    """
    state: dict[str, Any] = {name: value for name, value in row.state.items() if name in _STATE_FIELDS}
    for name in _TIMES:
        if state.get(name) is not None:
            state[name] = datetime.fromisoformat(state[name])
    for name in _TOKENS:
        if state.get(name) is not None:
            state[name] = IdToken(**state[name])
    if state.get("charging_state") is not None:
        state["charging_state"] = ChargingState(state["charging_state"])
    return Transaction(**state)


def _to_state(record: Transaction) -> dict[str, Any]:
    state = asdict(record)
    for name in _TIMES:
        if state[name] is not None:
            state[name] = state[name].isoformat()
    return state


def _energy(record: Transaction) -> int:
    if record.meter_start is None or record.meter_stop is None:
        return 0
    return max(0, record.meter_stop - record.meter_start)


def token_to_row(record: CachedToken) -> models.CachedToken:
    """The row of an authorization cache entry, not saved."""
    info = asdict(record.info)
    info["cache_expiry"] = record.info.cache_expiry.isoformat() if record.info.cache_expiry else None
    return models.CachedToken(
        key=record.key,
        info=info,
        stored=record.stored,
        updated=record.updated,
        used=record.used,
        uses=record.uses,
    )


def token_from_row(row: models.CachedToken) -> CachedToken:
    """The entry behind ``token_to_row``; raises ValueError, TypeError or KeyError where the row is damaged."""
    info: dict[str, Any] = dict(row.info)
    group, expiry = info["group_id_token"], info["cache_expiry"]
    return CachedToken(
        key=row.key,
        info=TokenInfo(
            status=info["status"],
            group_id_token=IdToken(**group) if group else None,
            evse_ids=tuple(info["evse_ids"]),
            cache_expiry=datetime.fromisoformat(expiry) if expiry else None,
            languages=tuple(info["languages"]),
            personal_message=info["personal_message"],
        ),
        stored=row.stored,
        updated=row.updated,
        used=row.used,
        uses=row.uses,
    )


def certificate_to_row(record: StoredCertificate) -> models.Certificate:
    """The row of an installed certificate, not saved."""
    return models.Certificate(
        certificate_id=record.certificate_id,
        use=record.use.value,
        chain=list(record.chain),
        installed=record.installed,
        key=record.key,
    )


def certificate_from_row(row: models.Certificate) -> StoredCertificate:
    """The certificate behind ``certificate_to_row``; raises ValueError or TypeError where the row is damaged."""
    return StoredCertificate(row.certificate_id, CertificateUse(row.use), tuple(row.chain), row.installed, row.key)
