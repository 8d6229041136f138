"""The simulated board's bench interface, from the web server's side: a few JSON requests on loopback."""

from __future__ import annotations

import http.client
import json
from typing import Any

from django.conf import settings

TIMEOUT = 3.0  # s
LARGEST = 1024 * 1024  # bytes of an answer


class BenchAway(Exception):
    """The bench does not answer, or not as a bench would."""


class Refused(Exception):
    """The bench said no: 400, 404 or 409, and why in its own words."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def exists() -> bool:
    """True where the board is the simulator, so that there is a bench."""
    return bool(settings.ENVIRONMENT.simulated)


def state() -> dict[str, Any]:
    """``GET /state``; raises BenchAway."""
    return request("GET", "/state")


def request(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request. Raises ``Refused`` for what cannot be done and ``BenchAway`` where the bench is not there."""
    address = settings.ENVIRONMENT.bench.reachable
    connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT)
    try:
        payload = None if body is None else json.dumps(body)
        connection.request(method, path, payload, {"Content-Type": "application/json"} if payload else {})
        answer = connection.getresponse()
        data = answer.read(LARGEST)
    except (OSError, http.client.HTTPException) as failure:
        raise BenchAway(str(failure)) from failure
    finally:
        connection.close()
    try:
        decoded = json.loads(data)
    except ValueError as failure:
        raise BenchAway("its answer is not JSON") from failure
    if not isinstance(decoded, dict):
        raise BenchAway("its answer is not an object")
    if answer.status >= 500:
        raise BenchAway(f"it answered {answer.status}")
    if answer.status >= 400:
        raise Refused(answer.status, str(decoded.get("error") or answer.reason)[:300])
    return decoded
