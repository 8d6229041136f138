"""Who is told of what, and how often: a trouble that comes and goes must not fill anybody's mailbox.

- A trouble is told at once, but the same one once an hour at most; what came in between is counted and said then.
- That it is over is told when it has been over for five minutes; one that was over before it was told needs no second
  notice.
- What waits is in the database from the moment on that it is decided, so a restart loses no notice. One that was just
  on its way when power went may come twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from station.notices.models import Sending, Settings, Trouble
from station.notices.watch import long_ago

APART = timedelta(hours=1)  # between two notices that the same trouble is there
SETTLED = timedelta(minutes=5)  # that it has to be over
KEPT = 200  # sendings, for people to look at


def decide(now: datetime) -> int:
    """Put what is to be told now onto its way; how many notices that are. Raises django.db.Error."""
    news = [(row, what) for row in Trouble.objects.exclude(told=False, times=0) if (what := _what(row, now))]
    if not news:
        return 0
    settings = Settings.current()
    made = 0
    with transaction.atomic():
        for trouble, what in news:
            facts = facts_of(trouble)
            if what == "begin":
                trouble.told, trouble.told_at, trouble.times = trouble.ended_at is None, now, 0
            else:
                trouble.told = False
            trouble.save(update_fields=["told", "told_at", "times"])
            for channel in settings.channels if settings.wants(trouble.kind) else ():
                Sending.objects.create(made_at=now, next_at=now, channel=channel, what=what, facts=facts)
                made += 1
    if made:
        _trim()
    return made


def _what(trouble: Trouble, now: datetime) -> str:
    if trouble.told:
        settled = trouble.ended_at is not None and long_ago(trouble.ended_at, now, SETTLED)
        return "end" if settled else ""
    if trouble.times and long_ago(trouble.told_at, now, APART):
        return "begin"
    return ""


def facts_of(trouble: Trouble) -> dict[str, Any]:
    """The trouble as it is told; JSON."""
    return {
        "kind": trouble.kind,
        "evse": trouble.evse_id,
        "codes": trouble.codes,
        "since": trouble.since.isoformat(),
        "ended": trouble.ended_at.isoformat() if trouble.ended_at else None,
        "times": max(1, trouble.times),
    }


def _trim() -> None:
    oldest = Sending.objects.order_by("-id").values_list("id", flat=True)[KEPT - 1 : KEPT].first()
    if oldest is not None:
        Sending.objects.filter(id__lt=oldest).delete()
