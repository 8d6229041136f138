"""The register map: no gaps, every value there and back, the page for board makers in step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware import register_page, registers
from hardware.registers import HOLDING, INPUT, SETPOINT, Kind, Register
from station.domain.board import BoardWarning, CPState, Fault, WatchdogState

ROWS = [*INPUT, *HOLDING]


@pytest.mark.parametrize("table", [INPUT, HOLDING], ids=["input", "holding"])
def test_a_table_has_no_gap_and_fits_one_read(table: tuple[Register, ...]) -> None:
    address = 0
    for register in table:
        assert register.address == address, register.name
        address += register.words
    assert address <= registers.MAX_READ
    assert len({register.name for register in table}) == len(table)


@pytest.mark.parametrize("register", ROWS, ids=lambda register: register.name)
def test_a_row_is_sound(register: Register) -> None:
    sizes = {Kind.U32: 2, Kind.S32: 2, Kind.U64: 4}
    if register.kind is not Kind.BYTES:
        assert register.words == sizes.get(register.kind, 1)
    assert bool(register.codes) == (register.kind in (Kind.ENUM, Kind.BITS))
    assert register.description


def test_every_word_of_the_station_has_a_code() -> None:
    for words, name in (
        (CPState, "cp_state"),
        (Fault, "faults"),
        (BoardWarning, "warnings"),
        (WatchdogState, "watchdog"),
    ):
        register = next(row for row in INPUT if row.name == name)
        assert set(register.codes.values()) == set(words)


def test_the_setpoint_ends_with_its_sequence_number() -> None:
    assert SETPOINT[-1] is HOLDING[-1]
    assert SETPOINT[-1].name == "setpoint_sequence"


@given(st.data())
def test_any_words_decode_and_a_value_comes_back_as_the_same_words(data: st.DataObject) -> None:
    register = data.draw(st.sampled_from(ROWS))
    words = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=register.words, max_size=register.words))
    value = register.decode(words)
    if register.kind is Kind.BITS:
        known = sum(1 << bit for bit in register.codes)
        assert register.encode(value) == [words[0] & known]
    elif register.kind is Kind.ENUM and value is None:
        assert words[0] not in register.codes
    else:
        assert register.encode(value) == words


@given(st.data())
def test_a_number_comes_back_within_half_a_unit(data: st.DataObject) -> None:
    register = data.draw(st.sampled_from([row for row in ROWS if row.kind not in (Kind.BYTES, Kind.ENUM, Kind.BITS)]))
    low, high = (limit / register.scale for limit in register.limits)
    value = data.draw(st.floats(low, high).filter(lambda number: low <= number <= high))
    if register.kind is Kind.U64:
        value = int(data.draw(st.integers(*register.limits)))
    decoded = register.decode(register.encode(value))
    assert isinstance(decoded, int | float)
    assert abs(decoded - value) <= 0.5 / register.scale + abs(value) * 1e-12


def test_a_later_map_only_adds_at_the_end() -> None:
    for version in range(1, registers.MAP_VERSION + 1):
        table = registers.inputs(version)
        assert table == INPUT[: len(table)]
    assert registers.span(registers.inputs(1)) == (0, 72), "a promise to boards that are in the field"
    assert registers.inputs(registers.MAP_VERSION) == INPUT


def test_words_are_most_significant_first() -> None:
    energy = next(row for row in INPUT if row.name == "energy_import")
    assert energy.encode(0x0001_0002_0003_0004) == [1, 2, 3, 4]
    voltage = next(row for row in INPUT if row.name == "voltage_l1")
    assert voltage.encode(230.1) == [230_100 >> 16, 230_100 & 0xFFFF]


@pytest.mark.parametrize(
    ("name", "words", "absent"),
    [("voltage_l1", [0xFFFF, 0xFFFF], True), ("current_l1", [0x8000, 0], True), ("soc", [0xFFFF], True),
     ("energy_import", [0xFFFF] * 4, True), ("boot_count", [0xFFFF], False), ("current_l1", [0xFFFF, 0xFFFF], False)],
)  # fmt: skip
def test_not_available_is_none_only_where_the_map_says_so(name: str, words: list[int], absent: bool) -> None:
    register = next(row for row in INPUT if row.name == name)
    assert (register.decode(words) is None) is absent
    if absent:
        assert register.encode(None) == words


@pytest.mark.parametrize(
    ("name", "value"),
    [("setpoint_current", -0.1), ("setpoint_current", 6553.6), ("setpoint_current", float("nan")), ("heartbeat", None),
     ("heartbeat", 65536), ("setpoint_allow", "maybe"), ("setpoint_allow", 1), ("heartbeat", "1")],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(name: str, value: registers.Value) -> None:
    register = next(row for row in HOLDING if row.name == name)
    with pytest.raises(ValueError, match=name):
        register.encode(value)


@pytest.mark.parametrize(("name", "value"), [("reader_uid", b"x" * 11), ("firmware", "1.0"), ("faults", "PowerLoss")])
def test_bytes_and_bits_that_do_not_fit_are_refused_by_name(name: str, value: registers.Value) -> None:
    register = next(row for row in INPUT if row.name == name)
    with pytest.raises(ValueError, match=name):
        register.encode(value)


def test_a_table_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="11 registers were asked for, 10 came"):
        registers.decode(HOLDING, [0] * 10)


def test_the_page_for_board_makers_is_in_step() -> None:
    page = register_page.PAGE.read_text(encoding="utf-8")
    assert page == register_page.renewed(page), "python -m hardware.register_page renews it"
    for register in ROWS:
        assert f"`{register.name}`" in page


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="input"):
        register_page.renewed("# nothing\n")
