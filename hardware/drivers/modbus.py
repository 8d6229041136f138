"""The driver of a board that speaks the register map over Modbus TCP or RTU.

Synchronous on purpose: it runs in the poll thread, where nothing else may hold it up. What a board says is not
trusted: registers that are not available or unknown become explicit values, and nothing but BusError leaves here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU

from hardware import registers
from hardware.board import BoardReading, BoardRefusedError, BusError
from hardware.drivers.address import Address, TcpAddress
from hardware.readers.card import uid_of
from hardware.registers import HOLDING, SETPOINT, Decoded, Value
from station.domain.board import (
    BoardWarning,
    CardRead,
    CPState,
    EvseSetpoint,
    EvseSnapshot,
    Fault,
    MeterReading,
    SelfTest,
    WatchdogState,
)

log = logging.getLogger(__name__)

TCP_TIMEOUT = 0.5  # s; a board on a LAN answers in a few ms
RTU_TIMEOUT = 0.4  # s; the input block of one EVSE takes 0.21 s at 9600 baud

# pymodbus logs each failed request by itself, five times a second while a board is away; the poller tells it once.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class ModbusBoard:
    """A board at the far end of a Modbus line; see ``hardware.board.Board``."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._client = _client(address)
        self._strange_card: int | None = None
        self._version = 1  # of the map that the board speaks, as far as it has said
        self._words: dict[int, Sequence[int]] = {}  # of the input registers as last read, by EVSE id

    def read(self) -> BoardReading:
        """Every EVSE's input registers, one request each."""
        retries = 0
        first, tries = self._first()
        retries += tries
        version, count = first.count("map_version"), first.count("evse_count")
        if not 1 <= count <= registers.MAX_EVSES:
            raise BusError(f"the board claims {count} EVSEs; 1 … {registers.MAX_EVSES} are possible")
        evses = [_evse(1, first)]
        for evse_id in [known for known in self._words if known > count]:
            del self._words[evse_id]
        for evse_id in range(2, count + 1):
            block, tries = self._input(evse_id)
            retries += tries
            evses.append(_evse(evse_id, block))
        return BoardReading(
            map_version=version,
            firmware=_text(first.octets("firmware")),
            boot_count=first.count("boot_count"),
            reset_cause=first.word("reset_cause") or "Unknown",
            uptime=first.count("uptime"),
            door_open=first.flag("door"),
            evses=tuple(evses),
            card_count=first.count("reader_count"),
            card=self._card(first),
            retries=retries,
        )

    def configure(self, evse_id: int, watchdog_timeout: int, fallback_current: float) -> None:
        """One write for both, so that they change together."""
        self._write(evse_id, HOLDING[1:3], {"watchdog_timeout": watchdog_timeout, "fallback_current": fallback_current})

    def feed(self, evse_id: int, beat: int) -> None:
        """Write the heartbeat register."""
        self._write(evse_id, HOLDING[0:1], {"heartbeat": beat & 0xFFFF})

    def acknowledge_watchdog(self, evse_id: int) -> None:
        """Write 1 to watchdog_acknowledge."""
        self._write(evse_id, HOLDING[3:4], {"watchdog_acknowledge": 1})

    def write_setpoint(self, sequence: int, setpoint: EvseSetpoint) -> None:
        """One write of the whole block, the sequence number at its end."""
        self._write(
            setpoint.evse_id,
            SETPOINT,
            {
                "setpoint_current": setpoint.current,
                "setpoint_phases": setpoint.phases,
                "setpoint_allow": "yes" if setpoint.allow_power else "no",
                "setpoint_lock": "yes" if setpoint.lock else "no",
                "fault_acknowledge": setpoint.fault_acknowledged & 0xFFFF,
                "setpoint_sequence": sequence,
            },
        )

    def read_setpoint(self, evse_id: int) -> tuple[int, EvseSetpoint]:
        """What the setpoint registers hold."""
        first, count = registers.span(SETPOINT)
        answer = self._ask(lambda: self._client.read_holding_registers(first, count=count, device_id=evse_id))
        block = _decode(SETPOINT, answer)
        return block.count("setpoint_sequence"), EvseSetpoint(
            evse_id=evse_id,
            allow_power=block.flag("setpoint_allow"),
            current=block.number("setpoint_current") or 0.0,
            phases=block.count("setpoint_phases"),
            lock=block.flag("setpoint_lock"),
            fault_acknowledged=block.count("fault_acknowledge"),
        )

    def start_self_test(self, evse_id: int) -> None:
        """Write 1 to self_test_start."""
        self._write(evse_id, HOLDING[4:5], {"self_test_start": 1})

    def dump(self) -> Mapping[int, tuple[Sequence[int], Sequence[int]]]:
        """One request per EVSE, for the holding registers."""
        first, count = registers.span(HOLDING)
        found = {}
        for evse_id, words in self._words.items():
            ask = partial(self._client.read_holding_registers, first, count=count, device_id=evse_id)
            found[evse_id] = words, list(self._ask(ask).registers)
        return found

    def close(self) -> None:
        """Close the socket or the serial port."""
        try:
            self._client.close()  # type: ignore[no-untyped-call]
        except Exception:  # pyserial lets through what the operating system says of a line that was pulled
            log.debug("closing %s", self.address, exc_info=True)

    # ------------------------------------------------------------------ the line

    def _first(self) -> tuple[Decoded, int]:
        """Unit 1 by the map that the board speaks; another board may have come to the same address meanwhile."""
        try:
            block, retries = self._input(1)
        except BoardRefusedError:
            if self._version == 1:
                raise
            self._version = 1  # what every board has
            block, retries = self._input(1)
        version = block.count("map_version")
        if not 1 <= version <= registers.MAP_VERSION:
            self._version = 1
            raise BusError(f"the board speaks register map {version}, this station maps 1 … {registers.MAP_VERSION}")
        if version != self._version:
            self._version = version
            block, more = self._input(1)
            retries += more
        return block, retries

    def _input(self, evse_id: int) -> tuple[Decoded, int]:
        table = registers.inputs(self._version)
        first, count = registers.span(table)
        answer = self._ask(lambda: self._client.read_input_registers(first, count=count, device_id=evse_id))
        self._words[evse_id] = answer.registers
        return _decode(table, answer), answer.retries

    def _write(self, evse_id: int, table: tuple[registers.Register, ...], values: Mapping[str, Value]) -> None:
        try:
            words = registers.encode(table, values)
        except ValueError as error:
            raise BoardRefusedError(f"EVSE {evse_id}: {error}") from error
        first, _ = registers.span(table)
        if len(words) == 1:
            self._ask(lambda: self._client.write_register(first, words[0], device_id=evse_id))
        else:
            self._ask(lambda: self._client.write_registers(first, words, device_id=evse_id))

    def _ask(self, request: Callable[[], ModbusPDU]) -> ModbusPDU:
        """Carry a request out; the line is closed after anything that may have left an answer on its way."""
        try:
            if not self._client.connect():
                raise BusError(f"{self.address}: no connection")
            answer = request()
        except BusError:
            raise
        except ModbusException as error:
            self.close()
            raise BusError(f"{self.address}: {_plain(error)}") from error
        except Exception as error:  # pymodbus and pyserial raise what comes on garbled frames and dying ports
            self.close()
            raise BusError(f"{self.address}: {type(error).__name__}: {error}") from error
        if answer.isError():
            raise BoardRefusedError(f"{self.address}: {_refusal(answer.exception_code)}")
        return answer

    # ------------------------------------------------------------------ the card

    def _card(self, block: Decoded) -> CardRead | None:
        count = block.count("reader_count")
        kind = block.word("reader_type")
        if count == 0 and kind == "None":
            return None
        try:
            uid = uid_of(kind, block.count("reader_uid_length"), block.octets("reader_uid"))
        except ValueError as error:
            if self._strange_card != count:
                self._strange_card = count
                log.warning("card reader: %s; ignored", error)
            return None
        return CardRead(count, uid, kind or "", block.count("reader_evse") or None)


