"""The simulated board on the wire: Modbus TCP with the register map of a real one.

pymodbus keeps the connections and the framing; every access calls back here, so registers are computed when they
are read and take effect when they are written. All of it runs in one event loop: no snapshot is torn.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from functools import partial
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hardware import registers
from hardware.registers import HOLDING, INPUT, NO_YES, SETPOINT, Value
from hardware.simulator.board import FIRMWARE, SimulatedBoard
from hardware.simulator.electronics import Electronics
from hardware.simulator.watchdog import TIMEOUTS
from station.domain.board import EvseSetpoint

READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY = 3, 4, 6, 16
ADDRESS = {register.name: register.address for register in HOLDING}
BINARY = [register.address for register in HOLDING if register.codes is NO_YES]


def input_values(board: SimulatedBoard, evse_id: int) -> dict[str, Value]:
    """Every input register of one unit by its name."""
    electronics, outlet = board.electronics[evse_id], board.world.outlets[evse_id]
    reader, ev = board.reader, outlet.ev
    values: dict[str, Value] = {
        "map_version": registers.MAP_VERSION,
        "evse_count": len(board.electronics),
        "firmware": FIRMWARE.encode(),
        "boot_count": board.world.boot_count,
        "reset_cause": board.reset_cause,
        "uptime": int(board.uptime),
        "cp_state": electronics.cp_state,
        "duty": electronics.duty,
        "current_offered": electronics.offered,
        "cable_limit": electronics.cable_limit,
        "contactor": _contactor(electronics),
        "lock": NO_YES[electronics.locked],
        "faults": frozenset(electronics.faults),
        "warnings": frozenset(),
        "fault_latches": electronics.fault_latches,
        "watchdog": electronics.watchdog.state,
        "watchdog_left": electronics.watchdog.left,
        "setpoint_sequence": electronics.sequence,
        "temperature": outlet.temperature,
        "residual_ac": outlet.residual,
        "residual_dc": 0.0,
        "frequency": 50.0 if board.world.supply else 0.0,
        "meter_status": "Ok",
        "meter_age": 0.0,
        "total_power": sum(outlet.power),
        "energy_import": outlet.register,
        "bay": NO_YES[outlet.bay_occupied],
        "door": NO_YES[board.world.door_open],
        "soc": ev.soc if ev and ev.tells_soc else None,
        "reader_count": reader.count if evse_id == 1 else 0,
        "reader_type": (reader.kind if evse_id == 1 else None) or "None",
        "reader_evse": reader.evse_id if evse_id == 1 else 0,
        "reader_uid_length": len(reader.octets) if evse_id == 1 else 0,
        "reader_uid": reader.octets if evse_id == 1 else b"",
        "self_test": electronics.self_test,
    }
    for name in ("voltage", "current", "power", "power_factor"):
        for phase, value in enumerate(getattr(outlet, name), 1):
            values[f"{name}_l{phase}"] = value
    for phase, register in enumerate(outlet.shown, 1):
        values[f"energy_import_l{phase}"] = register
    return values


def _contactor(electronics: Electronics) -> frozenset[str]:
    bits = {f"L{phase}" for phase in range(1, electronics.phases + 1)}
    for name in ("commanded", "closed", "welded"):
        if getattr(electronics, name):
            bits.add(name)
    return frozenset(bits)


class HoldingRegisters:
    """The holding registers of one unit, between two resets."""

    def __init__(self, electronics: Electronics) -> None:
        self.electronics = electronics
        self.words = registers.encode(
            HOLDING,
            {
                "heartbeat": 0,
                "watchdog_timeout": int(electronics.watchdog.timeout),
                "fallback_current": electronics.fallback_current,
                "watchdog_acknowledge": 0,
                "self_test_start": 0,
                "setpoint_current": 0.0,
                "setpoint_phases": 1,
                "setpoint_allow": "no",
                "setpoint_lock": "no",
                "fault_acknowledge": 0,
                "setpoint_sequence": 0,
            },
        )

    def write(self, address: int, words: Sequence[int]) -> ExcCodes | None:
        """Write and let it take effect; a value that is refused leaves everything as it was."""
        fresh = list(self.words)
        fresh[address : address + len(words)] = words
        written = range(address, address + len(words))
        if refusal := self._refusal(fresh, written):
            return refusal
        self.words = fresh
        electronics = self.electronics
        if ADDRESS["watchdog_timeout"] in written:
            electronics.watchdog.timeout = fresh[ADDRESS["watchdog_timeout"]]
        if ADDRESS["fallback_current"] in written:
            electronics.fallback_current = fresh[ADDRESS["fallback_current"]] / 10
        if ADDRESS["heartbeat"] in written:
            electronics.watchdog.feed()
        if ADDRESS["setpoint_sequence"] in written:
            self._take()
        if ADDRESS["watchdog_acknowledge"] in written:
            electronics.watchdog.acknowledge()
        return None

    def _refusal(self, fresh: list[int], written: range) -> ExcCodes | None:
        allowed: dict[int, Sequence[int]] = {
            ADDRESS["watchdog_timeout"]: range(TIMEOUTS[0], TIMEOUTS[1] + 1),
            ADDRESS["watchdog_acknowledge"]: (1,),
            ADDRESS["self_test_start"]: (1,),
            ADDRESS["setpoint_phases"]: (1, 3),
            ADDRESS["setpoint_sequence"]: range(1, 0x10000),
            **dict.fromkeys(BINARY, (0, 1)),
        }
        if any(address in written and fresh[address] not in values for address, values in allowed.items()):
            return ExcCodes.ILLEGAL_VALUE
        if ADDRESS["self_test_start"] in written and not self.electronics.start_self_test():
            return ExcCodes.DEVICE_BUSY
        return None

    def _take(self) -> None:
        block = registers.decode(SETPOINT, self.words[SETPOINT[0].address :])
        setpoint = EvseSetpoint(
            evse_id=self.electronics.evse_id,
            allow_power=block.flag("setpoint_allow"),
            current=block.number("setpoint_current") or 0.0,
            phases=block.count("setpoint_phases"),
            lock=block.flag("setpoint_lock"),
            fault_acknowledged=block.count("fault_acknowledge"),
        )
        self.electronics.take(block.count("setpoint_sequence"), setpoint)


class ModbusServer:
    """Serves a simulated board at ``address``; port 0 takes a free one. ``framer`` RTU speaks RTU frames over TCP."""

    def __init__(self, board: SimulatedBoard, address: tuple[str, int], framer: FramerType = FramerType.SOCKET) -> None:
        self.board = board
        self.address = address
        self.framer = framer
        self._holding: dict[int, HoldingRegisters] = {}
        self._server: ModbusTcpServer | None = None

    async def start(self) -> tuple[str, int]:
        """Listen; the address it came to. Raises OSError where the address cannot be had."""
        family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        with contextlib.closing(socket.create_server(self.address, family=family)):
            pass  # pymodbus keeps the reason of a failure to itself
        units = [self._unit(evse_id) for evse_id in self.board.electronics]
        self._server = ModbusTcpServer([self._nobody(), *units], address=self.address, framer=self.framer)
        await self._server.serve_forever(background=True)
        listener = cast(asyncio.Server, self._server.transport)
        host, port = listener.sockets[0].getsockname()[:2]
        return host, port

    async def stop(self) -> None:
        """Close the listener and every connection."""
        if self._server:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None

    def _unit(self, evse_id: int) -> SimDevice:
        holding, inputs = (
            SimData(0, count=registers.span(table)[1], datatype=DataType.REGISTERS) for table in (HOLDING, INPUT)
        )
        bits = [SimData(0, count=16, datatype=DataType.BITS)], [SimData(0, count=16, datatype=DataType.BITS)]
        return SimDevice(evse_id, simdata=(*bits, [holding], [inputs]), action=partial(self._access, evse_id))

    def _nobody(self) -> SimDevice:
        """All other unit ids: the line stays silent behind the gateway."""

        async def refuse(*_: object) -> ExcCodes:
            return ExcCodes.GATEWAY_NO_RESPONSE

        return SimDevice(0, simdata=SimData(0, count=registers.MAX_READ, datatype=DataType.REGISTERS), action=refuse)

    async def _access(
        self,
        evse_id: int,
        function: int,
        first: int,
        address: int,
        count: int,
        words: list[int],
        fresh: list[int] | None,
    ) -> ExcCodes | None:
        """Called by pymodbus for each access: ``words`` is its own memory of the block that begins at ``first``."""
        if function == READ_INPUT:
            words[: registers.span(INPUT)[1]] = registers.encode(INPUT, input_values(self.board, evse_id))
            return None
        if function not in (READ_HOLDING, WRITE_ONE, WRITE_MANY):
            return ExcCodes.ILLEGAL_FUNCTION
        holding = self._holding_of(evse_id)
        refusal = holding.write(address, fresh) if fresh else None
        words[: len(holding.words)] = holding.words
        return refusal

    def _holding_of(self, evse_id: int) -> HoldingRegisters:
        electronics = self.board.electronics[evse_id]
        holding = self._holding.get(evse_id)
        if holding is None or holding.electronics is not electronics:  # first access, or the board was reset
            holding = self._holding[evse_id] = HoldingRegisters(electronics)
        return holding
