"""What a selection comes to is the same, whether its sessions are added up or counted."""

from __future__ import annotations

import random
import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from station.domain.transaction import IdToken
from station.store import customers, upkeep
from station.store.models import Transaction, Variable
from tests.webui.making import NOON
from webui.owner import here
from webui.sessions import adding_up, sums
from webui.sessions.filters import RUNNING, Selection
from webui.sessions.models import Added, Card, CardSum, DaySum
from webui.tariff import costs
from webui.tariff.models import Tariff

pytestmark = pytest.mark.django_db
CARDS = ("04A2B3C4D5E6F7", "DEADBEEF", "CAFEBABE", "")
REASONS = ("EVDisconnected", "Remote", "Local")

SELECTIONS = [
    Selection(),
    Selection(evse=1),
    Selection(evse=3),
    Selection(card="beef"),
    Selection(card="E"),
    Selection(card="nobody"),
    Selection(ended="Remote"),
    Selection(ended=RUNNING),
    Selection(since=date(2025, 5, 1), until=date(2025, 5, 31)),
    Selection(since=date(2025, 5, 1), evse=2, card="E6F7", ended="Local"),
    Selection(until=date(2025, 4, 30), card="e"),
]


@pytest.fixture(autouse=True)
def small_bites(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding_up, "BITE", 7)


def tariff(**changes: Any) -> Tariff:
    fields = {"valid_from": NOON - timedelta(days=60), "currency": "EUR", "price": Decimal("0.30")}
    made = Tariff.objects.create(**{**fields, **changes})
    costs.book.forget()
    return made


