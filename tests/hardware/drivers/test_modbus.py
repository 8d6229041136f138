"""The driver against a live simulator, over TCP and over a serial line, and against boards that misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerType

from hardware import registers
from hardware.board import BoardRefusedError, BusError
from hardware.drivers import open_board
from hardware.drivers.modbus import _evse
from hardware.registers import INPUT
from hardware.simulator.modbus import ModbusServer, input_values
from station.domain.board import BoardSnapshot, CPState, EvseSetpoint, WatchdogState
from station.domain.wire import pack_snapshot, unpack_snapshot
from tests.hardware.support import live_simulator, new_board

SETPOINT = EvseSetpoint(1, allow_power=True, current=13.7, phases=3, lock=True, fault_acknowledged=7)


def test_everything_over_tcp(tmp_path: Path) -> None:
    with live_simulator(tmp_path) as live:
        board = open_board(live.modbus)
        reading = board.read()
        assert [evse.evse_id for evse in reading.evses] == [1, 2]
        assert reading.firmware == "reference-1.0"
        assert (reading.boot_count, reading.reset_cause, reading.card) == (1, "PowerOn", None)
        assert reading.evses[0].cp_state is CPState.A
        assert reading.evses[0].watchdog is WatchdogState.DISARMED
        assert reading.evses[0].meter.ok

        board.configure(1, 60, 6.0)
        board.feed(1, 70_000)
        board.write_setpoint(65535, SETPOINT)
        assert board.read_setpoint(1) == (65535, SETPOINT)
        assert board.read_setpoint(2) == (0, EvseSetpoint(2))

        live.ask("/evse/1/plug", {"soc": 55.5})
        live.ask("/evse/2/bay", {"occupied": True})
        live.ask("/door", {"open": True})
        live.ask("/rfid", {"uid": "e004015012345678", "type": "ISO15693", "evse": 2})
        reading = board.read()
        evse, other = reading.evses
        assert (evse.setpoint_sequence, evse.watchdog, other.watchdog) == (
            65535,
            WatchdogState.OK,
            WatchdogState.DISARMED,
        )
        assert evse.cp_state.ev_connected
        assert evse.soc == pytest.approx(55.5)
        assert (evse.phases, evse.connector_locked) == (3, True)
        assert 59 < evse.watchdog_left <= 60
        assert (other.bay_occupied, reading.door_open) == (True, True)
        assert reading.card is not None
        assert (reading.card.count, reading.card.uid, reading.card.type) == (1, "E004015012345678", "ISO15693")
        assert (reading.card.evse_id, reading.card.at) == (2, None)

        board.acknowledge_watchdog(1)  # without a trip: taken, without effect
        board.close()
        assert board.read().boot_count == 1, "it connects anew"
        board.close()


def test_what_the_board_refuses_is_told_apart_from_a_broken_line(tmp_path: Path) -> None:
    with live_simulator(tmp_path, evses=1) as live:
        board = open_board(live.modbus)
        for action in (
            lambda: board.configure(1, 2, 0.0),
            lambda: board.write_setpoint(0, SETPOINT),
            lambda: board.write_setpoint(1, EvseSetpoint(1, phases=2)),
            lambda: board.write_setpoint(1, EvseSetpoint(2)),
            lambda: board.feed(9, 1),
            lambda: board.write_setpoint(1, EvseSetpoint(1, current=float("nan"))),
        ):
            with pytest.raises(BoardRefusedError):
                action()
        assert board.read_setpoint(1) == (0, EvseSetpoint(1)), "a refused write leaves nothing behind"
        board.close()


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    board = open_board(f"modbus-tcp://127.0.0.1:{port}")
    with pytest.raises(BusError, match="no connection"):
        board.read()
    board.close()
    with pytest.raises(BusError, match="no connection"):
        open_board("modbus-rtu:///dev/station-has-no-such-line").read()


# ------------------------------------------------------------------ boards that misbehave


@contextmanager
def peer(answer: Callable[[bytes], bytes | None]) -> Iterator[str]:
    """A TCP peer that answers each request as it likes; None closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while request := connection.recv(300):
                    reply = answer(request)
                    if reply is None:
                        break
                    connection.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"modbus-tcp://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def block(words: list[int]) -> Callable[[bytes], bytes]:
    """Answers any read of input registers with these words."""

    def answer(request: bytes) -> bytes:
        pdu = bytes([4, 2 * len(words) & 0xFF]) + b"".join(word.to_bytes(2, "big") for word in words)
        return request[:4] + (len(pdu) + 1).to_bytes(2, "big") + request[6:7] + pdu

    return answer


