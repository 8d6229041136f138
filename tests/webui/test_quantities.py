"""Quantities as a person reads them."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from webui.tariff.money import Money
from webui.templatetags import quantities as q


@pytest.mark.parametrize(
    ("watt", "text"),
    [
        (0, "0.00"),
        (7312, "7.31"),
        (9994, "9.99"),
        (9999, "10.0"),
        (22080, "22.1"),
        (-0.4, "0.00"),
        ("x", "–"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_kw(watt: Any, text: str) -> None:
    assert q.kw(watt) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(3010.6, 3, "3.011"), (0, 2, "0.00"), (None, 3, "–"), ("x", 3, "–"), (math.inf, 3, "–")],
)
def test_kwh(value: Any, decimals: int, text: str) -> None:
    assert q.kwh(value, decimals) == text


def test_kwh_of_the_store() -> None:
    assert q.kwh_mwh(7_434_500) == "7.435"
    assert q.kwh_mwh(7_434_500, 2) == "7.43"
    assert q.kwh_mwh(None) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 00 min"),
        (timedelta(days=2, minutes=5), "48 h 05 min"),
        (-1, "–"),
        (None, "–"),
        (math.inf, "–"),
        (math.nan, "–"),
    ],
)
def test_lasting(value: Any, text: str) -> None:
    assert q.lasting(value) == text


@pytest.mark.parametrize(
    ("value", "language", "text"),
    [
        (Money(123456, "EUR"), "en", "1234.56 €"),
        (Money(123456, "EUR"), "de", "1234,56 €"),
        (Money(1234, "JPY"), "en", "1234 ¥"),
        (Money(-5, "CHF"), "en", "-0.05 CHF"),
        (Money(1, "KWD"), "en", "0.001 KWD"),
        (None, "en", "–"),
    ],
)
def test_money(value: Money | None, language: str, text: str) -> None:
    with translation.override(language):
        assert q.money(value) == text.replace(" ", "\xa0")
