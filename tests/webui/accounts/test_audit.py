"""The audit log: commands and what the web does itself, merged, filtered, paged, exported."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import timezone

from station.ocpp.station import OPERATOR_ACTIONS
from station.store.models import Command
from tests.webui.accounts.conftest import Hands
from webui.accounts import audit
from webui.accounts.audit_log import views
from webui.accounts.audit_log.reading import AuditFilter, entries
from webui.accounts.audit_log.words import ACTIONS, asked_for
from webui.accounts.models import Change

pytestmark = pytest.mark.django_db
People = Callable[..., Hands]


def command(who: str, action: str, ago: float = 0, **fields: object) -> Command:
    made = Command.objects.create(who=who, action=action, **fields)
    Command.objects.filter(pk=made.pk).update(filed_at=timezone.now() - timedelta(hours=ago))
    return made


def change(who: str, kind: str, ago: float = 0, subject: str = "", **data: object) -> None:
    audit.write(None, who, kind, subject, origin="192.0.2.9", **data)
    Change.objects.filter(pk=Change.objects.latest("pk").pk).update(at=timezone.now() - timedelta(hours=ago))


@pytest.fixture
def filled(anna: User) -> None:
    command("olga", "start", 5, arguments={"evse_id": 1}, status="Accepted")
    change("anna", "role_changed", 4, "olga", old="owner", new="installer")
    secret = {"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": "sealed:1:abc"}
    command("olga", "set_variable", 3, arguments=secret, status="Rejected", message="No, not now.")
    command("", "login", 2, arguments={"accepted": False, "user": "", "origin": "198.51.100.1", "locked": 60})
    change("=cmd()", "token_made", 1, "<b>x</b>")
    command("olga", "start", 0.5, arguments={"evse_id": 2, "id_token": "04A2B3C4"}, status="Filed")


def lines(**asked: str) -> list[str]:
    chosen = AuditFilter(asked)
    assert chosen.is_valid(), chosen.errors
    return [f"{one.who} {one.what}".strip() for one in entries(chosen)]


def test_both_tables_in_their_order(filled: None) -> None:
    assert lines() == [
        "olga asked to start charging",
        "=cmd() made the token <b>x</b>",
        "tried to log in, in vain",
        "olga asked to set a variable",
        "anna changed the role of olga from Owner to Installer",
        "olga asked to start charging",
    ]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"who": "olga"}, 3),
        ({"who": "anna"}, 1),
        ({"what": "failed"}, 1),
        ({"what": "logins"}, 1),
        ({"what": "charging"}, 2),
        ({"what": "station"}, 1),
        ({"what": "web"}, 2),
        ({"what": "web", "who": "olga"}, 0),
        ({"since": "2001-01-01", "until": "2002-01-01"}, 0),
        ({"since": "2001-01-01"}, 6),
    ],
)
def test_filter(filled: None, asked: dict[str, str], count: int) -> None:
    assert len(lines(**asked)) == count


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pages_lose_and_double_nothing(anna: User, size: int) -> None:
    at = timezone.now()
    for number in range(7):
        command("olga", "start", arguments={"evse_id": number})
        change("anna", "token_made", 0, str(number))
    Command.objects.update(filed_at=at)  # all at once, in both tables
    Change.objects.update(at=at)
    chosen = AuditFilter({})
    assert chosen.is_valid()
    seen, before = [], ""
    while page := list(entries(chosen, before, size)):
        seen += [one.cursor for one in page]
        before = page[-1].cursor
    assert len(seen) == len(set(seen)) == 14
    assert seen == [one.cursor for one in entries(chosen)]


def test_page(filled: None, hands: People) -> None:
    boss = hands().log_in(name="anna").get("/audit/")
    words = boss.words
    assert "No, not now." in words
    assert "has to wait 60 s" in words
    assert "198.51.100.1" in words
    assert "evse_id=2" in words
    for secret in ("sealed", "04A2B3C4"):
        assert secret not in words
    for bad in ("x", "1-c", "1-x-1", "9" * 60 + "-c-1", "1-c-" + "9" * 30):
        assert boss.get(f"/audit/?before={bad}").answer.status_code == 404, bad
    assert boss.get("/audit/?since=2026-02-02&until=2026-01-01").answer.status_code == 400
    assert boss.get("/audit/?who=nobody").answer.status_code == 400
    assert boss.get("/audit/audit.csv?since=x").answer.status_code == 400


def test_csv(filled: None, hands: People) -> None:
    boss = hands().log_in(name="anna")
    answer = boss.client.get("/audit/audit.csv?what=web")
    assert answer.streaming
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit_')
    with pytest.warns(Warning, match="asynchronous"):
        text = b"".join(answer).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["who"], row["kind"], row["address"]) for row in rows] == [
        ("anna", "audit_exported", "127.0.0.1" if rows[0]["address"] == "127.0.0.1" else rows[0]["address"]),
        ("'=cmd()", "token_made", "192.0.2.9"),
        ("anna", "role_changed", "192.0.2.9"),
    ]


def test_an_export_reads_a_bite_at_a_time(
    filled: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable[..., object]
) -> None:
    monkeypatch.setattr("webui.accounts.audit_log.reading.BITE", 2)
    chosen = AuditFilter({})
    assert chosen.is_valid()
    with django_assert_num_queries(5):  # 4 rows of the one table and 2 of the other, two at a time
        assert len(list(entries(chosen))) == 6


def test_the_table_stays_small(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "KEPT", 30)
    monkeypatch.setattr(audit, "TRIMMED_EVERY", 10)
    request = RequestFactory().get("/")
    request.user = person
    for number in range(100):
        audit.note(request, "token_made", str(number))
    assert Change.objects.count() < 40
    assert Change.objects.latest("pk").subject == "99"


def test_a_kind_of_another_version_is_still_shown(anna: User) -> None:
    change("anna", "something_new", subject="x")
    change("anna", "role_changed", subject="x")  # without what it was
    assert lines() == ["anna role changed x", "anna something new x"]
    assert views.PER_PAGE


def test_there_are_words_for_all_that_can_be_asked() -> None:
    actions = OPERATOR_ACTIONS - {"login", "web_security"}
    assert sorted(actions - ACTIONS.keys()) == []
    assert asked_for("something_new") == "something new"
