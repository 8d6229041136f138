"""The security log in the database: bounded, cleared, without secrets, and with what the journal had before."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta

import pytest
from django.apps import apps

from station.domain.effects import Journal, LogSecurity, TrimSecurityLog
from station.store import redaction, repositories
from station.store.models import Command, JournalEntry, SecurityLogEntry

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def log(*numbers: int) -> list[LogSecurity]:
    return [LogSecurity(NOON + timedelta(seconds=number), f"Event{number}") for number in numbers]


def types() -> list[str]:
    return list(SecurityLogEntry.objects.order_by("id").values_list("type", flat=True))


def test_the_newest_stay_and_what_the_step_adds_comes_on_top() -> None:
    repositories.commit(log(*range(5)))
    repositories.commit([TrimSecurityLog(3), *log(5)])
    assert types() == ["Event2", "Event3", "Event4", "Event5"]
    repositories.commit([TrimSecurityLog(100)])
    assert len(types()) == 4


def test_a_step_that_clears_keeps_what_says_so() -> None:
    repositories.commit(log(*range(5)))
    repositories.commit([TrimSecurityLog(0), TrimSecurityLog(5000), *log(9)])
    assert types() == ["Event9"]


def test_journal_and_security_log_are_written_without_secrets() -> None:
    redaction.protect("a-known-password")
    told = "https://me:s3cr3t-word@host/x?sig=abc, a-known-password, idToken=04A2B3C4D5E6F7"
    pem = "x\n-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\ny"
    data = {"detail": told, "password": "x", "list": [told], "pem": pem, "n": 1, "id_token": "04A2B3C4D5E6F7"}
    repositories.commit([LogSecurity(NOON, "X" * 60, told + "y" * 300), Journal(NOON, "kind", data=data)])
    kept = SecurityLogEntry.objects.get()
    assert (len(kept.type), len(kept.tech_info)) == (50, 255)
    [entry] = JournalEntry.objects.all()
    for text in (kept.tech_info, str(entry.data)):
        assert not any(secret in text for secret in ("s3cr3t-word", "sig=abc", "a-known-password", "MIGHAgEA"))
    assert entry.data["password"] == redaction.HIDDEN
    assert entry.data["id_token"] == "04A2B3C4D5E6F7"  # the session's history needs it
    assert entry.data["n"] == 1
    assert entry.data["pem"].startswith("x\n")
    assert entry.data["pem"].endswith("\ny")


def test_what_the_journal_had_of_it_is_moved() -> None:
    JournalEntry.objects.create(at=NOON, kind="security_event", data={"type": "StartupOfTheDevice", "tech_info": "a"})
    JournalEntry.objects.create(at=NOON, kind="security_event", data={"type": "InvalidMessages"})
    JournalEntry.objects.create(at=NOON, kind="security_event", data=["damaged"])
    JournalEntry.objects.create(at=NOON, kind="plugged_in")
    migration = importlib.import_module("station.store.migrations.0004_security_log")
    migration.move(apps, None)
    assert list(SecurityLogEntry.objects.values_list("type", "tech_info", "critical")) == [
        ("StartupOfTheDevice", "a", True),
        ("InvalidMessages", "", False),
        ("", "", False),
    ]
    assert [entry.kind for entry in JournalEntry.objects.all()] == ["plugged_in"]


def test_a_login_is_never_too_late_to_be_told() -> None:
    """Unlike a button that somebody pressed while the station was down."""
    for action in ("login", "unlock"):
        Command.objects.create(who="admin", action=action)
    Command.objects.update(filed_at=NOON)
    assert [one.action for one in repositories.filed_commands()] == ["login"]
    assert [row.status for row in Command.objects.order_by("id")] == ["Filed", "Rejected"]
