"""Which of two versions is older: an order that holds for whatever a manufacturer writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.domain.versions import is_version, key, older

ASCENDING = [
    "0.1.0-alpha",
    "0.1.0",
    "0.9",
    "0.10",
    "1.0.0-rc.2",
    "1.0.0-rc.10",
    "1.0.0",
    "1.0.1",
    "1.0.1a",
    "v1.2",
    "2.0~1",
    "10",
    "2026.11.22",
    "bench-2",
    "bench",
]
VERSIONS = st.from_regex(r"\A[0-9A-Za-z][0-9A-Za-z.+_~-]{0,12}\Z")


def test_the_order() -> None:
    for place, version in enumerate(ASCENDING):
        assert is_version(version)
        for later in ASCENDING[place + 1 :]:
            assert older(version, later), (version, later)
            assert not older(later, version), (version, later)


@pytest.mark.parametrize(("one", "other"), [("1.2", "1.2.0"), ("1.2.0+build7", "1.2"), ("v3", "3"), ("1_0", "1.0")])
def test_the_same(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize("text", ["", " 1", "1 0", "-1", "1/2", "../1", "1\n", "ö", "1" * 51, '1"', "$(x)"])
def test_what_is_no_version(text: str) -> None:
    assert not is_version(text)
    key(text)  # has a place all the same


@given(VERSIONS, VERSIONS, VERSIONS)
def test_it_is_an_order(one: str, two: str, three: str) -> None:
    assert older(one, two) + older(two, one) + (key(one) == key(two)) == 1
    if older(one, two) and older(two, three):
        assert older(one, three)
