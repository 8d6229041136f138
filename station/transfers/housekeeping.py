"""Keeps the database small: a station has one flash chip and ten years to go.

What is deleted here is history that nobody asks for any more, never protocol state, which is the uplink's alone.
Rows go in small bites, so that the uplink's commits wait for milliseconds only.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from station.store import spool, upkeep
from station.store.models import Command, JournalEntry, VariableChange

logger = logging.getLogger(__name__)

JOURNAL_KEPT = 20_000  # entries
CHANGES_KEPT = 5_000  # rows of the device model's history
COMMANDS_KEPT = 20_000  # rows; the audit log of what people did
BITE = 500  # rows per commit
BREATH = 0.05  # s between two bites


def run(
    *, journal_kept: int = JOURNAL_KEPT, commands_kept: int = COMMANDS_KEPT, changes_kept: int = CHANGES_KEPT
) -> dict[str, int]:
    """Trim journal, commands, the device model's history, expired web sessions and spool, and fold its log back.

    What was deleted, by name. The security log is the station's, which trims it by itself.
    """
    deleted = {
        "journal": _keep_newest(JournalEntry.objects.all(), journal_kept),
        "commands": _keep_newest(Command.objects.all(), commands_kept),
        "changes": _keep_newest(VariableChange.objects.all(), changes_kept),
        "sessions": _delete(Session.objects.filter(expire_date__lt=timezone.now() - timedelta(days=1))),
        "transfers": spool.clean(Path(settings.DATA_DIR)),
    }
    for chore, done in upkeep.due.send_robust(None):
        if isinstance(done, Exception):
            logger.error("housekeeping: %s failed: %s: %s", chore.__module__, type(done).__name__, done)
    _checkpoint()
    if any(deleted.values()):
        logger.info("housekeeping: %s", ", ".join(f"{count} {name}" for name, count in deleted.items() if count))
    return deleted


def _keep_newest(rows: QuerySet[Any], kept: int) -> int:
    oldest_kept = rows.order_by("-pk").values_list("pk", flat=True)[kept - 1 : kept].first()
    return 0 if oldest_kept is None else _delete(rows.filter(pk__lt=oldest_kept))


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    while True:
        with transaction.atomic():
            keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BITE])
            if keys:
                rows.model._default_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
        if len(keys) < BITE:
            return deleted
        time.sleep(BREATH)


def _checkpoint() -> None:
    """Without it the log of SQLite stays as large as its largest day."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.fetchall()