def history(count: int = 100, *, seed: int = 1, active: int = 0) -> list[Transaction]:
    """Sessions of some months; the last ``active`` of them still run. The clock jumped now and then."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        started = NOON - timedelta(hours=chance.uniform(0, 24 * 90))
        runs = number >= count - active
        made.append(
            Transaction(
                transaction_id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                evse_id=chance.choice((1, 2, None)),
                started_at=started,
                ended_at=None if runs else started + timedelta(hours=2),
                active=runs,
                id_token=chance.choice(CARDS),
                id_token_type="ISO14443",
                meter_start=0,
                meter_stop=None if runs else 5_000_000,
                energy=chance.randrange(40_000_000),
                stopped_reason="" if runs else chance.choice(REASONS),
            )
        )
    Transaction.objects.bulk_create(made)
    return made


def told(selection: Selection) -> tuple[Any, ...]:
    asked = sums.Asked(selection)
    totals = asked.totals()
    return totals, asked.by_year(), sorted(asked.tokens) if selection.card else None


def months(selection: Selection) -> dict[int, sums.Figures]:
    return sums.Asked(Selection(date(2025, 1, 1), date(2025, 12, 31), selection.evse, selection.card)).by_month()


@pytest.mark.parametrize("with_costs", [False, True])
def test_adding_up_changes_nothing(with_costs: bool) -> None:
    if with_costs:
        tariff()
    history(100, active=2)
    counted = [(told(one), months(one)) for one in SELECTIONS]
    assert adding_up.add_up(breath=0) == 98
    assert DaySum.objects.exists()
    assert CardSum.objects.exists()
    assert [(told(one), months(one)) for one in SELECTIONS] == counted
    totals = counted[0][0][0]
    assert totals.sessions == 100
    assert bool(totals.costs) is with_costs


def test_each_session_is_added_once_however_often_and_late() -> None:
    history(30)
    assert adding_up.add_up(breath=0, most=1) == 7
    assert adding_up.add_up(breath=0) == 23
    assert adding_up.add_up(breath=0) == 0
    history(10, seed=2)
    upkeep.due.send(None)  # as the housekeeping does
    assert sums.Asked(Selection()).totals().sessions == 40
    assert sum(DaySum.objects.values_list("sessions", flat=True)) == 40
    assert sum(CardSum.objects.values_list("energy", flat=True)) == sum(
        Transaction.objects.values_list("energy", flat=True)
    )


def test_what_runs_is_counted_and_holds_back_what_began_later() -> None:
    history(5, active=1)
    history(5, seed=2)
    assert adding_up.add_up(breath=0) == 4
    assert sums.Asked(Selection()).totals().sessions == 10
    Transaction.objects.filter(active=True).update(active=False, stopped_reason="Local")
    assert adding_up.add_up(breath=0) == 6
    assert sums.Asked(Selection()).totals().sessions == 10


def test_days_are_those_of_the_station_and_another_zone_makes_others() -> None:
    made = history(1)[0]
    Transaction.objects.update(started_at=NOON)
    adding_up.add_up(breath=0)
    assert sums.Asked(Selection(until=date(2025, 6, 1))).totals().sessions == 1
    Variable.objects.create(component="ClockCtrlr", variable="TimeZone", value="Pacific/Auckland")
    here.forget()
    assert adding_up.valid() is None
    for _ in range(2):  # counted, then added up
        assert sums.Asked(Selection(until=date(2025, 6, 1))).totals().sessions == 0
        assert sums.Asked(Selection(since=date(2025, 6, 2))).totals().sessions == 1
        adding_up.add_up(breath=0)
    assert made.pk == Added.objects.get().last


def test_a_tariff_before_all_others_gives_sessions_a_cost() -> None:
    history(20)
    adding_up.add_up(breath=0)
    assert sums.Asked(Selection()).totals().costs == {}
    tariff()
    assert adding_up.valid() is None
    counted = sums.Asked(Selection()).totals().costs
    adding_up.add_up(breath=0)
    assert sums.Asked(Selection()).totals().costs == counted != {}


def test_a_table_that_was_made_anew_is_added_up_anew() -> None:
    history(20)
    adding_up.add_up(breath=0)
    Added.objects.update(last="another session")
    assert adding_up.valid() is None
    assert sums.Asked(Selection()).totals().sessions == 20
    assert adding_up.add_up(breath=0) == 20
    assert sums.Asked(Selection()).totals().sessions == 20


def test_a_customer_who_is_forgotten_is_forgotten_here() -> None:
    history(30)
    Transaction.objects.update(state={})
    adding_up.add_up(breath=0)
    assert Card.objects.filter(id_token="DEADBEEF").exists()
    customers.erased.send(None, tokens=(IdToken("deadbeef", "ISO14443"),), identifier="")
    assert not Card.objects.filter(id_token="DEADBEEF").exists()
    Transaction.objects.filter(id_token="DEADBEEF").update(id_token="", id_token_type="")
    assert sums.Asked(Selection(card="beef")).totals().sessions == 0
    adding_up.add_up(breath=0)
    assert sums.Asked(Selection(card="beef")).totals().sessions == 0
    assert sums.Asked(Selection()).totals().sessions == 30


def test_too_many_to_count_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sums, "MOST_COUNTED", 5)
    monkeypatch.setattr(adding_up, "_asked", -1e9)
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda _app, name, **_options: asked.append(name))
    history(6)
    for _ in range(2):
        with pytest.raises(sums.NotYet):
            sums.Asked(Selection())
    assert asked == ["webui.add_up_sessions"]
    adding_up.add_up(breath=0)
    assert sums.Asked(Selection()).totals().sessions == 6


def test_key_codes_are_found_whole_only() -> None:
    history(5)
    Transaction.objects.update(id_token="12345678", id_token_type="KeyCode")
    for _ in range(2):
        assert sums.Asked(Selection(card="5678")).totals().sessions == 0
        assert sums.Asked(Selection(card="12345678")).totals().sessions == 5
        adding_up.add_up(breath=0)


@pytest.mark.parametrize("text", ["%", "_", "\\", "' OR 1=1 --", "<script>", "E6F7%", "é"])
def test_hostile_cards_find_nothing(text: str) -> None:
    history(5)
    adding_up.add_up(breath=0)
    assert sums.Asked(Selection(card=text)).totals().sessions == 0
