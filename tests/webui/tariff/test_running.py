"""The cost so far, of what the live view tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from station.live.payloads import EvseLive
from tests.webui.making import NOON, charging, waiting
from webui.owner import here
from webui.tariff import costs, running
from webui.tariff.models import Tariff
from webui.tariff.money import Money

NIGHT = {"days": list(range(7)), "begin": 12 * 60 - 15, "end": 6 * 60, "price": "0.10"}


@pytest.fixture
def tariff(db: None) -> Any:
    def make(**more: Any) -> None:
        Tariff.objects.create(
            valid_from=datetime(2025, 1, 1, tzinfo=UTC), currency="EUR", price=Decimal("0.30"), **more
        )
        costs.book.forget()
        running.look_up()

    return make


@pytest.fixture(autouse=True)
def _in_utc(settings: Any) -> Iterator[None]:
    yield
    here.forget()


def so_far(evse: EvseLive, minutes: float = 25) -> Money | None:
    return running.so_far(evse, NOON - timedelta(minutes=minutes), NOON)


def test_without_a_tariff_or_a_session_there_is_none(tariff: Any) -> None:
    assert so_far(charging()) is None
    tariff()
    assert so_far(waiting()) is None
    assert running.so_far(charging(), None, NOON) is None


def test_energy_and_fee(tariff: Any) -> None:
    tariff(session_fee=Decimal(1))
    assert so_far(charging()) == Money(190, "EUR")  # 3.0106 kWh


def test_by_the_time_of_the_curve(tariff: Any) -> None:
    tariff(windows=[NIGHT])  # from 11:45, of 11:35 to 12:00
    cents = so_far(charging())
    assert cents is not None
    assert 51 <= cents.minor <= 53  # 8.75 of 23.75 min at the full price


def test_what_was_drawn_before_the_curve_is_not_lost(tariff: Any) -> None:
    tariff(windows=[NIGHT])
    late = charging(energy=10_000.0, curve=((1440.0, 0.0), (1500.0, 0.0)))
    cents = so_far(late)
    assert cents is not None
    assert cents.minor == pytest.approx(10 * (30 * 10 + 10 * 14) / 24, abs=2)


def test_standing(tariff: Any) -> None:
    tariff(standing=Decimal("0.10"))
    full = charging(activity="suspended_ev", curve=((0.0, 7000.0), (600.0, 7000.0), (602.0, 0.0), (1500.0, 0.0)))
    assert so_far(full) == Money(90 + 150, "EUR")
