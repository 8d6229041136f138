"""What is wrong now, for whoever looks; and what was sent lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from station.notices import words as sentences
from station.notices.models import Dismissal, Sending, Trouble
from webui.notices import words

LISTED = 20
SLOW = 45  # s after which a test that nobody has taken up is worth a word

_CHANNELS: Mapping[str, Any] = {"mail": _("E-mail"), "hook": _("Web address")}


@dataclass(frozen=True, slots=True)
class Shown:
    """A trouble, in words."""

    pk: int
    headline: str
    details: list[str]
    since: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice and what became of it. ``tone`` colours it."""

    at: datetime
    channel: str
    what: str
    status: str
    tone: str
    why: str
    next_at: datetime | None


def troubles(user: Any, *, all_of_them: bool = False) -> list[Shown]:
    """What is wrong now, without what ``user`` has dismissed; empty also where the database cannot be read."""
    try:
        found = list(Trouble.objects.filter(ended_at=None))
        gone: dict[int, datetime] = {}
        if found and not all_of_them:
            gone = dict(Dismissal.objects.filter(user=user).values_list("trouble_id", "since"))
    except DatabaseError:
        return []  # a page that says so must still be shown
    return [_shown(row) for row in found if gone.get(row.pk) != row.since]


def _shown(row: Trouble) -> Shown:
    facts = {"kind": row.kind, "evse": row.evse_id, "codes": row.codes}
    return Shown(row.pk, sentences.headline(facts), sentences.details(facts), timezone.localtime(row.since))


def lately() -> list[Sent]:
    """The last notices, newest first."""
    return [told(row) for row in Sending.objects.order_by("-id")[:LISTED]]


def told(row: Sending) -> Sent:
    """One of them, in words."""
    facts = row.facts if isinstance(row.facts, dict) else {}
    waits = row.status == Sending.Status.WAITING
    return Sent(
        at=timezone.localtime(row.made_at),
        channel=str(_CHANNELS.get(row.channel, row.channel)),
        what=str(_("Test")) if row.what == "test" else sentences.headline(facts),
        status="over" if row.what == "end" else row.what,
        tone={"sent": "good", "failed": "bad"}.get(row.status, "wait"),
        why=words.why(row.word, row.detail) if row.word else "",
        next_at=timezone.localtime(row.next_at) if waits and row.attempts else None,
    )
