"""How often people are told: at once, once an hour, and that it is over when it has settled."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from station.notices import telling
from station.notices.models import Sending, Settings, Trouble
from tests.webui.making import NOON

pytestmark = pytest.mark.django_db


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


@pytest.fixture(autouse=True)
def by_mail() -> None:
    Settings.objects.create(pk=1, mail_on=True, hook_on=False)


def trouble(**changes: Any) -> Trouble:
    fields = {"key": "fault:1", "kind": "fault", "evse_id": 1, "codes": ["GroundFailure"], "since": at(0), "times": 1}
    return Trouble.objects.create(**{**fields, **changes})


def told(row: Trouble, minute: float) -> list[str]:
    """What is decided at that minute."""
    before = set(Sending.objects.values_list("pk", flat=True))
    telling.decide(at(minute))
    row.refresh_from_db()
    return [sending.what for sending in Sending.objects.exclude(pk__in=before)]


def over(row: Trouble, minute: float) -> None:
    row.ended_at = at(minute)
    row.save()


def back(row: Trouble, minute: float) -> None:
    row.ended_at, row.since = None, at(minute)
    row.times += 1
    row.save()


def test_told_at_once_and_only_once() -> None:
    row = trouble()
    assert told(row, 0.1) == ["begin"]
    assert told(row, 200) == []
    over(row, 201)
    assert told(row, 205.9) == []
    assert told(row, 206) == ["end"]
    assert told(row, 500) == []


def test_one_that_flaps_is_one_mail() -> None:
    row = trouble()
    assert told(row, 0) == ["begin"]
    for minute in range(2, 50, 4):
        over(row, minute)
        assert told(row, minute + 1) == []
        back(row, minute + 2)
        assert told(row, minute + 2) == []


def test_one_that_comes_again_within_the_hour_waits_and_is_counted() -> None:
    row = trouble()
    assert told(row, 0) == ["begin"]
    over(row, 1)
    assert told(row, 7) == ["end"]
    for minute in (10, 20):
        back(row, minute)
        assert told(row, minute) == []
        over(row, minute + 1)
        assert told(row, minute + 9) == []
    back(row, 50)
    assert told(row, 59) == []
    assert told(row, 60) == ["begin"]
    assert Sending.objects.order_by("id").last().facts["times"] == 3  # type: ignore[union-attr]


def test_one_that_was_over_before_it_was_told_needs_one_notice() -> None:
    row = trouble(ended_at=at(0.1))
    assert told(row, 0.2) == ["begin"]
    assert Sending.objects.get().facts["ended"] == at(0.1).isoformat()
    assert told(row, 60) == []


def test_a_clock_that_was_set_back_keeps_nobody_in_the_dark() -> None:
    row = trouble(told_at=at(5000))
    assert told(row, 1) == ["begin"]


def test_each_way_that_is_switched_on() -> None:
    Settings.objects.update(hook_on=True)
    trouble()
    assert telling.decide(at(0)) == 2
    assert sorted(Sending.objects.values_list("channel", flat=True)) == ["hook", "mail"]


@pytest.mark.parametrize("kind", ["fault", "board", "csms", "tamper", "firmware"])
def test_each_kind_can_be_switched_off(kind: str) -> None:
    row = trouble(kind=kind)
    Settings.objects.update(**{f"on_{kind}": False})
    assert told(row, 0) == []
    Settings.objects.update(**{f"on_{kind}": True})
    assert told(row, 1) == [], "what was there when it was switched on again is shown, and told no more"


def test_with_no_way_switched_on_nothing_piles_up() -> None:
    Settings.objects.update(mail_on=False)
    assert told(trouble(), 0) == []


def test_what_was_sent_is_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "KEPT", 3)
    for number in range(6):
        trouble(key=f"fault:{number}")
        telling.decide(at(number))
    assert Sending.objects.count() == 3
