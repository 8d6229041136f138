"""UIDs as readers give them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.readers.card import octets_of, uid_of


@pytest.mark.parametrize(
    ("kind", "octets", "uid"),
    [("ISO14443", "04a2b3c4", "04A2B3C4"), ("ISO14443", "04A2B3C4D5E6F7", "04A2B3C4D5E6F7"),
     ("ISO14443", "0102030405060708090a", "0102030405060708090A"),
     ("ISO15693", "e004015012345678", "E004015012345678"), ("MacAddress", "0024d7a1b2c3", "0024D7A1B2C3")],
)  # fmt: skip
def test_a_uid_is_upper_case_hexadecimal_in_the_readers_order(kind: str, octets: str, uid: str) -> None:
    assert uid_of(kind, len(octets) // 2, bytes.fromhex(octets).ljust(10, b"\0")) == uid
    assert octets_of(kind, uid) == bytes.fromhex(octets)


@pytest.mark.parametrize(
    ("kind", "length", "octets", "why"),
    [("ISO14443", 8, b"12345678\0\0", "4 or 7 or 10"), ("ISO15693", 7, b"1234567\0\0\0", "has 8"),
     ("ISO14443", 0, b"\0" * 10, "not 0"), ("ISO14443", 65535, b"\xff" * 10, "not 65535"),
     (None, 4, b"1234".ljust(10, b"\0"), "known kind"), ("None", 4, b"1234", "known kind"),
     ("ISO14443", 4, b"1234567\0\0\0", "after the UID"), ("ISO14443", 7, b"\0" * 10, "all zeros")],
)  # fmt: skip
def test_what_is_no_card_is_refused(kind: str | None, length: int, octets: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        uid_of(kind, length, octets)


@pytest.mark.parametrize(
    ("uid", "why"),
    [("", "not 0"), ("xyz", "hexadecimal"), ("04A2B3C4D5E6F", "hexadecimal"), ("04A2B3C4D5E6F7F8", "not 8"),
     ("00000000", "all zeros")],
)  # fmt: skip
def test_a_uid_that_no_reader_gives_is_refused(uid: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        octets_of("ISO14443", uid)


@given(
    st.sampled_from(["ISO14443", "ISO15693", None, "x"]), st.integers(0, 0xFFFF), st.binary(min_size=10, max_size=10)
)
def test_any_registers_give_a_uid_or_a_value_error(kind: str | None, length: int, octets: bytes) -> None:
    try:
        uid = uid_of(kind, length, octets)
    except ValueError:
        return
    assert bytes.fromhex(uid) == octets[:length]
