"""The register map of an EVSE board: one table, read by the driver, the simulator and docs/hardware.md.

One unit id per EVSE (1, 2, …). Big-endian, the most significant word first; integers in small units rather than
floats (a float32 of kWh steps by 2 Wh at 20 MWh). Input registers (function 4) start at 0 and are read at once, so
that no snapshot is torn; holding registers (functions 3, 6 and 16) start at 0 too.

``scale`` is the count of register units in one unit of ``station.domain.board``: a voltage is held in mV with scale
1000 and decodes to V. Where ``absent`` is set, all ones (signed: the most negative number) say "not available" and
decode to None; an enumeration code that the table does not know decodes to None as well, unknown bits to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from station.domain.board import BoardWarning, CPState, Fault, WatchdogState

MAP_VERSION = 2  # what this table is; older boards are read, too: a row's ``since`` says from which version on
MAX_EVSES = 32
MAX_READ = 125  # registers in one Modbus read

Value: TypeAlias = int | float | str | bytes | frozenset[str] | None


class Kind(StrEnum):
    """How a register's words are to be read."""

    U16 = "u16"
    S16 = "s16"
    U32 = "u32"
    S32 = "s32"
    U64 = "u64"
    BYTES = "bytes"
    ENUM = "enum"
    BITS = "bits"


_NUMBERS = {Kind.U16: (1, False), Kind.S16: (1, True), Kind.U32: (2, False), Kind.S32: (2, True), Kind.U64: (4, False)}


