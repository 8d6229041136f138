"""Values as text and as Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device_model import values
from station.device_model.values import BadValue, DataType, decode, encode

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MEMBER = st.text("abcXYZ.-09", min_size=1, max_size=10)
VALUES = st.one_of(
    st.tuples(st.just(DataType.INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(DataType.DECIMAL), st.decimals(-(10**9), 10**9, places=6).map(float)),
    st.tuples(st.just(DataType.BOOLEAN), st.booleans()),
    st.tuples(
        st.just(DataType.DATE_TIME),
        st.integers(0, 4 * 10**12).map(lambda milliseconds: EPOCH + timedelta(milliseconds=milliseconds)),
    ),
    st.tuples(st.sampled_from([DataType.MEMBER_LIST, DataType.SEQUENCE_LIST]), st.lists(MEMBER).map(tuple)),
    st.tuples(st.sampled_from([DataType.STRING, DataType.OPTION_LIST]), st.text()),
)


@given(VALUES)
def test_what_is_encoded_decodes_to_the_same(case: tuple[DataType, Any]) -> None:
    data_type, value = case
    assert decode(data_type, encode(value)) == value


@pytest.mark.parametrize(
    ("data_type", "text"),
    [
        (DataType.INTEGER, text)
        for text in ("", " 1", "1 ", "+1", "01", "-01", "1.0", "1e3", "0x1", "٣", "one", "2147483648", "-2147483649")
    ]
    + [(DataType.DECIMAL, text) for text in ("", "1.", ".5", "+1.0", "1e3", "NaN", "inf", "1.0000001", "1,5", "01.5")]
    + [(DataType.BOOLEAN, text) for text in ("", "True", "TRUE", "1", "yes", " true")]
    + [
        (DataType.DATE_TIME, text)
        for text in (
            "",
            "2030-01-01",
            "2030-01-01T00:00:00",
            "2030-13-01T00:00:00Z",
            "2030-01-01T00:00:00.1234Z",
            "2030-01-01 00:00:00Z",
        )
    ],
)
def test_what_is_written_wrongly_is_refused(data_type: DataType, text: str) -> None:
    with pytest.raises(BadValue, match="must"):
        decode(data_type, text)


def test_a_number_that_does_not_fit_is_out_of_range() -> None:
    with pytest.raises(BadValue) as refused:
        decode(DataType.INTEGER, "2147483648")
    assert refused.value.reason_code == "ValueOutOfRange"


def test_lists_may_have_spaces_after_their_commas() -> None:
    assert decode(DataType.MEMBER_LIST, "Voltage, SoC") == ("Voltage", "SoC")
    assert decode(DataType.SEQUENCE_LIST, "") == ()


def test_a_time_with_an_offset_is_the_same_moment() -> None:
    at = decode(DataType.DATE_TIME, "2030-06-01T14:00:00.5+02:00")
    assert at == datetime(2030, 6, 1, 12, 0, 0, 500_000, tzinfo=UTC)
    assert encode(at.astimezone(timezone(timedelta(hours=-5)))) == "2030-06-01T12:00:00.500Z"


def test_decimals_are_written_without_exponent_and_without_needless_digits() -> None:
    assert [encode(number) for number in (0.0, -0.0, 7360.0, 0.1, 0.1234567, 1e9)] == [
        "0",
        "0",
        "7360",
        "0.1",
        "0.123457",
        "1000000000",
    ]


@pytest.mark.parametrize("text", ["line\nbreak", "\x00", "\x1b[31m", "\x7f", "\ud800"])
def test_control_characters_and_broken_unicode_are_refused_everywhere(text: str) -> None:
    with pytest.raises(BadValue):
        values.check_text(text)


@pytest.mark.parametrize("text", ["CP:1", "CP 1", "a/b", "ä", "..", "."])
def test_an_identity_is_a_user_name_and_a_segment_of_a_url(text: str) -> None:
    with pytest.raises(BadValue):
        values.identity(text)
    values.identity("CP-1_a*=+|@.x")


@pytest.mark.parametrize("text", ["Europe/Oslo", "UTC", ""])
def test_known_time_zones_are_taken(text: str) -> None:
    values.time_zone(text)


@pytest.mark.parametrize("text", ["Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "Europe", "+01:00", "A" * 64])
def test_unknown_time_zones_are_refused(text: str) -> None:
    with pytest.raises(BadValue):
        values.time_zone(text)


@pytest.mark.parametrize(
    ("text", "good"), [("", True), ("+01:00", True), ("-09:30", True), ("01:00", False), ("+1:00", False)]
)
def test_time_offsets(text: str, good: bool) -> None:
    if good:
        values.time_offset(text)
    else:
        with pytest.raises(BadValue):
            values.time_offset(text)
