"""What a notice says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from station.domain.board import Fault
from station.notices.models import Kind
from station.notices.words import CODES, Message

FACTS = {
    "kind": "fault",
    "evse": 2,
    "codes": ["GroundFailure"],
    "since": "2025-06-01T12:00:00+00:00",
    "ended": None,
    "times": 1,
}


def message(what: str = "begin", **changes: Any) -> Message:
    return Message(what, {**FACTS, **changes}, name="Garage", language="en")


def test_it_begins() -> None:
    made = message()
    assert made.subject == "Garage: Fault at charging point 2"
    assert made.body == (
        "Fault at charging point 2.\nCurrent is leaking to earth.\nNobody can charge there until it is gone.\n"
        "Since 1 Jun 2025, 12:00.\n\nCharging station Garage"
    )


def test_it_came_often_and_is_over_already() -> None:
    body = message(times=4, ended="2025-06-01T12:01:00Z").body
    assert "From 1 Jun 2025, 12:00 to 1 Jun 2025, 12:01; it is over again." in body
    assert "It came 4 times." in body


def test_it_is_over() -> None:
    made = message("end", ended="2025-06-01T12:30:00Z")
    assert made.subject == "Garage: over: Fault at charging point 2"
    assert made.body.startswith("This is over: Fault at charging point 2.\nFrom 1 Jun 2025, 12:00 to 1 Jun 2025, 12:30")


def test_a_test() -> None:
    made = Message("test", {}, name="Garage", language="en")
    assert made.subject == "Garage: A test, to see whether notices arrive"
    assert "All is well" in made.body


def test_for_machines() -> None:
    assert json.loads(json.dumps(message("end", ended="2025-06-01T12:30:00Z").data)) == {
        "station": "Garage",
        "event": "resolved",
        "kind": "fault",
        "evse": 2,
        "codes": ["GroundFailure"],
        "since": "2025-06-01T12:00:00+00:00",
        "ended": "2025-06-01T12:30:00Z",
        "times": 1,
        "text": "Garage: over: Fault at charging point 2",
    }
    assert message().data["event"] == "trouble"
    assert Message("test", {}, name="x", language="en").data["event"] == "test"


@pytest.mark.parametrize("kind", Kind.values)
def test_every_kind_has_words(kind: str) -> None:
    made = message(kind=kind)
    assert "A test" not in made.subject
    assert len(made.body.splitlines()) >= 4


def test_every_fault_of_the_board_has_words() -> None:
    assert {fault.value for fault in Fault} <= CODES.keys()


@pytest.mark.parametrize(
    "changes", [{"since": "x"}, {"since": None}, {"codes": None}, {"codes": ["\u202eodd\r\nBcc: x"]}]
)
def test_facts_of_another_version(changes: dict[str, Any]) -> None:
    assert message(**changes).body
