"""The arithmetic of bills: exact, rounded once, and adding up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui.tariff.cost import DAY, Kind, Metered, Terms, Window, cost, overlapping, standing_minutes
from webui.tariff.money import CURRENCIES, Money, places, rounded, total

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Window(frozenset(range(7)), 22 * 60, 6 * 60, Decimal("0.19"))
MONDAY = datetime(2025, 6, 2, 12, 0, tzinfo=UTC)
KWH = 1_000_000  # mWh


def session(begin: datetime, hours: float, kwh: float, **more: object) -> Metered:
    return Metered(begin, begin + timedelta(hours=hours), round(kwh * KWH), **more)  # type: ignore[arg-type]


def test_energy_at_one_price() -> None:
    bill = cost(session(MONDAY, 2, 7.4345), Terms("EUR", Decimal("0.30")), UTC)
    assert [(line.kind, line.quantity, line.price) for line in bill.lines] == [
        (Kind.ENERGY, Decimal("7.4345"), Decimal("0.30"))
    ]
    assert bill.total == Money(223, "EUR")  # 2.23035


@pytest.mark.parametrize(("amount", "minor"), [("0.005", 1), ("0.0049", 0), ("-0.005", -1), ("2.675", 268)])
def test_half_away_from_zero(amount: str, minor: int) -> None:
    assert rounded(Decimal(amount), "EUR").minor == minor


@pytest.mark.parametrize(("currency", "minor"), [("EUR", 123), ("JPY", 1), ("KWD", 1230)])
def test_the_minor_unit_is_the_currencys_own(currency: str, minor: int) -> None:
    money = rounded(Decimal("1.23"), currency)
    assert money.minor == minor
    assert money.amount == (Decimal("1") if currency == "JPY" else Decimal("1.23"))


def test_a_session_without_energy_costs_nothing() -> None:
    assert cost(session(MONDAY, 2, 0), Terms("EUR", Decimal("0.30"), session_fee=Decimal(1)), UTC).total.minor == 0


def test_all_currencies_are_three_letters_and_there_once() -> None:
    assert len(set(CURRENCIES)) == len(CURRENCIES) > 150
    assert all(len(code) == 3 and code.isupper() and places(code) in (0, 2, 3) for code in CURRENCIES)


def test_currencies_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="EUR and CHF"):
        total([Money(1, "EUR"), Money(1, "CHF")], "EUR")


def test_fee_and_standing_are_lines_of_their_own() -> None:
    terms = Terms("EUR", Decimal("0.30"), session_fee=Decimal("1.50"), standing=Decimal("0.10"), standing_free=30)
    bill = cost(session(MONDAY, 3, 10, stood=timedelta(minutes=44, seconds=1)), terms, UTC)
    assert [(line.kind, line.quantity, line.amount.minor) for line in bill.lines] == [
        (Kind.ENERGY, 10, 300),
        (Kind.SESSION, 1, 150),
        (Kind.STANDING, 15, 150),
    ]
    assert bill.total == Money(600, "EUR")


@pytest.mark.parametrize(("seconds", "free", "minutes"), [(0, 0, 0), (1, 0, 1), (60, 0, 1), (61, 0, 2), (1800, 30, 0)])
def test_minutes_begun(seconds: int, free: int, minutes: int) -> None:
    assert standing_minutes(timedelta(seconds=seconds), free) == minutes


def test_the_night_costs_less() -> None:
    # 23:00 to 07:00 in Berlin: seven hours of eight at night; drawn evenly.
    begin = datetime(2025, 6, 2, 21, 0, tzinfo=UTC)
    bill = cost(session(begin, 8, 8), Terms("EUR", Decimal("0.30"), windows=(NIGHT,)), BERLIN)
    assert [(line.price, line.quantity) for line in bill.lines] == [(Decimal("0.19"), 7), (Decimal("0.30"), 1)]


def test_readings_say_when_the_energy_was_drawn() -> None:
    begin = datetime(2025, 6, 2, 21, 0, tzinfo=UTC)
    readings = [(begin, 0), (begin + timedelta(hours=7), 1 * KWH), (begin + timedelta(hours=8), 4 * KWH)]
    bill = cost(session(begin, 8, 4, readings=readings), Terms("EUR", Decimal("0.30"), windows=(NIGHT,)), BERLIN)
    assert [(line.price, line.quantity) for line in bill.lines] == [(Decimal("0.19"), 1), (Decimal("0.30"), 3)]


@pytest.mark.parametrize(
    ("begin", "night"),
    [
        (datetime(2025, 3, 29, 21, 0, tzinfo=UTC), 7),  # the night in which 02:00 becomes 03:00
        (datetime(2025, 10, 25, 20, 0, tzinfo=UTC), 9),  # the night that has the hour twice
    ],
)
def test_summer_time_comes_and_goes(begin: datetime, night: int) -> None:
    bill = cost(session(begin, 12, 12), Terms("EUR", Decimal("0.30"), windows=(NIGHT,)), BERLIN)
    assert {line.price: line.quantity for line in bill.lines} == {Decimal("0.19"): night, Decimal("0.30"): 12 - night}


def test_a_window_belongs_to_the_day_on_which_it_begins() -> None:
    friday_night = Window(frozenset({4}), 22 * 60, 6 * 60, Decimal("0.10"))
    saturday = datetime(2025, 6, 7, 4, 0, tzinfo=UTC)
    sunday = saturday + timedelta(days=1)
    terms = Terms("EUR", Decimal("0.30"), windows=(friday_night,))
    assert cost(session(saturday, 1, 1), terms, UTC).total.minor == 10
    assert cost(session(sunday, 1, 1), terms, UTC).total.minor == 30


def test_overlapping_windows_are_found_even_around_the_week() -> None:
    sunday_night = Window(frozenset({6}), 22 * 60, 6 * 60, Decimal(1))
    monday_early = Window(frozenset({0}), 5 * 60, 8 * 60, Decimal(2))
    whole_tuesday = Window(frozenset({1}), 0, DAY, Decimal(3))
    assert overlapping([sunday_night, whole_tuesday]) is None
    assert overlapping([whole_tuesday, sunday_night, monday_early]) == (1, 2)


def test_a_clock_that_jumped_by_years_costs_no_time() -> None:
    readings = [(datetime(1970, 1, 1, tzinfo=UTC), 0), (MONDAY, 1 * KWH)]
    metered = Metered(readings[0][0], MONDAY, KWH, readings)
    assert cost(metered, Terms("EUR", Decimal("0.30"), windows=(NIGHT,)), BERLIN).total.minor in range(19, 31)


@st.composite
def sessions(draw: st.DrawFn) -> Metered:
    at, register = MONDAY, draw(st.integers(0, 10**12))
    readings = []
    for _ in range(draw(st.integers(0, 12))):
        at += timedelta(seconds=draw(st.integers(-3600, 90_000)))
        register = max(0, register + draw(st.integers(-1000, 50 * KWH)))
        readings.append((at, register))
    until = MONDAY + timedelta(seconds=draw(st.integers(-10, 500_000)))
    stood = timedelta(seconds=draw(st.integers(0, 10**6)))
    return Metered(MONDAY, until, draw(st.integers(0, 10**9)), readings, stood)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    price = st.decimals(0, 10, places=5)
    windows = draw(
        st.lists(
            st.builds(
                Window,
                st.frozensets(st.integers(0, 6), min_size=1),
                st.integers(0, 95).map(lambda quarter: quarter * 15),
                st.integers(1, 96).map(lambda quarter: quarter * 15),
                price,
            ),
            max_size=3,
        )
    )
    currency = draw(st.sampled_from(("EUR", "JPY", "KWD")))
    free = draw(st.integers(0, 600))
    return Terms(currency, draw(price), draw(price), draw(price), free, tuple(windows))


@given(sessions(), terms())
def test_every_bill_adds_up_and_charges_for_all_the_energy(metered: Metered, by: Terms) -> None:
    bill = cost(metered, by, BERLIN)
    assert bill.total.minor == sum(line.amount.minor for line in bill.lines)
    energy = sum((line.quantity for line in bill.lines if line.kind is Kind.ENERGY), Decimal(0))
    assert abs(energy - Decimal(metered.energy) / KWH) < Decimal("1e-15")
    prices = {by.price, *(window.price for window in by.windows)}
    assert {line.price for line in bill.lines if line.kind is Kind.ENERGY} <= prices
    assert bill.total.minor >= 0
