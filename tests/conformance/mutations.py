"""Payloads made from the JSON schemas of the requests: valid ones, and valid ones with exactly one thing wrong.

Pure: a schema goes in, payloads come out. What error a change must be answered with is written here by hand from
part 4, table 8, and not looked up in what the station does.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str | int, ...]

OCCURRENCE = "OccurrenceConstraintViolation"
TYPE = "TypeConstraintViolation"
FORMAT = "FormatViolation"
PROPERTY = "PropertyConstraintViolation"
RPC = "RpcFrameworkError"

TIMESTAMP = "2026-03-01T12:00:00.000Z"
_OF_ANOTHER_TYPE: dict[str, tuple[Any, ...]] = {
    "string": (None, True, 5, 1.5, [], {}, ["text"]),
    "integer": (None, True, "5", 1.5, [], {}, [5]),
    "number": (None, True, "5", [], {}, [5]),
    "boolean": (None, "true", 0, 1, [], {}),
    "array": (None, True, "text", 5, {}),
    "object": (None, True, "text", 5, []),
}
_NO_DATE_TIME = (
    "",
    "tomorrow",
    "2026-03-01",
    "12:00:00Z",
    "2026-13-41T12:00:00Z",
    "2026-02-30T12:00:00Z",
    "1772366400",
)


@dataclass(frozen=True)
class Mutation:
    """``payload`` breaks its schema in one place, ``what`` says where and how; ``code`` is the error it deserves."""

    what: str
    payload: dict[str, Any]
    code: str


@cache
def schema(action: str, kind: str = "Request") -> Schema:
    """The schema of the action's ``Request`` or ``Response``, references followed."""
    source = files("ocpp").joinpath("v201", "schemas", f"{action}{kind}.json").read_text(encoding="utf-8-sig")
    document = json.loads(source)
    resolved: Schema = _resolve(document, document.get("definitions", {}))
    return resolved


def _resolve(node: Schema, definitions: dict[str, Schema]) -> Schema:
    """``node`` without references; OCPP 2.0.1 has no type that contains itself."""
    if "$ref" in node:
        return _resolve(definitions[node["$ref"].rpartition("/")[2]], definitions)
    resolved = {key: value for key, value in node.items() if key not in ("definitions", "description", "javaType")}
    if "properties" in node:
        resolved["properties"] = {name: _resolve(child, definitions) for name, child in node["properties"].items()}
    if "items" in node:
        resolved["items"] = _resolve(node["items"], definitions)
    return resolved


# ---------------------------------------------------------------------- valid payloads


def smallest(node: Schema) -> Any:
    """The shortest payload that is valid: what is required and no more."""
    return _example(node, whole=False)


def largest(node: Schema) -> Any:
    """A valid payload with every field there is, every text as long as allowed, and two items in every array."""
    return _example(node, whole=True)


def _example(node: Schema, *, whole: bool) -> Any:
    match node.get("type"):
        case "object":
            required = node.get("required", ())
            return {
                name: _example(child, whole=whole)
                for name, child in node.get("properties", {}).items()
                if whole or name in required
            }
        case "array":
            count = min(2, node.get("maxItems", 2)) if whole else node.get("minItems", 0)
            return [_example(node["items"], whole=whole) for _ in range(count)]
        case "string" if "enum" in node:
            return node["enum"][-1 if whole else 0]
        case "string" if node.get("format") == "date-time":
            return TIMESTAMP
        case "string":
            return "x" * min(node.get("maxLength", 40), 3000) if whole else ""
        case "integer":
            return int(node.get("minimum", 0))
        case "number":
            return node.get("minimum", 0.5)
        case "boolean":
            return whole
    return "any"  # DataTransfer's data has no type


# ---------------------------------------------------------------------- one thing wrong


def mutations(action: str) -> Iterator[Mutation]:
    """Every single mistake at every path of the request's smallest and largest payload."""
    node = schema(action)
    for name, example in (("smallest", smallest(node)), ("largest", largest(node))):
        for path, wrong, code, how in _mistakes(node, example, ()):
            place = ".".join(str(step) for step in path) or "the payload"
            payload = _with(example, path, wrong)
            if isinstance(payload, dict):
                yield Mutation(f"{action} ({name}): {place} {how}", payload, code)


