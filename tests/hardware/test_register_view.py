"""Every register as a row for people."""

from __future__ import annotations

import pytest

from hardware import register_view, registers
from hardware.registers import HOLDING, INPUT
from hardware.simulator.modbus import input_values
from tests.hardware.support import charging

ROWS = {
    name: (words, value, unit)
    for _, name, words, value, unit in register_view.inputs(
        registers.encode(INPUT, {**input_values(charging(), 1), "temperature": None})
    )
}


def test_every_register_has_its_row() -> None:
    assert list(ROWS) == [register.name for register in INPUT]
    words = [0] * registers.span(HOLDING)[1]
    assert [row[1] for row in register_view.holding(words)] == [register.name for register in HOLDING]


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("cp_state", "C2", ""),
        ("firmware", "reference-1.0", ""),
        ("contactor", "commanded, closed, L1", ""),
        ("faults", "–", ""),
        ("temperature", "", "°C"),
        ("current_offered", "16.0", "A"),
        ("watchdog", "Ok", ""),
        ("frequency", "50.000", "Hz"),
    ],
)
def test_values_in_words(name: str, value: str, unit: str) -> None:
    assert ROWS[name][1:] == (value, unit)


def test_words_are_hexadecimal() -> None:
    assert ROWS["temperature"][0] == "8000"
    assert ROWS["map_version"][0] == "0002"


def test_an_older_board_has_fewer_rows() -> None:
    count = registers.span(registers.inputs(1))[1]
    assert [row[1] for row in register_view.inputs([0] * count)] == [one.name for one in registers.inputs(1)]
