"""What grows is kept small, newest first, and nothing else is touched."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from station.store.models import Command, JournalEntry, QueuedCall, VariableChange
from station.transfers import housekeeping
from station.transfers.tasks import keep_house

# A checkpoint is refused within a transaction, so these tests have none around them.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def in_small_bites(monkeypatch) -> None:
    monkeypatch.setattr(housekeeping, "BITE", 7)
    monkeypatch.setattr(housekeeping, "BREATH", 0.0)


def test_the_newest_entries_stay() -> None:
    now = timezone.now()
    JournalEntry.objects.bulk_create(JournalEntry(at=now, kind=f"k{n}") for n in range(50))
    Command.objects.bulk_create(Command(who="x", action=f"a{n}") for n in range(12))
    QueuedCall.objects.create(sequence=1, action="TransactionEvent", payload={}, created=now)
    VariableChange.objects.bulk_create(VariableChange(at=now, by="csms", new=str(n)) for n in range(9))
    deleted = housekeeping.run(journal_kept=20, commands_kept=10, changes_kept=5)
    assert deleted == {"journal": 30, "commands": 2, "changes": 4, "sessions": 0, "transfers": 0}
    assert [row.new for row in VariableChange.objects.order_by("id")] == [str(n) for n in range(4, 9)]
    assert [entry.kind for entry in JournalEntry.objects.order_by("id")] == [f"k{n}" for n in range(30, 50)]
    assert Command.objects.count() == 10
    assert QueuedCall.objects.count() == 1


def test_nothing_goes_where_there_is_little() -> None:
    JournalEntry.objects.create(at=timezone.now(), kind="k")
    assert not any(keep_house().values())
    assert JournalEntry.objects.count() == 1


def test_expired_web_sessions_go() -> None:
    now = timezone.now()
    Session.objects.create(session_key="old", session_data="", expire_date=now - timedelta(days=2))
    Session.objects.create(session_key="new", session_data="", expire_date=now + timedelta(days=2))
    assert keep_house()["sessions"] == 1
    assert [session.session_key for session in Session.objects.all()] == ["new"]