def _client(address: Address) -> ModbusTcpClient | ModbusSerialClient:
    if isinstance(address, TcpAddress):
        return ModbusTcpClient(address.host, port=address.port, timeout=TCP_TIMEOUT, retries=0)
    return ModbusSerialClient(
        address.device,
        framer=FramerType.RTU,
        baudrate=address.baudrate,
        parity=address.parity,
        stopbits=address.stopbits,
        timeout=RTU_TIMEOUT,
        retries=1,
    )


def _decode(table: tuple[registers.Register, ...], answer: ModbusPDU) -> Decoded:
    try:
        return registers.decode(table, list(answer.registers))
    except ValueError as error:
        raise BusError(str(error)) from error


def _evse(evse_id: int, block: Decoded) -> EvseSnapshot:
    contactor = block.bits("contactor")
    cp_state, watchdog = block.word("cp_state"), block.word("watchdog")
    return EvseSnapshot(
        evse_id=evse_id,
        cp_state=CPState(cp_state) if cp_state else CPState.F,  # a code that nobody knows is no state to charge in
        contactor_commanded="commanded" in contactor,
        contactor_closed="closed" in contactor,
        connector_locked=block.flag("lock"),
        current_offered=block.number("current_offered") or 0.0,
        cable_limit=block.number("cable_limit") or 0.0,
        phases=len(contactor & {"L1", "L2", "L3"}) or 1,
        faults=frozenset(Fault(name) for name in block.bits("faults")),
        warnings=frozenset(BoardWarning(name) for name in block.bits("warnings")),
        fault_latches=block.count("fault_latches"),
        watchdog=WatchdogState(watchdog) if watchdog else WatchdogState.TRIPPED,
        watchdog_left=block.number("watchdog_left") or 0.0,
        setpoint_sequence=block.count("setpoint_sequence"),
        temperature=block.number("temperature"),
        residual_ac=block.number("residual_ac") or 0.0,
        residual_dc=block.number("residual_dc") or 0.0,
        meter=_meter(block),
        bay_occupied=block.flag("bay"),
        soc=_soc(block.number("soc")),
        self_test=SelfTest(block.word("self_test") or SelfTest.NOT_RUN),
    )


