"""All registers of an EVSE as rows that a person can read, and that need no register map to be shown.

They travel as plain lists, so that whoever shows them need not import this room.
"""

from __future__ import annotations

from collections.abc import Sequence

from hardware.registers import HOLDING, INPUT, Kind, Register, Value

# Address, name, the words in hexadecimal, the value ("" where it is not available, or a code nobody knows), its unit.
Row = tuple[int, str, str, str, str]

PHYSICAL = {"mV": "V", "mA": "A", "mW": "W", "mHz": "Hz", "0.1 A": "A", "0.1 s": "s", "0.1 %": "%", "0.1 °C": "°C"}


def inputs(words: Sequence[int]) -> list[Row]:
    """The input registers of which the board has told the words; an older map has fewer."""
    return _rows(INPUT, words)


def holding(words: Sequence[int]) -> list[Row]:
    """The holding registers."""
    return _rows(HOLDING, words)


def _rows(table: Sequence[Register], words: Sequence[int]) -> list[Row]:
    return [
        (
            register.address,
            register.name,
            " ".join(f"{word:04X}" for word in told),
            shown(register, register.decode(told)),
            PHYSICAL.get(register.unit, register.unit if register.scale == 1 else ""),
        )
        for register in table
        if len(told := words[register.address : register.address + register.words]) == register.words
    ]


def shown(register: Register, value: Value) -> str:
    """A value as text."""
    if value is None:
        return ""
    if isinstance(value, frozenset):
        return ", ".join(name for name in register.codes.values() if name in value) or "–"
    if isinstance(value, bytes):
        return _octets(register, value)
    if register.kind in (Kind.ENUM, Kind.U64) or register.scale == 1:
        return str(value)
    return f"{value:.{len(str(register.scale)) - 1}f}"


def _octets(register: Register, value: bytes) -> str:
    plain = value.rstrip(b"\0")
    if register.name == "firmware":
        return "".join(chr(octet) if 32 <= octet < 127 else "?" for octet in plain)
    return plain.hex().upper()