def _mistakes(node: Schema, value: Any, path: Path) -> Iterator[tuple[Path, Any, str, str]]:
    """All mistakes at ``path`` and below: where, what stands there then, the error, and how it is wrong."""
    kind = node.get("type")
    for other in _OF_ANOTHER_TYPE.get(str(kind), ()):
        yield path, other, TYPE, f"is {other!r}"
    if kind == "object":
        yield from _object_mistakes(node, value, path)
    elif kind == "array":
        yield from _array_mistakes(node, value, path)
    elif kind == "string":
        yield from _text_mistakes(node, path)
    for bound, by in (("minimum", -1), ("maximum", 1)):
        if bound in node:
            yield path, node[bound] + by, PROPERTY, f"is beyond its {bound}"


def _object_mistakes(node: Schema, value: dict[str, Any], path: Path) -> Iterator[tuple[Path, Any, str, str]]:
    for name in node.get("required", ()):
        yield path, {key: held for key, held in value.items() if key != name}, OCCURRENCE, f"lacks {name}"
    if node.get("additionalProperties") is False:
        for name in ("colour", "", "__proto__", "custom_data"):
            yield path, {**value, name: "red"}, FORMAT, f"has an unknown field {name!r}"
    for name, child in node.get("properties", {}).items():
        if name in value:
            yield from _mistakes(child, value[name], (*path, name))


def _array_mistakes(node: Schema, value: list[Any], path: Path) -> Iterator[tuple[Path, Any, str, str]]:
    item = smallest(node["items"])
    if node.get("minItems"):
        yield path, [item] * (node["minItems"] - 1), OCCURRENCE, "has too few items"
    if "maxItems" in node:
        yield path, [item] * (node["maxItems"] + 1), OCCURRENCE, "has too many items"
    # The first and the last: a check that stops after the first item would miss the last.
    for index in sorted({0, len(value) - 1}) if value else ():
        yield from _mistakes(node["items"], value[index], (*path, index))


def _text_mistakes(node: Schema, path: Path) -> Iterator[tuple[Path, Any, str, str]]:
    if "enum" in node:
        for unknown in ("Softly", "", node["enum"][0].swapcase(), node["enum"][0] + " "):
            yield path, unknown, PROPERTY, f"is the unknown {unknown!r}"
    if "maxLength" in node:
        yield path, "y" * (node["maxLength"] + 1), PROPERTY, "is one character too long"
        yield path, "é" * (node["maxLength"] * 3), PROPERTY, "is three times too long"
    if node.get("format") == "date-time":
        for wrong in _NO_DATE_TIME:
            yield path, wrong, FORMAT, f"is {wrong!r}"


def _with(value: Any, path: Path, wrong: Any) -> Any:
    """``value`` with ``wrong`` at ``path``; shares nothing that is changed."""
    if not path:
        return copy.deepcopy(wrong)
    changed = value.copy()
    changed[path[0]] = _with(value[path[0]], path[1:], wrong)
    return changed


# ---------------------------------------------------------------------- frames


