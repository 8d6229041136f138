"""What is kept of a session's cost, and that no later tariff changes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from station.store.models import MeterPoint, Transaction, Variable
from tests.webui.making import NOON
from webui.owner import here
from webui.tariff import costs
from webui.tariff.models import Cost, Settled, Tariff
from webui.tariff.money import Money

YEAR = datetime(2025, 1, 1, tzinfo=UTC)
NIGHT = {"days": list(range(7)), "begin": 22 * 60, "end": 6 * 60, "price": "0.10"}


def tariff(valid_from: datetime = YEAR, price: str = "0.30", **more: Any) -> Tariff:
    made = Tariff.objects.create(valid_from=valid_from, currency="EUR", price=Decimal(price), **more)
    costs.begin_again(valid_from)
    return made


def test_without_a_tariff_there_is_no_cost(make_session: Callable[..., Transaction]) -> None:
    assert costs.cost_of(make_session()) is None
    assert costs.settle() == 0


def test_a_session_that_began_before_the_first_tariff_has_none(make_session: Callable[..., Transaction]) -> None:
    tariff(NOON + timedelta(minutes=1))
    assert costs.cost_of(make_session()) is None
    assert costs.costs_of([make_session()]) == {}


def test_a_new_tariff_changes_no_old_session(make_session: Callable[..., Transaction]) -> None:
    tariff()
    session = make_session()
    assert costs.cost_of(session) == Money(223, "EUR")
    tariff(NOON - timedelta(days=1), price="99")  # no form would take it
    assert costs.cost_of(session) == Money(223, "EUR")
    assert costs.bill_of(session).lines[0].quantity == Decimal("7.4345")  # type: ignore[union-attr]


def test_each_session_by_the_tariff_of_its_beginning(make_session: Callable[..., Transaction]) -> None:
    tariff()
    tariff(NOON, price="1")
    today, yesterday = make_session(), make_session()
    assert costs.costs_of([today, yesterday]) == {today.pk: Money(743, "EUR"), yesterday.pk: Money(223, "EUR")}
    assert Cost.objects.aggregate(sum=Sum("minor"))["sum"] == 966
    assert [row.cost.money.minor for row in Transaction.objects.select_related("cost")] == [743, 223]


def test_a_running_session_has_a_cost_that_is_not_kept(make_session: Callable[..., Transaction]) -> None:
    tariff()
    session = make_session(active=True, ended_at=None)
    assert costs.cost_of(session) == Money(223, "EUR")
    assert not Cost.objects.exists()


def test_standing_begins_after_the_last_energy(make_session: Callable[..., Transaction]) -> None:
    tariff(standing=Decimal("0.10"), standing_free=5)
    session = make_session()
    for minute, power in ((0, 7000), (30, 7000), (31, 0), (90, 0)):
        at = session.started_at + timedelta(minutes=minute)
        MeterPoint.objects.create(transaction=session, at=at, power=power, current=0, energy=1_204_600 + minute)
    assert costs.cost_of(session) == Money(223 + (95 - 31 - 5) * 10, "EUR")


def test_a_car_that_never_charged_did_not_stand(make_session: Callable[..., Transaction]) -> None:
    tariff(standing=Decimal("0.10"))
    session = make_session(energy=0)
    MeterPoint.objects.create(transaction=session, at=NOON, power=0, current=0, energy=1_204_600)
    assert costs.cost_of(session) == Money(0, "EUR")


def test_times_are_the_stations_own(make_session: Callable[..., Transaction]) -> None:
    tariff(windows=[NIGHT])
    assert costs.cost_of(make_session()) == Money(223, "EUR")  # 12:00 UTC is noon
    Variable.objects.create(component="ClockCtrlr", variable="TimeZone", value="Asia/Tokyo")  # 21:00 on the day before
    here.forget()
    later = make_session(started_at=NOON + timedelta(hours=1), ended_at=NOON + timedelta(hours=2))
    assert costs.cost_of(later) == Money(74, "EUR")


def test_settling_reaches_all_and_then_finds_nothing(make_session: Callable[..., Transaction]) -> None:
    tariff()
    for _ in range(5):
        make_session()
    running = make_session(active=True, ended_at=None)
    assert [costs.settle(2) for _ in range(4)] == [2, 2, 1, 0]
    assert Cost.objects.count() == 5
    running.active, running.ended_at = False, NOON
    running.save()
    assert costs.settle() == 1, "it held the mark back while it ran"


def test_a_tariff_before_the_first_gives_older_sessions_a_cost(make_session: Callable[..., Transaction]) -> None:
    tariff(NOON)
    new, old = make_session(), make_session()
    assert costs.settle_all(pause=0) == 1
    tariff(YEAR, price="1")
    assert costs.settle_all(pause=0) == 1
    assert costs.costs_of([new, old]) == {new.pk: Money(223, "EUR"), old.pk: Money(743, "EUR")}


def test_the_mark_is_not_written_for_nothing(
    make_session: Callable[..., Transaction], django_assert_num_queries: Any
) -> None:
    tariff()
    make_session()
    costs.settle_all(pause=0)
    until = Settled.objects.get().until
    with django_assert_num_queries(3):  # the mark, what is new, what runs
        costs.settle()
    assert Settled.objects.get().until == until


@pytest.mark.django_db
@pytest.mark.parametrize(
    "stored", ["x", [{"days": "x"}], [{"days": [1], "begin": 0, "end": 60, "price": "much"}], None]
)
def test_windows_that_nobody_can_read_do_not_count(stored: Any) -> None:
    made = Tariff(valid_from=YEAR, currency="EUR", price=Decimal("0.3"), windows=stored)
    assert made.terms.windows == ()
