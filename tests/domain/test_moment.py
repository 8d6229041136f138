"""Times as OCPP writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.moment import Moment, parse_rfc3339, rfc3339

ANY_TIME = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(ANY_TIME)
def test_a_round_trip_keeps_the_millisecond(at: datetime) -> None:
    text = rfc3339(at)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert timedelta() <= at - parse_rfc3339(text) < timedelta(milliseconds=1)


def test_another_zone_is_written_in_utc() -> None:
    at = datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(at) == "2026-02-28T23:00:00.000Z"


def test_early_years_have_four_digits() -> None:
    assert rfc3339(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000Z"


def test_no_zone_counts_as_utc() -> None:
    assert parse_rfc3339("2026-03-01T12:00:00") == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_what_no_calendar_holds_in_utc_is_the_nearest_time(text: str, told: str) -> None:
    assert rfc3339(parse_rfc3339(text)) == told


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_rfc3339(text)


def test_both_clocks_run_evenly() -> None:
    now = Moment(datetime(2026, 3, 1, tzinfo=UTC), 10.0)
    assert now.plus(1.5) == Moment(datetime(2026, 3, 1, 0, 0, 1, 500_000, tzinfo=UTC), 11.5)
