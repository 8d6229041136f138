"""Addresses of boards, as STATION_BOARD names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

BAUDRATES = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400)


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """Modbus TCP."""

    host: str
    port: int = 502

    def __str__(self) -> str:
        return f"modbus-tcp://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class RtuAddress:
    """Modbus RTU on a serial line, eight data bits."""

    device: str
    baudrate: int = 9600
    parity: str = "N"
    stopbits: int = 1

    def __str__(self) -> str:
        return f"modbus-rtu://{self.device}?baudrate={self.baudrate}&parity={self.parity}&stopbits={self.stopbits}"


Address: TypeAlias = TcpAddress | RtuAddress


def parse(text: str) -> Address:
    """The address behind ``text``; raises ValueError, naming what is wrong."""
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in ("modbus-tcp", "modbus-rtu"):
        raise ValueError(
            f"board address {text!r}: modbus-tcp://host:port or modbus-rtu:///dev/ttyUSB0?baudrate=9600 is expected"
        )
    return _tcp(text) if scheme == "modbus-tcp" else _rtu(text)


def _tcp(text: str) -> TcpAddress:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"board address {text!r}: {error}") from None
    if not host:
        raise ValueError(f"board address {text!r}: the host is missing")
    if port == 0:
        raise ValueError(f"board address {text!r}: port 0 cannot be reached")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"board address {text!r}: nothing may follow or precede host and port")
    return TcpAddress(host, port or 502)


def _rtu(text: str) -> RtuAddress:
    try:
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise ValueError(f"board address {text!r}: {error}") from None
    if parts.netloc or not parts.path.startswith("/"):
        raise ValueError(
            f"board address {text!r}: the device's whole path is expected, as in modbus-rtu:///dev/ttyUSB0"
        )
    unknown = sorted(set(options) - {"baudrate", "parity", "stopbits"})
    if unknown:
        raise ValueError(f"board address {text!r}: unknown option {unknown[0]!r} (baudrate, parity, stopbits)")
    return RtuAddress(
        parts.path,
        int(_choice(text, "baudrate", options, "9600", [str(rate) for rate in BAUDRATES])),
        _choice(text, "parity", options, "N", ["N", "E", "O"]),
        int(_choice(text, "stopbits", options, "1", ["1", "2"])),
    )


def _choice(text: str, name: str, options: dict[str, str], default: str, allowed: list[str]) -> str:
    value = options.get(name, default)
    if value not in allowed:
        raise ValueError(f"board address {text!r}: {name} {value!r} is none of {', '.join(allowed)}")
    return value
