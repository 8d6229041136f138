"""JSON as it goes over the wire: taken from a stranger, and given in the tightest form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

MAX_DEPTH = 64  # OCPP needs 12; what handles a payload later may be recursive
EXACT = 2**53  # up to here every whole number has its own double
MAX_DIGITS = 16  # of an integer: OCPP's have 32 bits, and a database takes 64

_SUSPECT_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class Unreadable(ValueError):
    """A frame that cannot be taken apart."""


class InvalidMessage(ValueError):
    """The station wanted to send what part 4 or the schema forbids: a bug of ours."""


def decode(raw: bytes) -> Any:
    """The JSON value in ``raw``; raises Unreadable for all that is none or that would hurt further in.

    Beyond the grammar these are refused: NaN and infinities, integers that no OCPP field can hold, nesting beyond
    ``MAX_DEPTH``, and text that neither UTF-8 nor every database can keep (lone surrogates, NUL).
    """
    try:
        text = raw.decode("utf-8")
        value = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("not valid JSON") from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _too_deep(value):
        raise Unreadable("nested too deeply")
    if _SUSPECT_ESCAPE.search(text) and not _all_clean(value):
        raise Unreadable("a text with a lone surrogate or NUL")
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise Unreadable("a number out of range")
    return int(digits)


def _number(digits: str) -> float | int:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise Unreadable("a number out of range")
    # To JSON schema 2.0 is an integer (draft 6, section 6.1.1): so it is one from here on, as a key and in an answer.
    return int(value) if value.is_integer() and abs(value) <= EXACT else value


def _constant(name: str) -> float:
    raise Unreadable(f"not valid JSON: {name}")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_number, parse_constant=_constant)


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _all_clean(value: Any) -> bool:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return all(clean(key) and _all_clean(child) for key, child in value.items())
    if isinstance(value, list):
        return all(_all_clean(child) for child in value)
    return True


def clean(text: str) -> bool:
    """True where ``text`` holds neither NUL nor a lone surrogate."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


# ---------------------------------------------------------------------- JSON, given


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


_encode_json: Callable[[Any], str] = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
).encode


def encode(message: list[Any]) -> str:
    """The frame; raises InvalidMessage where it has no JSON form or no UTF-8 one."""
    try:
        frame = _encode_json(message)
        frame.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMessage(str(error)) from None
    return frame
