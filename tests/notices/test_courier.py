"""Sending, trying again, giving up; and the transfer worker's rounds."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from station.domain.effects import Journal, SaveVariable
from station.notices import courier, worker
from station.notices.failed import Failed
from station.notices.models import Sending, Settings, Trouble
from station.notices.words import Message
from station.store import repositories
from tests.webui.making import NOON


class Post:
    """A way that works, or fails with a word."""

    def __init__(self) -> None:
        self.fails = ""
        self.got: list[Message] = []

    def __call__(self, settings: Settings, message: Message) -> None:
        if self.fails:
            raise Failed(self.fails, "in  its\nown words")
        self.got.append(message)


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    made = Post()
    monkeypatch.setattr(courier, "WAYS", {"mail": made, "hook": made})
    return made


@pytest.fixture
def on(db: None) -> None:
    Settings.objects.create(pk=1, mail_on=True, station_name="Garage")


def sending(**changes: Any) -> Sending:
    fields = {"made_at": NOON, "next_at": NOON, "channel": "mail", "what": "begin", "facts": {"kind": "board"}}
    return Sending.objects.create(**{**fields, **changes})


def go(minute: float = 0) -> int:
    return courier.send_due(lambda: NOON + timedelta(minutes=minute))


@pytest.mark.usefixtures("on")
def test_what_is_due_is_sent(post: Post) -> None:
    row, later = sending(), sending(next_at=NOON + timedelta(minutes=5))
    assert go() == 1
    row.refresh_from_db()
    later.refresh_from_db()
    assert (row.status, row.finished_at, row.word) == ("sent", NOON, "")
    assert later.status == "waiting"
    assert post.got[0].subject == "Garage: The station's board does not answer"
    assert go(1) == 0


@pytest.mark.usefixtures("on")
def test_it_is_tried_again_ever_more_rarely_and_then_given_up(post: Post) -> None:
    row = sending()
    post.fails = "unreachable"
    tried = []
    while row.status == "waiting":
        due = (row.next_at - NOON).total_seconds() / 60
        go(due - 0.1)
        go(due)
        tried.append(due)
        row.refresh_from_db()
        assert row.attempts == len(tried)
    assert tried == [0, 1, 6, 21, 81, 261, 741, 2181]
    assert (row.status, row.word, row.detail) == ("failed", "unreachable", "in its own words")


@pytest.mark.usefixtures("on")
def test_after_a_failure_it_gets_through(post: Post) -> None:
    row = sending()
    post.fails = "timeout"
    go()
    row.refresh_from_db()
    assert (row.status, row.word) == ("waiting", "timeout")
    post.fails = ""
    assert go(1) == 1
    row.refresh_from_db()
    assert (row.status, row.word, row.attempts) == ("sent", "", 2)


@pytest.mark.usefixtures("on")
def test_a_test_is_tried_once_and_whether_the_way_is_on_or_not(post: Post) -> None:
    post.fails = "credentials"
    row = sending(what="test", channel="hook", facts={})
    go()
    row.refresh_from_db()
    assert (row.status, row.word) == ("failed", "credentials")


@pytest.mark.usefixtures("on")
def test_a_way_that_was_switched_off_meanwhile(post: Post) -> None:
    row = sending(channel="hook")
    assert go() == 0
    row.refresh_from_db()
    assert (row.status, row.word) == ("failed", "switched_off")
    assert post.got == []


@pytest.mark.usefixtures("on")
def test_many_troubles_at_once_do_not_fill_a_mailbox(post: Post) -> None:
    for _ in range(30):
        sending()
    for minute in range(10):
        go(minute)
    assert len(post.got) == courier.PER_HOUR
    sending(what="test", next_at=NOON, facts={})
    for minute in range(10, 14):
        go(minute)
    assert len(post.got) == courier.PER_HOUR + 1, "a test goes through"
    go(61)
    assert len(post.got) > courier.PER_HOUR + 1


@pytest.mark.usefixtures("on")
def test_a_stop_of_the_worker_waits_for_one_at_most(post: Post) -> None:
    sending(), sending()
    assert courier.send_due(lambda: NOON, lambda: bool(post.got)) == 1


@pytest.mark.django_db
def test_what_the_station_is_called() -> None:
    assert courier.name_of(Settings(pk=1)) == "?"
    repositories.commit([SaveVariable("SecurityCtrlr", "Identity", "CP-7")])
    assert courier.name_of(Settings(pk=1)) == "CP-7"
    assert courier.name_of(Settings(pk=1, station_name="Garage")) == "Garage"


@pytest.mark.usefixtures("on")
@pytest.mark.parametrize(
    ("zone", "said"), [("Europe/Berlin", "14:00"), ("Nowhere/Land", "12:00"), ("..", "12:00"), ("", "12:00")]
)
def test_times_are_those_of_the_station_s_place(post: Post, zone: str, said: str) -> None:
    repositories.commit([SaveVariable("ClockCtrlr", "TimeZone", zone)])
    sending(facts={"kind": "board", "since": NOON.isoformat()})
    go()
    assert f"Since 1 Jun 2025, {said}." in post.got[0].body


# ------------------------------------------------------------------ the rounds


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def data(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("data")
def test_from_the_journal_to_the_mailbox(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    Settings.objects.create(pk=1, mail_on=True, station_name="Garage")
    clock = Clock()
    rounds = worker.Rounds(lambda: False, clock)
    rounds.turn()
    assert not Trouble.objects.exists()
    clock.now += worker.EVERY
    rounds.turn()
    repositories.commit([Journal(datetime.now(NOON.tzinfo), "door_opened")])
    clock.now += worker.EVERY / 2
    rounds.turn()
    assert post.got == []
    clock.now += worker.EVERY / 2
    rounds.turn()
    assert [message.subject for message in post.got] == ["Garage: The station's housing was opened"]
    again = worker.Rounds(lambda: False, clock)
    clock.now += worker.EVERY
    again.turn()
    assert len(post.got) == 1, "a restart tells nothing twice"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("data")
def test_a_test_does_not_wait_for_the_next_round(post: Post) -> None:
    Settings.objects.create(pk=1)
    rounds = worker.Rounds(lambda: False, Clock())
    Sending.objects.create(made_at=NOON, next_at=NOON, channel="mail", what="test")
    rounds.turn()
    assert post.got == []
    worker.nudge()
    rounds.turn()
    assert len(post.got) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("data")
def test_whatever_goes_wrong_the_worker_goes_on(
    post: Post, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    rounds = worker.Rounds(lambda: False, clock)

    def broken(now: Any) -> int:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("station.notices.telling.decide", broken)
    for _ in range(3):
        clock.now += worker.AGAIN
        rounds.turn()
    assert caplog.text.count("nobody foresaw this") == 1, "once, not for ever"