def _soc(value: float | None) -> float | None:
    return value if value is not None and value <= 100 else None


def _meter(block: Decoded) -> MeterReading:
    """The meter's registers; ``ok`` only where all that a bill may rest on is available and the meter says so."""
    energy = block.integer("energy_import")
    needed = [block.number(name) for name in ("voltage_l1", "current_l1", "power_l1", "total_power")]
    return MeterReading(
        voltage=_phases(block, "voltage", 0.0),
        current=_phases(block, "current", 0.0),
        power=_phases(block, "power", 0.0),
        power_factor=_phases(block, "power_factor", 1.0),
        total_power=block.number("total_power") or 0.0,
        energy=energy or 0,
        energy_phases=_energy_phases(block),
        frequency=block.number("frequency") or 0.0,
        age=block.number("meter_age") or 0.0,
        ok=block.word("meter_status") == "Ok" and energy is not None and None not in needed,
    )


def _energy_phases(block: Decoded) -> tuple[int, ...]:
    """The import registers of L1 and on, up to the first that is not available."""
    found: list[int] = []
    for phase in (1, 2, 3):
        value = block.integer(f"energy_import_l{phase}")
        if value is None:
            break
        found.append(value)
    return tuple(found)


def _phases(block: Decoded, name: str, absent: float) -> tuple[float, float, float]:
    values = [block.number(f"{name}_l{phase}") for phase in (1, 2, 3)]
    l1, l2, l3 = (absent if value is None else value for value in values)
    return l1, l2, l3


def _text(octets: bytes) -> str:
    """ASCII as far as it is printable; a board's firmware string ends up on web pages and in OCPP messages."""
    return "".join(chr(octet) if 32 <= octet < 127 else "?" for octet in octets.rstrip(b"\0"))


def _plain(error: ModbusException) -> str:
    """pymodbus's text without its prefix and without memory addresses."""
    text = str(error).removeprefix("Modbus Error: ")
    if "onnect" in text:
        return "no connection"
    return "no answer" if "No response" in text else text


def _refusal(code: int) -> str:
    try:
        return f"the board refuses: {ExcCodes(code).name.lower().replace('_', ' ')}"
    except ValueError:
        return f"the board refuses with exception {code}"
