"""Any request that the OpenAPI document allows, and many that it does not (schemathesis).

Whatever comes: no 500, the answer is as the document says, and what is refused has done nothing. ``make fuzz`` plays
many more of them than ``make test``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import requests
import schemathesis
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from station.store.models import Command, MeterPoint, Transaction
from tests.webui.api.conftest import Api, Uplink
from tests.webui.making import charging, station, waiting
from webui.api import pace, service

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))  # of each operation and mode
HOST = "http://testserver"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def _document() -> dict[str, Any]:
    """The document without its tokens: what happens without one is tested by hand (test_api)."""
    document = service.document()
    del document["components"]["securitySchemes"]
    for operations in document["paths"].values():
        for operation in operations.values():
            del operation["security"]
    return document


SCHEMA = schemathesis.openapi.from_dict(_document())
OPERATIONS = {operation.ok().label: operation.ok() for operation in SCHEMA.get_all_operations()}
HEALTH = "GET /api/v1/health"  # whose 503 is an answer, for in a test nothing runs
ALLOWED, NOT_ALLOWED = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CASES = [
    pytest.param(label, mode, id=f"{label}-{mode.value}")
    for label, operation in sorted(OPERATIONS.items())
    for mode in (ALLOWED, NOT_ALLOWED)
    if mode is ALLOWED or list(operation.iter_parameters()) or operation.body  # or nothing in it could be wrong
]


def _send(client: Client, token: str, case: Case) -> schemathesis.Response:
    """The case through Django, with what came back as schemathesis wants to see it."""
    told = case.as_transport_kwargs(base_url=HOST)
    told["headers"] = {**told["headers"], "Authorization": f"Bearer {token}"}
    prepared = requests.Request(**{**told, "cookies": None}).prepare()
    assert prepared.url is not None
    assert prepared.method is not None
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    headers = {
        name: value if isinstance(value, str) else value.decode("latin-1") for name, value in prepared.headers.items()
    }
    kind = headers.pop("Content-Type", "application/octet-stream")
    headers.pop("Content-Length", None)
    answer = client.generic(prepared.method, prepared.url.removeprefix(HOST), body, content_type=kind, headers=headers)
    return schemathesis.Response(
        status_code=answer.status_code,
        headers={name.lower(): [value] for name, value in answer.headers.items()},
        content=answer.content,
        request=prepared,
        elapsed=0.0,
        verify=True,
    )


@pytest.fixture
def _at_no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("READING", "DOING", "STRANGERS"):
        monkeypatch.setattr(pace, name, pace.Pace(1e9, 1_000_000))


@pytest.mark.parametrize(("label", "mode"), CASES)
@pytest.mark.usefixtures("_at_no_pace", "make_some")
def test_any_request(
    label: str,
    mode: GenerationMode,
    make_api: Callable[..., Api],
    uplink: Uplink,
    person: User,
) -> None:
    person.is_staff = True
    person.save()
    token = make_api("read", "control", "configure").token
    uplink.live = station(charging(1), waiting(2))
    operation = OPERATIONS[label]
    client = Client(raise_request_exception=True)

    @settings(
        max_examples=EXAMPLES,
        derandomize="FUZZ_EXAMPLES" not in os.environ,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def play(case: Case) -> None:
        before = Command.objects.count()
        response = _send(client, token, case)
        checks: list[Any] = [*CHECKS, *([negative_data_rejection] if mode is NOT_ALLOWED else [])]
        if label == HEALTH:
            checks.remove(not_a_server_error)
        case.validate_response(response, checks=checks)
        if response.status_code >= 400 and response.status_code != 409:
            assert Command.objects.count() == before, "refused, and yet something was filed"

    play()


@pytest.fixture
def make_some(make_session: Callable[..., Transaction]) -> None:
    """A session with a curve, so that there is something to answer with."""
    row = make_session()
    MeterPoint.objects.create(transaction=row, at=row.started_at, power=1.0, current=1.0, energy=1.0)
