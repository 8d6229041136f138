"""Drivers: from an address to a board."""

from __future__ import annotations

from hardware.board import Board
from hardware.drivers.address import parse
from hardware.drivers.modbus import ModbusBoard


def open_board(address: str) -> Board:
    """The board behind ``modbus-tcp://host:port`` or ``modbus-rtu:///dev/tty…?baudrate=9600``; connects at first read.

    Raises ValueError, naming what is wrong, for any other address.
    """
    return ModbusBoard(parse(address))
