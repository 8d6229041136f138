"""Addresses of boards."""

from __future__ import annotations

import pytest

from hardware.drivers.address import Address, RtuAddress, TcpAddress, parse


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("modbus-tcp://127.0.0.1:5020", TcpAddress("127.0.0.1", 5020)),
        ("modbus-tcp://board.example", TcpAddress("board.example", 502)),
        ("modbus-tcp://[::1]:5020/", TcpAddress("::1", 5020)),
        ("modbus-rtu:///dev/ttyUSB0?baudrate=9600", RtuAddress("/dev/ttyUSB0", 9600)),
        ("modbus-rtu:///dev/ttyS1?baudrate=115200&parity=E&stopbits=2", RtuAddress("/dev/ttyS1", 115200, "E", 2)),
        ("modbus-rtu:///dev/ttyUSB0", RtuAddress("/dev/ttyUSB0")),
    ],
)
def test_an_address_is_read_and_written(text: str, address: Address) -> None:
    assert parse(text) == address
    assert parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is expected"),
        ("simulator", "is expected"),
        ("http://127.0.0.1", "is expected"),
        ("modbus-tcp:127.0.0.1", "is expected"),
        ("modbus-tcp://", "host is missing"),
        ("modbus-tcp://:502", "host is missing"),
        ("modbus-tcp://host:port", "Port could not be cast"),
        ("modbus-tcp://host:70000", "Port out of range"),
        ("modbus-tcp://host:0", "port 0"),
        ("modbus-tcp://host:502?unit=1", "nothing may follow"),
        ("modbus-tcp://user@host:502", "nothing may follow or precede"),
        ("modbus-tcp://[::1", "IPv6"),
        ("modbus-rtu://ttyUSB0", "whole path"),
        ("modbus-rtu:///dev/ttyUSB0?baudrate=fast", "baudrate 'fast'"),
        ("modbus-rtu:///dev/ttyUSB0?baudrate=9601", "baudrate '9601'"),
        ("modbus-rtu:///dev/ttyUSB0?parity=M", "parity 'M'"),
        ("modbus-rtu:///dev/ttyUSB0?stopbits=3", "stopbits '3'"),
        ("modbus-rtu:///dev/ttyUSB0?speed=9600", "unknown option 'speed'"),
        ("modbus-rtu:///dev/ttyUSB0?baudrate", "bad query"),
    ],
)
def test_a_bad_address_is_refused_by_name(text: str, what: str) -> None:
    with pytest.raises(ValueError, match="board address") as refusal:
        parse(text)
    assert what in str(refusal.value)