def board_of(words: list[int]) -> Callable[[bytes], bytes]:
    """A board with those input registers and no more; what lies behind them is an illegal address."""

    def answer(request: bytes) -> bytes:
        first, count = int.from_bytes(request[8:10], "big"), int.from_bytes(request[10:12], "big")
        if first + count > len(words):
            return request[:4] + b"\x00\x03" + request[6:7] + b"\x84\x02"
        return block(words[first : first + count])(request)

    return answer


def sound_block() -> list[int]:
    return registers.encode(INPUT, input_values(new_board(), 1))


def with_word(address: int, word: int) -> list[int]:
    words = sound_block()
    words[address] = word
    return words


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _: None, "no connection"),
        (lambda _: b"", "no answer"),
        (lambda _: b"\xff" * 300, "."),
        (lambda request: request[:7] + b"\x84\x02", "no answer"),  # shorter than its header says
        (lambda request: request[:4] + b"\x00\x03" + request[6:7] + b"\x84\x63", "exception 99"),
        (lambda request: request[:4] + b"\x00\x03" + request[6:7] + b"\x84\x02", "refuses: illegal address"),
        (lambda request: request[:4] + b"\x00\x02" + request[6:7] + b"\x55", "."),
        (block([1, 1]), "72 registers were asked for, 2 came"),
        (board_of(with_word(0, 0)), "register map 0"),
        (board_of(with_word(0, 3)), "register map 3"),
        (board_of(with_word(0, 2)[:72]), "refuses: illegal address"),  # says more than it has
        (board_of(with_word(1, 0)), "claims 0 EVSEs"),
        (board_of(with_word(1, 0xFFFF)), "claims 65535 EVSEs"),
    ],
)
def test_whatever_comes_is_a_bus_error_in_words(answer: Callable[[bytes], bytes | None], why: str) -> None:
    with peer(answer) as address:
        board = open_board(address)
        with pytest.raises(BusError, match=why):
            board.read()
        board.close()


def test_noise_never_raises_anything_else() -> None:
    noise = random.Random(20)
    with peer(lambda request: request[: noise.randrange(8)] + noise.randbytes(noise.randrange(1, 200))) as address:
        for _ in range(2):
            board = open_board(address)
            with pytest.raises(BusError):
                board.read()
            board.close()


def test_a_card_that_is_none_is_dropped_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    words = with_word(62, 5)  # a counter, and neither type nor UID
    words[63] = 1
    with peer(board_of(words)) as address:
        board = open_board(address)
        assert [board.read().card, board.read().card, board.read().card_count] == [None, None, 5]
        board.close()
    assert [record.message for record in caplog.records if "card" in record.message] == [
        "card reader: a UID of ISO14443 has 4 or 7 or 10 bytes, not 0; ignored"
    ]


@given(st.data(), st.sampled_from([1, 2]))
def test_any_registers_become_a_snapshot_that_travels(data: st.DataObject, version: int) -> None:
    table = registers.inputs(version)
    size = registers.span(table)[1]
    words = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=size, max_size=size))
    evse = _evse(1, registers.decode(table, words))
    snapshot = BoardSnapshot(at=0.0, evses=(evse,))
    text = json.dumps(pack_snapshot(snapshot), allow_nan=False)
    assert unpack_snapshot(json.loads(text)) == snapshot
    assert evse.soc is None or 0 <= evse.soc <= 100