@dataclass(frozen=True, slots=True)
class Register:
    """One row of the map. ``codes`` names the values of an enumeration or the bits (0 is the lowest) of a bit field."""

    address: int
    name: str
    kind: Kind
    words: int
    description: str
    unit: str = ""
    scale: int = 1
    absent: bool = False
    codes: Mapping[int, str] = field(default_factory=dict)
    since: int = 1

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and largest number that the words can hold as a value, "not available" left out."""
        words, signed = _NUMBERS[self.kind]
        size = 1 << (16 * words)
        low, high = (-(size // 2), size // 2 - 1) if signed else (0, size - 1)
        if self.absent:
            low, high = (low + 1, high) if signed else (low, high - 1)
        return low, high

    def encode(self, value: Value) -> list[int]:
        """The words of ``value``; raises ValueError, naming the register, where it does not fit."""
        if self.kind is Kind.BYTES:
            return self._encode_bytes(value)
        if self.kind is Kind.ENUM:
            return [self._code(value)]
        if self.kind is Kind.BITS:
            if not isinstance(value, frozenset):
                raise ValueError(f"{self.name}: a set of bit names is expected, not {value!r}")
            return [sum(1 << self._code(name) for name in value)]
        return _words(self._encode_number(value), self.words)

    def decode(self, words: Sequence[int]) -> Value:
        """The value of ``words``; never raises on any words of the right count."""
        raw = 0
        for word in words:
            raw = raw << 16 | word
        if self.kind is Kind.BYTES:
            return raw.to_bytes(2 * self.words, "big")
        if self.kind is Kind.ENUM:
            return self.codes.get(raw)
        if self.kind is Kind.BITS:
            return frozenset(name for bit, name in self.codes.items() if raw >> bit & 1)
        _, signed = _NUMBERS[self.kind]
        size = 1 << (16 * self.words)
        if self.absent and raw == (size // 2 if signed else size - 1):
            return None
        number = raw - size if signed and raw >= size // 2 else raw
        return number if self.scale == 1 else number / self.scale

    def _encode_bytes(self, value: Value) -> list[int]:
        if not isinstance(value, bytes) or len(value) > 2 * self.words:
            raise ValueError(f"{self.name}: at most {2 * self.words} bytes are expected, not {value!r}")
        return _words(int.from_bytes(value.ljust(2 * self.words, b"\0"), "big"), self.words)

    def _encode_number(self, value: Value) -> int:
        size = 1 << (16 * self.words)
        if value is None and self.absent:
            return size // 2 if _NUMBERS[self.kind][1] else size - 1
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{self.name}: a number is expected, not {value!r}")
        number = value if isinstance(value, int) and self.scale == 1 else round(value * self.scale)
        low, high = self.limits
        if not low <= number <= high:
            raise ValueError(f"{self.name}: {value} is outside {low / self.scale:g} … {high / self.scale:g}")
        return number % size

    def _code(self, value: Value) -> int:
        for code, name in self.codes.items():
            if name == value:
                return code
        raise ValueError(f"{self.name}: {value!r} is none of {', '.join(self.codes.values())}")


def _words(raw: int, count: int) -> list[int]:
    return [raw >> 16 * place & 0xFFFF for place in reversed(range(count))]


NO_YES = {0: "no", 1: "yes"}
# Written out: the codes are a promise to board makers, whatever becomes of the order of our enumerations.
CP_STATES = {
    1: CPState.A,
    2: CPState.B1,
    3: CPState.B2,
    4: CPState.C1,
    5: CPState.C2,
    6: CPState.D1,
    7: CPState.D2,
    8: CPState.E,
    9: CPState.F,
}
FAULTS = {
    0: Fault.GROUND_FAILURE,
    1: Fault.OVER_CURRENT,
    2: Fault.OVER_TEMPERATURE,
    3: Fault.CONTROL_PILOT,
    4: Fault.CONTACTOR_WELDED,
    5: Fault.POWER_LOSS,
}
WARNINGS = {0: BoardWarning.TEMPERATURE_HIGH, 1: BoardWarning.METER_SILENT}
WATCHDOG_STATES = {
    0: WatchdogState.DISARMED,
    1: WatchdogState.OK,
    2: WatchdogState.TRIPPED,
    3: WatchdogState.RESTORED,
}

INPUT: tuple[Register, ...] = (
    # who it is
    Register(
        0,
        "map_version",
        Kind.U16,
        1,
        f"Version of this map, {MAP_VERSION}; rows marked with a later version than the board's are not there. "
        f"The station refuses what is newer than {MAP_VERSION}.",
    ),
    Register(1, "evse_count", Kind.U16, 1, "EVSEs of this board, each with its own unit id from 1 up."),
    Register(2, "firmware", Kind.BYTES, 8, "The board's firmware version, ASCII, padded with NUL."),
    Register(10, "boot_count", Kind.U16, 1, "Counts resets of the board; kept over power loss; wraps."),
    Register(
        11,
        "reset_cause",
        Kind.ENUM,
        1,
        "Why the board last started.",
        codes={0: "Unknown", 1: "PowerOn", 2: "BrownOut", 3: "Watchdog", 4: "Software"},
    ),
    Register(12, "uptime", Kind.U32, 2, "Since the board's reset.", unit="s"),
    # pilot
    Register(
        14,
        "cp_state",
        Kind.ENUM,
        1,
        "Control-pilot state by IEC 61851-1; the digit 2: the board offers current.",
        codes=CP_STATES,
    ),
    Register(
        15, "duty", Kind.U16, 1, "Duty cycle of the pilot; 100 % is no PWM, 0 % the board in F.", unit="0.1 %", scale=10
    ),
    Register(16, "current_offered", Kind.U16, 1, "What the pilot tells the EV; 0 is no offer.", unit="0.1 A", scale=10),
    Register(17, "cable_limit", Kind.U16, 1, "What cable and board carry.", unit="0.1 A", scale=10),
    Register(
        18,
        "contactor",
        Kind.BITS,
        1,
        "Contactor: as commanded, as the auxiliary contact says, closed against the command, conductors connected.",
        codes={0: "commanded", 1: "closed", 2: "welded", 3: "L1", 4: "L2", 5: "L3"},
    ),
    Register(19, "lock", Kind.ENUM, 1, "Whether the connector is locked.", codes=NO_YES),
    # protection
    Register(20, "faults", Kind.BITS, 1, "What protection has acted on; see Faults.", codes=FAULTS),
    Register(21, "warnings", Kind.BITS, 1, "Conditions that do not stop charging.", codes=WARNINGS),
    Register(22, "fault_latches", Kind.U16, 1, "Counts faults since the board's reset; wraps."),
    Register(23, "watchdog", Kind.ENUM, 1, "State of the watchdog; see Watchdog.", codes=WATCHDOG_STATES),
    Register(
        24, "watchdog_left", Kind.U16, 1, "Time until the watchdog trips; 0 when tripped.", unit="0.1 s", scale=10
    ),
    Register(
        25, "setpoint_sequence", Kind.U16, 1, "Sequence number of the setpoint last taken; 0 after reset or trip."
    ),
    Register(26, "temperature", Kind.S16, 1, "Hottest place of the power path.", unit="0.1 °C", scale=10, absent=True),
    Register(27, "residual_ac", Kind.U16, 1, "Residual current, AC part.", unit="mA", scale=1000, absent=True),
    Register(28, "residual_dc", Kind.U16, 1, "Residual current, smooth DC part.", unit="mA", scale=1000, absent=True),
    # meter
    Register(29, "frequency", Kind.U16, 1, "Mains frequency.", unit="mHz", scale=1000, absent=True),
    Register(30, "meter_status", Kind.ENUM, 1, "The meter's own status.", codes={0: "Ok", 1: "Silent", 2: "Error"}),
    Register(31, "meter_age", Kind.U16, 1, "Age of the reading; stops at 6553.5 s.", unit="0.1 s", scale=10),
    Register(32, "voltage_l1", Kind.U32, 2, "L1 to N.", unit="mV", scale=1000, absent=True),
    Register(34, "voltage_l2", Kind.U32, 2, "L2 to N.", unit="mV", scale=1000, absent=True),
    Register(36, "voltage_l3", Kind.U32, 2, "L3 to N.", unit="mV", scale=1000, absent=True),
    Register(38, "current_l1", Kind.S32, 2, "L1, towards the EV positive.", unit="mA", scale=1000, absent=True),
    Register(40, "current_l2", Kind.S32, 2, "L2.", unit="mA", scale=1000, absent=True),
    Register(42, "current_l3", Kind.S32, 2, "L3.", unit="mA", scale=1000, absent=True),
    Register(44, "power_l1", Kind.S32, 2, "L1, active, towards the EV positive.", unit="mW", scale=1000, absent=True),
    Register(46, "power_l2", Kind.S32, 2, "L2.", unit="mW", scale=1000, absent=True),
    Register(48, "power_l3", Kind.S32, 2, "L3.", unit="mW", scale=1000, absent=True),
    Register(50, "power_factor_l1", Kind.S16, 1, "L1, −1 … 1.", unit="0.001", scale=1000, absent=True),
    Register(51, "power_factor_l2", Kind.S16, 1, "L2.", unit="0.001", scale=1000, absent=True),
    Register(52, "power_factor_l3", Kind.S16, 1, "L3.", unit="0.001", scale=1000, absent=True),
    Register(53, "total_power", Kind.S32, 2, "All conductors, active.", unit="mW", scale=1000, absent=True),
    Register(
        55, "energy_import", Kind.U64, 4, "Import register; never goes back, kept for ever.", unit="mWh", absent=True
    ),
    # surroundings
    Register(59, "bay", Kind.ENUM, 1, "Whether the parking bay is occupied.", codes=NO_YES),
    Register(60, "door", Kind.ENUM, 1, "Whether the housing is open (tamper contact).", codes=NO_YES),
    Register(61, "soc", Kind.U16, 1, "State of charge, where the EV tells it.", unit="0.1 %", scale=10, absent=True),
    # card reader: meant in unit 1, the other units hold zeros
    Register(62, "reader_count", Kind.U16, 1, "Unit 1: counts cards since the board's reset; wraps."),
    Register(
        63,
        "reader_type",
        Kind.ENUM,
        1,
        "Unit 1: the last card's kind; a MAC address is the EV's, where a modem reads it.",
        codes={0: "None", 1: "ISO14443", 2: "ISO15693", 3: "MacAddress"},
    ),
    Register(64, "reader_evse", Kind.U16, 1, "Unit 1: the EVSE whose reader it was; 0: one reader serves the station."),
    Register(
        65,
        "reader_uid_length",
        Kind.U16,
        1,
        "Unit 1: bytes of the UID: 4, 7 or 10 (ISO14443), 8 (ISO15693), 6 (MacAddress).",
    ),
    Register(66, "reader_uid", Kind.BYTES, 5, "Unit 1: the UID, bytes as the reader gives them, padded with NUL."),
    Register(
        71,
        "self_test",
        Kind.ENUM,
        1,
        "Outcome of the last self-test (residual-current device, contactor).",
        codes={0: "NotRun", 1: "Running", 2: "Passed", 3: "Failed"},
    ),
    # the meter's registers of each phase
    *(
        Register(
            72 + 4 * phase,
            f"energy_import_l{phase + 1}",
            Kind.U64,
            4,
            f"Import register of L{phase + 1}; as `energy_import`. Not available where the meter tells only the total.",
            unit="mWh",
            absent=True,
            since=2,
        )
        for phase in range(3)
    ),
)

HOLDING: tuple[Register, ...] = (
    Register(0, "heartbeat", Kind.U16, 1, "Any write feeds the watchdog; nothing else does. The value is free."),
    Register(1, "watchdog_timeout", Kind.U16, 1, "3 … 600 s without a heartbeat trip the watchdog.", unit="s"),
    Register(
        2,
        "fallback_current",
        Kind.U16,
        1,
        "Offered at most while the watchdog is tripped; below 6 A: pause and open.",
        unit="0.1 A",
        scale=10,
    ),
    Register(3, "watchdog_acknowledge", Kind.U16, 1, "Write 1: the station has seen the trip and allows power again."),
    Register(4, "self_test_start", Kind.U16, 1, "Write 1: start a self-test; refused while the contactor is closed."),
    Register(
        5,
        "setpoint_current",
        Kind.U16,
        1,
        "Setpoint: the current to offer; below 6 A: none, and the contactor opens.",
        unit="0.1 A",
        scale=10,
    ),
    Register(6, "setpoint_phases", Kind.U16, 1, "Setpoint: conductors to connect, 1 or 3."),
    Register(7, "setpoint_allow", Kind.ENUM, 1, "Setpoint: whether power may flow.", codes=NO_YES),
    Register(8, "setpoint_lock", Kind.ENUM, 1, "Setpoint: whether to lock the connector.", codes=NO_YES),
    Register(
        9, "fault_acknowledge", Kind.U16, 1, "Setpoint: the value of fault_latches of which the station has taken note."
    ),
    Register(
        10, "setpoint_sequence", Kind.U16, 1, "Setpoint: written last; the setpoint is taken whole at this write."
    ),
)

SETPOINT: tuple[Register, ...] = HOLDING[5:]


def inputs(version: int) -> tuple[Register, ...]:
    """The input registers of a board that speaks that version of the map: what was added later stands at the end."""
    return tuple(register for register in INPUT if register.since <= version)


def span(table: Sequence[Register]) -> tuple[int, int]:
    """Address of the first register and the count of words of a table without gaps."""
    return table[0].address, sum(register.words for register in table)


def encode(table: Iterable[Register], values: Mapping[str, Value]) -> list[int]:
    """The words of a whole table, in order; raises KeyError for a value left out, ValueError for one that cannot be."""
    return [word for register in table for word in register.encode(values[register.name])]


def decode(table: Sequence[Register], words: Sequence[int]) -> Decoded:
    """What stands in the words of a whole table; raises ValueError where their count is wrong."""
    first, count = span(table)
    if len(words) != count:
        raise ValueError(f"{count} registers were asked for, {len(words)} came")
    return Decoded(
        {
            register.name: register.decode(words[register.address - first : register.address - first + register.words])
            for register in table
        }
    )


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decoded registers by name, each read as what its kind promises."""

    values: Mapping[str, Value]

    def number(self, name: str) -> float | None:
        """A scaled number; None where it is not available."""
        value = self.values[name]
        return value if isinstance(value, int | float) else None

    def integer(self, name: str) -> int | None:
        """A number held without scale; None where it is not available, or the board's map does not have it."""
        value = self.values.get(name)
        return value if isinstance(value, int) else None

    def count(self, name: str) -> int:
        """A number that is always available, such as a counter."""
        value = self.values[name]
        return value if isinstance(value, int) else 0

    def word(self, name: str) -> str | None:
        """The word of an enumeration; None where the code is unknown."""
        value = self.values[name]
        return value if isinstance(value, str) else None

    def flag(self, name: str) -> bool:
        """A yes or no; anything else is no."""
        return self.values[name] == "yes"

    def bits(self, name: str) -> frozenset[str]:
        """The names of the bits that are set."""
        value = self.values[name]
        return value if isinstance(value, frozenset) else frozenset()

    def octets(self, name: str) -> bytes:
        """Bytes as they stand, padding included."""
        value = self.values[name]
        return value if isinstance(value, bytes) else b""