def broken_frames(action: str) -> list[tuple[str | bytes, str, str | None]]:
    """Frames about ``action`` that are no good CALL; the id in the answer, and its error code. None: no answer."""
    payload = largest(schema(action))
    whole = json.dumps([2, "bad", action, payload])
    deep = '{"customData":{"vendorId":"x","own":' + "[" * 70 + "]" * 70 + "}}"
    frames: list[tuple[Any, str, str | None]] = [
        (whole[:-1], "bad", RPC),
        (whole[: len(whole) // 2], "bad", RPC),
        (whole + "]", "bad", RPC),
        (whole.encode()[:-1] + b"\xff]", "bad", RPC),
        (whole.encode("utf-16"), "-1", RPC),
        (f'[2,"bad","{action}",{deep}]', "bad", RPC),
        (f'[2,"bad","{action}",{{"customData":{{"vendorId":"x","own":NaN}}}}]', "bad", RPC),
        (f'[2,"bad","{action}",{{"customData":{{"vendorId":"x","own":1e999}}}}]', "bad", RPC),
        (f'[2,"bad","{action}",{{"customData":{{"vendorId":"\\u0000"}}}}]', "bad", RPC),
        (f'[2,"bad","{action}",{{"customData":{{"vendorId":"\\ud800"}}}}]', "bad", RPC),
        (f'[2,"bad","{action}",' + '{"customData":{"vendorId":"x","own":"' + "y" * 1_100_000 + '"}}]', "bad", RPC),
        ([2, "bad", action], "bad", RPC),
        ([2, "bad", action, payload, {}], "bad", RPC),
        ([2, "bad", action, []], "bad", FORMAT),
        ([2, "bad", action, "text"], "bad", FORMAT),
        ([2, "bad", action, 5], "bad", FORMAT),
        ([2, "bad", action, True], "bad", FORMAT),
        ([2, "bad", [action], payload], "bad", RPC),
        ([2, "bad", {action: payload}, payload], "bad", RPC),
        ([2, "bad", action.lower(), payload], "bad", "NotImplemented"),
        ([2, "bad", f"{action}Request", payload], "bad", "NotImplemented"),
        ([2, "bad", f" {action}", payload], "bad", "NotImplemented"),
        ([2, "", action, payload], "-1", RPC),
        ([2, "x" * 37, action, payload], "-1", RPC),
        ([2, 5, action, payload], "-1", RPC),
        ([2, None, action, payload], "-1", RPC),
        ([2, ["bad"], action, payload], "-1", RPC),
        (["2", "bad", action, payload], "bad", RPC),
        ([None, "bad", action, payload], "bad", RPC),
        ([True, "bad", action, payload], "bad", RPC),
        ([2.5, "bad", action, payload], "bad", RPC),
        ([[2, "bad", action, payload]], "-1", RPC),
        ([1, "bad", action, payload], "bad", "MessageTypeNotSupported"),
        ([5, "bad", action, payload], "bad", "MessageTypeNotSupported"),
        ([-2, "bad", action, payload], "bad", "MessageTypeNotSupported"),
        ({"2": "bad", action: payload}, "-1", RPC),
        # Answers to what was never asked are answered with nothing.
        ([3, "bad", payload], "", None),
        ([3, "bad", action, payload], "", None),
        ([3], "", None),
        ([4, "bad", "InternalError", action, payload], "", None),
        ([4, "bad"], "", None),
        (f'[3,"bad",{{"{action}":', "", None),
    ]
    return [(one if isinstance(one, str | bytes) else json.dumps(one), call_id, code) for one, call_id, code in frames]


# ---------------------------------------------------------------------- valid, but nobody would send it

Hint: TypeAlias = Callable[[random.Random, Path], Any]
"""Gives a value for the field at a path that brings a payload further in than chance would, or None."""

_FITS: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int, float), "object": (dict,)}
_TEXTS = (
    "",
    " ",
    "0",
    "-1",
    "1,2",
    "true",
    "None",
    "a.b[c]",
    "Ж💥\u200f",
    "\n\r\t\x1b[2J",
    "%s%n{0}",
    "../../etc",
    "'\";--",
)
_INTEGERS = (0, 1, 1, 1, 2, 2, 3, 7, -1, 2**31 - 1, -(2**31), 2**31, 2**53, 1.0, 2.0)
_NUMBERS = (0, 1, -1, 0.1, 16, 1e9, -1e9, 1e-12, 1e300, -1e300)
_TIMESTAMPS = (
    "2026-03-01T12:00:00Z",
    "2026-03-01T12:00:00.123456789+01:00",
    "2026-03-01T11:00:00",
    "2036-12-31T23:59:59.999-12:00",
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59-14:00",
)


def anything(node: Schema, chance: random.Random, hint: Hint, path: Path = ()) -> Any:
    """A payload that is valid by schema, with edge values and whatever fields chance gives."""
    hinted = hint(chance, path) if chance.random() < 0.7 else None
    if isinstance(hinted, _FITS.get(str(node.get("type")), ())):
        return hinted
    match node.get("type"):
        case "object":
            required = node.get("required", ())
            likely = chance.choice((0.0, 0.3, 0.6, 1.0))
            made = {
                name: anything(child, chance, hint, (*path, name))
                for name, child in node.get("properties", {}).items()
                if name in required or chance.random() < likely
            }
            if path and path[-1] == "customData":
                made["own"] = chance.choice((None, [1, {"x": None}], "text"))
            return made
        case "array":
            least, most = node.get("minItems", 0), node.get("maxItems", 4)
            count = chance.choice((least, max(least, 1), most, chance.randint(least, most)))
            return [anything(node["items"], chance, hint, (*path, index)) for index in range(min(count, 30))]
        case "string" if "enum" in node:
            return chance.choice(node["enum"])
        case "string" if node.get("format") == "date-time":
            return chance.choice(_TIMESTAMPS)
        case "string":
            longest = node.get("maxLength", 3000)
            return chance.choice((*_TEXTS, "x" * longest, "é" * longest))[:longest]
        case "integer":
            return max(chance.choice(_INTEGERS), node.get("minimum", -(2**53)))
        case "number":
            return max(chance.choice(_NUMBERS), node.get("minimum", -1e300))
        case "boolean":
            return chance.random() < 0.5
    return chance.choice((None, "text", 1, [], {"some_key": [1, None]}))
