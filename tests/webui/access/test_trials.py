"""Trials: two minutes by the monotonic clock, over restarts, and what fails is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.webui.access.conftest import Clock
from webui.access import rules, trials
from webui.access.models import Trial
from webui.access.rules import Rules, vpn_only

pytestmark = pytest.mark.django_db


def restart() -> None:
    rules.forget()
    trials.forget()


def begin() -> None:
    trials.begin(trials.RULES, "olga", Rules().written())
    rules.put(vpn_only())


def test_it_outlives_a_restart(clock: Clock) -> None:
    begin()
    Trial.objects.update(ends_at=timezone.now() + timedelta(seconds=30))  # a minute and a half ago
    restart()
    trials.look()
    assert rules.current().vpn_only
    clock.later(31)
    trials.look()
    assert rules.current() == Rules()


def test_one_that_ended_while_nothing_ran_is_taken_back_at_the_start(clock: Clock) -> None:
    begin()
    Trial.objects.update(ends_at=timezone.now() - timedelta(days=1))
    restart()
    trials.look()
    assert rules.current() == Rules()


def test_a_clock_that_went_back_by_years_does_not_make_it_last(clock: Clock) -> None:
    begin()
    Trial.objects.update(ends_at=timezone.now() + timedelta(days=3000))
    restart()
    assert trials.running()[0].left == trials.WINDOW
    clock.later(trials.WINDOW)
    trials.look()
    assert rules.current() == Rules()


def test_what_cannot_be_taken_back_is_tried_again(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    begin()
    clock.later(trials.WINDOW)
    broken = True

    def put(wanted: Rules) -> None:
        if broken:
            raise OSError("the disk is away")
        real(wanted)

    real = rules.put
    monkeypatch.setattr(rules, "put", put)
    trials.look()
    assert trials.get(trials.RULES) is not None
    broken = False
    trials.look()
    assert rules.current().vpn_only  # not yet again
    clock.later(trials.AGAIN)
    trials.look()
    assert rules.current() == Rules()
    assert not Trial.objects.exists()


def test_looking_costs_no_query(clock: Clock, django_assert_num_queries: object) -> None:
    begin()
    trials.look()
    with django_assert_num_queries(0):  # type: ignore[operator]
        trials.look()
        rules.current()
