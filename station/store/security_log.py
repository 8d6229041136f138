"""The security log's table: what goes in, and what goes when it is full (A04.FR.04)."""

from __future__ import annotations

from station.domain.effects import LogSecurity
from station.store import models
from station.store.redaction import without_secrets


def entry(effect: LogSecurity) -> models.SecurityLogEntry:
    """The row of an entry, not saved."""
    return models.SecurityLogEntry(
        at=effect.at,
        type=effect.type[:50],
        tech_info=without_secrets(effect.tech_info)[:255],
        critical=effect.critical,
    )


def trim(keep: int) -> None:
    """Delete all but the newest ``keep`` entries, within the caller's transaction."""
    entries = models.SecurityLogEntry.objects.all()
    if keep:
        oldest = entries.order_by("-id").values_list("id", flat=True)[keep - 1 : keep].first()
        if oldest is None:
            return
        entries = entries.filter(id__lt=oldest)
    entries.delete()