def test_a_board_of_the_first_map_is_read_and_knows_no_energy_of_phases() -> None:
    with peer(board_of(with_word(0, 1)[:72])) as address:
        board = open_board(address)
        for _ in range(2):
            reading = board.read()
            assert reading.map_version == 1
            assert reading.evses[0].meter.ok
            assert reading.evses[0].meter.energy_phases == ()
        board.close()


def test_another_board_at_the_same_address_is_read_by_its_own_map() -> None:
    now = [sound_block()]
    with peer(lambda request: board_of(now[0])(request)) as address:
        board = open_board(address)
        assert board.read().evses[0].meter.energy_phases == (0, 0, 0)
        now[0] = with_word(0, 1)[:72]
        assert board.read().evses[0].meter.energy_phases == ()
        now[0] = sound_block()
        assert board.read().evses[0].meter.energy_phases == (0, 0, 0)
        board.close()


def test_the_phases_end_at_the_first_that_is_not_available() -> None:
    words = sound_block()
    for name, value in (("energy_import_l1", 5), ("energy_import_l2", None), ("energy_import_l3", 7)):
        register = next(row for row in INPUT if row.name == name)
        words[register.address : register.address + register.words] = register.encode(value)
    assert _evse(1, registers.decode(INPUT, words)).meter.energy_phases == (5,)


@pytest.mark.parametrize("name", ["energy_import", "total_power", "power_l1", "current_l1", "voltage_l1"])
def test_a_meter_without_what_is_billed_is_not_ok(name: str) -> None:
    words = sound_block()
    assert _evse(1, registers.decode(INPUT, words)).meter.ok
    register = next(row for row in INPUT if row.name == name)
    words[register.address : register.address + register.words] = register.encode(None)
    assert not _evse(1, registers.decode(INPUT, words)).meter.ok


@pytest.mark.parametrize(
    ("name", "word", "attribute", "value"),
    [("cp_state", 0, "cp_state", CPState.F), ("cp_state", 99, "cp_state", CPState.F), ("soc", 0xFFFF, "soc", None),
     ("watchdog", 9, "watchdog", WatchdogState.TRIPPED), ("temperature", 0x8000, "temperature", None),
     ("soc", 1001, "soc", None), ("faults", 0xFFC0, "faults", frozenset())],
)  # fmt: skip
def test_unknown_codes_are_read_as_the_safe_one(name: str, word: int, attribute: str, value: object) -> None:
    register = next(row for row in INPUT if row.name == name)
    assert getattr(_evse(1, registers.decode(INPUT, with_word(register.address, word))), attribute) == value


# ------------------------------------------------------------------ RTU


@contextmanager
def serial_line(board_id_count: int = 1) -> Iterator[str]:
    """A pseudo-terminal whose far end is the simulated board, speaking RTU frames."""
    loop = asyncio.new_event_loop()
    server = ModbusServer(new_board(board_id_count), ("127.0.0.1", 0), FramerType.RTU)
    address = loop.run_until_complete(server.start())
    threading.Thread(target=loop.run_forever, daemon=True).start()
    far = socket.create_connection(address)
    master, slave = os.openpty()
    tty.setraw(slave)

    def towards_board() -> None:
        try:
            while octets := os.read(master, 300):
                far.sendall(octets)
        except OSError:
            return

    def towards_station() -> None:
        try:
            while octets := far.recv(300):
                os.write(master, octets)
        except OSError:
            return

    for bridge in (towards_board, towards_station):
        threading.Thread(target=bridge, daemon=True).start()
    try:
        yield f"modbus-rtu://{os.ttyname(slave)}?baudrate=115200"
    finally:
        far.close()
        os.close(slave)
        os.close(master)
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)


def test_everything_over_a_serial_line() -> None:
    with serial_line(2) as address:
        board = open_board(address)
        reading = board.read()
        assert [evse.evse_id for evse in reading.evses] == [1, 2]
        board.feed(2, 1)
        board.write_setpoint(9, SETPOINT)
        assert board.read_setpoint(1) == (9, SETPOINT)
        assert board.read().evses[1].watchdog is WatchdogState.OK
        with pytest.raises(BoardRefusedError):
            board.configure(1, 1, 0.0)
        board.close()
