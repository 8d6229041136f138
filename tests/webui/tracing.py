"""Messages for the trace's tests: payloads made from OCPP's own schemas, and a ring that the test fills."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from station.live import trace
from station.live.trace import Record

NOON = 1_714_564_800.0  # 2024-05-01T12:00:00Z


def example(message: str, *, whole: bool = True, choice: int = 0) -> dict[str, Any]:
    """A valid payload of ``message`` (``ResetRequest``): all fields or the required ones; ``choice`` of each enum."""
    schema = _schema(message)
    made = _made(schema, schema.get("definitions", {}), whole, choice, 0)
    assert isinstance(made, dict)
    return made


@cache
def _schema(message: str) -> dict[str, Any]:
    return dict(json.loads(files("ocpp").joinpath("v201", "schemas", f"{message}.json").read_text("utf-8-sig")))


def _made(schema: dict[str, Any], definitions: dict[str, Any], whole: bool, choice: int, depth: int) -> Any:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][choice % len(schema["enum"])]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        required = schema.get("required", [])
        return {
            name: _made(child, definitions, whole, choice, depth + 1)
            for name, child in schema.get("properties", {}).items()
            if name in required or (whole and depth < 6 and name != "customData")
        }
    if kind == "array":
        return [_made(schema["items"], definitions, whole, choice, depth + 1)]
    if kind == "boolean":
        return choice % 2 == 0
    if kind in ("integer", "number"):
        return 1 + choice
    if schema.get("format") == "date-time":
        return "2024-05-01T12:00:00.000Z"
    return "abc" if kind == "string" else {}


class Ring:
    """What is in the stream, as the web server would read it."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, Record]] = []
        self.now = NOON
        self.away = False

    def put(self, kind: str, direction: str, message_id: str = "", action: str = "", **more: Any) -> str:
        """One record, a tenth of a second after the last; its entry."""
        self.now += 0.1
        payload = more.pop("payload", {})
        record = Record(kind, direction, self.now, self.now, message_id, action, payload, 100, **more)
        entry = f"{int(self.now * 1000)}-0"
        self.entries.append((entry, trace.decode(trace.encode(record))))
        return entry

    def exchange(self, direction: str, action: str, payload: Any, answer: Any = None, **more: Any) -> str:
        """A request and its answer; the line's entry."""
        message_id = f"m{len(self.entries)}"
        entry = self.put(trace.CALL, direction, message_id, action, payload=payload, **more)
        back = trace.IN if direction == trace.OUT else trace.OUT
        self.put(trace.RESULT, back, message_id, action, payload=answer or {})
        return entry
