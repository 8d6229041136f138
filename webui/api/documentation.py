"""The page that explains the API, made from the OpenAPI document; nothing of it comes from elsewhere."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from webui.api import pace, problems, service

EXAMPLES: Mapping[str, Any] = {  # a body to begin with, by operation
    "put_limit": {"current": 10, "valid_for": 60},
    "availability": {"operative": True},
}
_PLACES = ("path", "query", "header")


def context(request: HttpRequest) -> dict[str, Any]:
    """All that the page shows; ``groups`` of operations in the order of the document."""
    document = service.document()
    schemas = document["components"]["schemas"]
    base = f"{request.scheme}://{request.get_host()}"
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            told = _operation(base, path, method.upper(), operation)
            groups.setdefault(operation["tags"][0], []).append(told)
    return {
        "base": base,
        "document": document,
        "groups": list(groups.items()),
        "objects": [
            {"name": _name(name), "fields": _fields(schema)}
            for name, schema in schemas.items()
            if schema.get("properties")
        ],
        "problems": [
            {"kind": kind, "status": status, "title": title} for kind, (status, title) in problems.KINDS.items()
        ],
        "paces": (pace.READING_PER_SECOND, pace.DOING_PER_SECOND),
    }


def _operation(base: str, path: str, method: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    example = EXAMPLES.get(operation["operationId"])
    return {
        "id": operation["operationId"],
        "method": method,
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "scope": operation["security"][0]["token"][0],
        "parameters": [
            {
                "name": parameter["name"],
                "place": parameter["in"],
                "required": parameter.get("required", False),
                "about": parameter.get("description", ""),
                "type": _type(parameter["schema"]),
                "value": "1" if parameter["name"] == "evse_id" else "",
            }
            for place in _PLACES
            for parameter in operation.get("parameters", ())
            if parameter["in"] == place
        ],
        "body": _type(body) if body else "",
        "example": json.dumps(example) if example is not None else "",
        "curl": _curl(base, path, method, example),
        "answers": [
            {
                "status": status,
                "type": _type(_schema_of(told)) if "content" in told else "",
                "about": told["description"],
                "good": int(status) < 400,
            }
            for status, told in sorted(operation["responses"].items())
        ],
    }


def _curl(base: str, path: str, method: str, example: Any) -> str:
    words = ["curl", "-H", '"Authorization: Bearer $TOKEN"']
    if method != "GET":
        words += ["-X", method]
    if example is not None:
        words += ["-H", shlex.quote("Content-Type: application/json"), "-d", shlex.quote(json.dumps(example))]
    return " ".join([*words, base + _filled(path)])


def _filled(path: str) -> str:
    """The path of an example: EVSE 1, and shell variables for what only the station knows."""
    for name, value in (("evse_id", "1"), ("command_id", "$COMMAND"), ("session_id", "$SESSION")):
        path = path.replace(f"{{{name}}}", value)
    return path


def _schema_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    content = next(iter(answer["content"].values()))
    return dict(content.get("schema", {}))


def _fields(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {"name": name, "type": _type(told), "about": told.get("description", ""), "required": name in required}
        for name, told in schema["properties"].items()
    ]


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: ``number``, ``list of Evse``, ``Limit or null``."""
    if "$ref" in schema:
        return _name(str(schema["$ref"]).rpartition("/")[2])
    if "anyOf" in schema or "allOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema.get("anyOf") or schema["allOf"]))
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("format") == "date-time":
        return "time"
    limits = [f"≥ {schema['minimum']:g}"] if "minimum" in schema else []
    limits += [f"≤ {schema['maximum']:g}"] if "maximum" in schema and schema["maximum"] < 2**53 else []
    return f"{kind} {', '.join(limits)}".strip()


def _name(name: str) -> str:
    return name.removesuffix("Out")
