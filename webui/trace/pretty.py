"""Payloads as indented JSON, line by line, with the place of a flaw marked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

INDENT = "  "

Path = tuple[str, ...]


class Line(NamedTuple):
    """A line of JSON; ``wrong`` where the flaw is there."""

    text: str
    wrong: bool


class _Piece(NamedTuple):
    depth: int
    text: str
    path: Path


def lines(payload: Any, description: str = "") -> list[Line]:
    """``payload`` as JSON; ``description`` of a flaw begins with its place (``evse.id: …``), or names the root."""
    pieces = list(_pieces(payload, (), 0, "", ""))
    paths = {piece.path for piece in pieces}
    place, found, _ = description.partition(": ")
    path = tuple(place.split(".")) if found else None
    if path is not None and path not in paths:
        path = ()  # the root goes by the message's name; so does what was left out of a long payload
    marked = False
    told = []
    for piece in pieces:
        wrong = bool(description) and not marked and path == piece.path
        marked = marked or wrong
        told.append(Line(f"{INDENT * piece.depth}{piece.text}", wrong))
    return told


def _pieces(value: Any, path: Path, depth: int, name: str, comma: str) -> Iterator[_Piece]:
    if isinstance(value, dict) and value:
        yield from _inside(value.items(), "{}", path, depth, name, comma)
    elif isinstance(value, list) and value:
        yield from _inside([(str(index), item) for index, item in enumerate(value)], "[]", path, depth, name, comma)
    else:
        yield _Piece(depth, f"{name}{json.dumps(value, ensure_ascii=False)}{comma}", path)


def _inside(children: Any, brackets: str, path: Path, depth: int, name: str, comma: str) -> Iterator[_Piece]:
    yield _Piece(depth, f"{name}{brackets[0]}", path)
    found: Sequence[tuple[str, Any]] = list(children)
    for number, (key, child) in enumerate(found, start=1):
        shown = f"{json.dumps(key, ensure_ascii=False)}: " if brackets == "{}" else ""
        yield from _pieces(child, (*path, key), depth + 1, shown, "," if number < len(found) else "")
    yield _Piece(depth, f"{brackets[1]}{comma}", (*path, ""))
