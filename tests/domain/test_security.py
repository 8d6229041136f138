"""The table of security events, and its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from station.domain.security import KINDS, kind_of

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "security.md"


@pytest.mark.parametrize("name", KINDS)
def test_the_page_is_in_step_with_the_table(name: str) -> None:
    kind = KINDS[name]
    own = " (*own*)" if kind.own else ""
    row = f"| {kind.name} | {'yes' if kind.critical else 'no'} | {kind.raised_by}{own} |"
    assert row in PAGE.read_text(encoding="utf-8").splitlines()


def test_names_fit_into_a_notification() -> None:
    assert all(len(name) <= 50 for name in KINDS)


def test_what_is_in_no_table_is_heard() -> None:
    assert kind_of("SomethingNew").critical
