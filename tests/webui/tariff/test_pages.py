"""The tariff's page: new prices, planned ones, and what can no longer be changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from station.store.models import Transaction, Variable
from tests.webui.looking import look
from webui.owner import here
from webui.tariff import costs
from webui.tariff.cost import DAY, Terms, Window
from webui.tariff.describe import described
from webui.tariff.models import Tariff

PATH = "/settings/tariff/"


def typed(*windows: tuple[str, str, str, str], **changes: str) -> dict[str, str]:
    """What the form sends."""
    rows = {
        f"window-{place}-{name}": value
        for place, window in enumerate([*windows, *[("", "", "", "")] * (4 - len(windows))])
        for name, value in zip(("days", "begin", "end", "price"), window, strict=True)
    }
    management = {"window-TOTAL_FORMS": "4", "window-INITIAL_FORMS": "0"}
    return {"currency": "EUR", "price": "0.32", **rows, **management, **changes}


def test_first_prices_from_now_on(browser: Client) -> None:
    before = timezone.now()
    answer = browser.post(PATH, typed(("0123456", "22:00", "06:00", "0.19"), session_fee="0.5", standing="0.1"))
    assert answer.status_code == 302
    made = Tariff.objects.get()
    assert before <= made.valid_from <= timezone.now()
    assert made.who == "olga"
    assert made.terms == Terms(
        "EUR",
        Decimal("0.32"),
        Decimal("0.5"),
        Decimal("0.1"),
        0,
        (Window(frozenset(range(7)), 22 * 60, 6 * 60, Decimal("0.19")),),
    )
    words = look(browser.get(PATH).content).words
    assert "0.32 € per kWh" in words
    assert "every day from 22:00 to 06:00: 0.19 € per kWh" in words
    assert "in force" in words
    assert "0.32 € per kWh" in look(browser.get("/settings/").content).words


def test_a_language_with_a_comma(browser: Client) -> None:
    assert browser.post(PATH, typed(price="0,295"), headers={"Accept-Language": "de"}).status_code == 302
    with translation.override("de"):
        assert described(Tariff.objects.get().terms).price.startswith("0,295\xa0€")
    assert Tariff.objects.get().price == Decimal("0.295")


def test_midnight_is_the_end_of_a_day_and_a_whole_day(browser: Client) -> None:
    browser.post(PATH, typed(("5", "22:00", "00:00", "1"), ("6", "00:00", "00:00", "2")))
    late, whole = Tariff.objects.get().terms.windows
    assert (late.begin, late.end, len(late.quarters())) == (22 * 60, DAY, 8)
    assert (whole.begin, whole.end, len(whole.quarters())) == (0, DAY, 96)


@pytest.mark.parametrize(
    ("windows", "changes", "said"),
    [
        ((), {"price": ""}, "This field is required"),
        ((), {"price": "much"}, "Enter a number"),
        ((), {"price": "-1"}, "greater than or equal to 0"),
        ((), {"price": "1e99"}, "digits"),
        ((), {"price": "0.123456"}, "5 decimal places"),
        ((), {"price": "NaN"}, "Enter a number"),
        ((), {"currency": "BTC"}, "Select a valid choice"),
        ((), {"standing_free": "1441"}, "less than or equal to 1440"),
        ((), {"valid_from": "yesterday"}, "Enter a valid date"),
        ((), {"window-TOTAL_FORMS": "x"}, "missing or has been tampered"),
        ((("01234", "22:00", "", "0.1"),), {}, "missing for a price at certain times"),
        ((("", "22:00", "06:00", "0.1"),), {}, "missing for a price at certain times"),
        ((("01234", "22:10", "06:00", "0.1"),), {}, "full quarters of an hour"),
        ((("01234", "25:00", "06:00", "0.1"),), {}, "Enter a valid time"),
        ((("9", "22:00", "06:00", "0.1"),), {}, "Select a valid choice"),
        (
            (("01234", "22:00", "06:00", "0.1"), ("4", "05:00", "06:00", "0.2")),
            {},
            "Rows 1 and 2 hold at the same time",
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(
    browser: Client, windows: tuple[Any, ...], changes: dict[str, str], said: str
) -> None:
    answer = browser.post(PATH, typed(*windows, **changes))
    assert answer.status_code == 422
    assert said in look(answer.content).words
    assert not Tariff.objects.exists()


def made(valid_from: datetime, price: str = "0.30") -> Tariff:
    return Tariff.objects.create(valid_from=valid_from, currency="EUR", price=Decimal(price))


def test_what_held_once_is_not_changed(browser: Client) -> None:
    made(timezone.now() - timedelta(days=30))
    between = date.today() - timedelta(days=10)  # noqa: DTZ011 - as the person's calendar says
    answer = browser.post(PATH, typed(valid_from=between.isoformat()))
    assert "what held once is not changed" in look(answer.content).words
    assert Tariff.objects.count() == 1


def test_from_today_means_from_now_once_there_are_prices(browser: Client) -> None:
    made(timezone.now() - timedelta(days=30))
    begun = timezone.now()
    assert browser.post(PATH, typed(valid_from=f"{begun:%Y-%m-%d}")).status_code == 302
    assert Tariff.objects.order_by("valid_from").last().valid_from >= begun  # type: ignore[union-attr]


def test_prices_from_before_all_others_reach_older_sessions(
    browser: Client, make_session: Callable[..., Transaction]
) -> None:
    old = make_session()
    made(timezone.now() - timedelta(days=1))
    assert costs.cost_of(old) is None
    assert browser.post(PATH, typed(valid_from="2025-01-01")).status_code == 302
    cost = costs.cost_of(old)
    assert cost is not None
    assert cost.minor == 238


def test_a_day_begins_where_the_station_is(browser: Client) -> None:
    Variable.objects.create(component="ClockCtrlr", variable="TimeZone", value="Asia/Tokyo")
    here.forget()
    browser.post(PATH, typed(valid_from="2099-07-01"))
    assert Tariff.objects.get().valid_from == datetime(2099, 6, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_days_at_the_end_of_the_calendar(browser: Client, day: str) -> None:
    Variable.objects.create(component="ClockCtrlr", variable="TimeZone", value="Asia/Tokyo")
    assert browser.post(PATH, typed(valid_from=day)).status_code in (302, 422)
    assert browser.get(PATH).status_code == 200


def test_a_plan_can_be_removed_and_what_holds_cannot(browser: Client) -> None:
    present, plan = made(timezone.now() - timedelta(days=1)), made(timezone.now() + timedelta(days=1), "0.4")
    page = browser.get(PATH)
    assert look(page.content).words.count("Remove this plan") == 1
    assert browser.post(f"{PATH}{plan.pk}/remove/")["Location"].endswith("saved=removed")
    assert browser.post(f"{PATH}{present.pk}/remove/")["Location"].endswith("saved=held")
    assert list(Tariff.objects.all()) == [present]
    assert browser.post(f"{PATH}4711/remove/").status_code == 404
    assert browser.get(f"{PATH}{present.pk}/remove/").status_code == 405


def test_two_plans_for_a_day_and_the_same_prices_again(browser: Client) -> None:
    assert browser.post(PATH, typed(valid_from="2099-07-01")).status_code == 302
    assert "planned for that day" in look(browser.post(PATH, typed(valid_from="2099-07-01")).content).words
    answer = browser.post(PATH, typed(valid_from="2099-08-01"))
    assert "prices that hold then already" in look(answer.content).words
    assert Tariff.objects.count() == 1


def test_the_form_begins_as_a_copy_of_what_holds(browser: Client) -> None:
    browser.post(PATH, typed(("01234", "22:00", "06:00", "0.19")))
    page = browser.get(PATH).content.decode()
    assert 'value="0.32"' in page
    assert 'value="22:00' in page
    assert '<option value="01234" selected>' in page


def test_all_of_it_in_words() -> None:
    windows = (Window(frozenset({0, 2}), 0, DAY, Decimal("0.1")),)
    told = described(Terms("EUR", Decimal("0.3"), Decimal("1.5"), Decimal("0.05"), 30, windows))
    assert told.price == "0.30\xa0€ per kWh"
    assert told.more == [
        "Monday, Wednesday from 00:00 to 24:00: 0.10\xa0€ per kWh",
        "1.50\xa0€ for each session",
        "0.05\xa0€ for each minute of standing after the first 30 minutes",
    ]
    assert described(Terms("JPY", Decimal("31.5"), standing=Decimal(2))).price == "31.5\xa0¥ per kWh"
