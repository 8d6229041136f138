"""Values as OCPP writes them (always text) and as Python has them (part 2, section 2.1.4, primitive data types)."""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime
from enum import StrEnum
from typing import Any

from station.domain.moment import parse_rfc3339, rfc3339

INT32 = 2**31
QUOTED = 40  # characters of a foreign word that a message repeats


class DataType(StrEnum):
    """DataEnumType."""

    STRING = "string"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    BOOLEAN = "boolean"
    OPTION_LIST = "OptionList"
    SEQUENCE_LIST = "SequenceList"
    MEMBER_LIST = "MemberList"

    @property
    def is_list(self) -> bool:
        """True where the value is comma-separated text and a tuple in Python."""
        return self in (DataType.SEQUENCE_LIST, DataType.MEMBER_LIST)

    @property
    def is_number(self) -> bool:
        """True where minLimit and maxLimit bound the value itself and not the length of its text."""
        return self in (DataType.INTEGER, DataType.DECIMAL)


class BadValue(ValueError):
    """A value that a variable cannot take. ``reason_code`` is one of the appendix's; the text never holds a secret."""

    def __init__(self, text: str, reason_code: str = "InvalidValue") -> None:
        super().__init__(text)
        self.reason_code = reason_code


_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]{1,6})?")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?(Z|[+-][0-9]{2}:[0-9]{2})", re.IGNORECASE
)


def quoted(word: str) -> str:
    """``word`` for a message: shortened, and with nothing in it that a terminal or a log would obey."""
    return repr(word if len(word) <= QUOTED else word[:QUOTED] + "…")


def decode(data_type: DataType, text: str) -> Any:
    """The Python value behind ``text``: int, float, bool, datetime, tuple of str, or str. Raises BadValue."""
    if data_type is DataType.INTEGER:
        # Part 2, 2.1.4: 32 bits, no leading zeros, no plus sign.
        if len(text) > 11 or not _INTEGER.fullmatch(text):
            raise BadValue("must be a whole number, without plus sign or leading zeros")
        number = int(text)
        if not -INT32 <= number < INT32:
            raise BadValue("must fit into 32 bits", "ValueOutOfRange")
        return number
    if data_type is DataType.DECIMAL:
        if len(text) > 30 or not _DECIMAL.fullmatch(text):
            raise BadValue("must be a decimal number with at most six decimal places")
        return float(text)
    if data_type is DataType.BOOLEAN:
        if text not in ("true", "false"):
            raise BadValue('must be "true" or "false"')
        return text == "true"
    if data_type is DataType.DATE_TIME:
        try:
            if not _DATE_TIME.fullmatch(text):
                raise ValueError
            return parse_rfc3339(text.upper())
        except ValueError:
            raise BadValue("must be an RFC 3339 date and time with at most three fractional digits") from None
    if data_type.is_list:
        return tuple(member.strip() for member in text.split(",")) if text.strip() else ()
    return text


def encode(value: Any) -> str:
    """The one text for a Python value; ``decode`` gives it back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = f"{value:.6f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def check_text(text: str) -> None:
    """Refuse what no field of ours may hold: control characters, and code points that are no UTF-8."""
    if any(ord(letter) < 0x20 or ord(letter) == 0x7F or 0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise BadValue("must not contain control characters")


# ------------------------------------------------------------------ formats of single variables


def identity(text: str) -> None:
    """SecurityCtrlr.Identity: an identifierString without a colon (A00.FR.204), fit to be a URL's last segment."""
    if not re.fullmatch(r"[A-Za-z0-9*\-_=+|@.]*", text) or text in (".", ".."):
        raise BadValue("may only contain letters, digits and * - _ = + | @ .")


def time_offset(text: str) -> None:
    """ClockCtrlr.TimeOffset: empty, or as in +01:00."""
    if text and not re.fullmatch(r"[+-](0[0-9]|1[0-4]):[0-5][0-9]", text):
        raise BadValue('must be empty or an offset such as "+01:00"')


def time_zone(text: str) -> None:
    """ClockCtrlr.TimeZone: empty, or a name of the time zone database."""
    if not text:
        return
    try:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+){0,2}", text):
            raise ValueError
        zoneinfo.ZoneInfo(text)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise BadValue('must be empty or a time zone such as "Europe/Oslo"') from None
