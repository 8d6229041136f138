"""The API itself. Loaded with the first request to it, because pydantic and its schemas are heavy (docs/api.md)."""

from __future__ import annotations

import json
import logging
from typing import Annotated, Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.urls.exceptions import Resolver404
from django.urls.resolvers import RoutePattern, URLResolver
from ninja import NinjaAPI, Path, Query, Status
from ninja.errors import HttpError, ValidationError
from ninja.security.base import AuthBase

from station.domain.events import LimitWanted
from station.domain.wire import pack_limit
from station.live import bus
from station.live.payloads import EvseLive, StationLive
from station.store.models import Command
from webui.accounts.tokens import CONFIGURE, CONTROL, READ
from webui.api import callers, filing, history, live, presenting, problems
from webui.api import schemas as s
from webui.api.problems import Problem

log = logging.getLogger(__name__)

VERSION = "1.0"
BASE = "/api/v1"
JSON = (problems.MEDIA_TYPE, "application/json")
ABOUT = {  # parameters that are part of an address
    "evse_id": "number of the EVSE, from 1",
    "command_id": "`id` of the command",
    "session_id": "`id` of the session",
}
WAIT = Query(5, ge=0, le=20, description="s to wait for what comes of it; then 202 is answered, and it goes on")
RESPONSES = {401: s.ProblemOut, 403: s.ProblemOut, 422: s.ProblemOut, 429: s.ProblemOut}
LIVE = {**RESPONSES, 503: s.ProblemOut}
OF_EVSE = {**LIVE, 404: s.ProblemOut}
DONE: Any = {200: s.CommandOut, 202: s.CommandOut, 409: s.ProblemOut, 400: s.ProblemOut, **OF_EVSE}


class Needs(AuthBase):
    """Lets a request through whose caller has ``scope``. In the OpenAPI document ninja names it by its class."""

    openapi_type = "http"
    is_async = True
    scope = ""

    async def __call__(self, request: HttpRequest) -> Any:
        request.caller.need(self.scope)  # type: ignore[attr-defined]
        return request.caller  # type: ignore[attr-defined]


read, control, configure = (type(scope, (Needs,), {"scope": scope})() for scope in (READ, CONTROL, CONFIGURE))

api = NinjaAPI(
    title="Charging station",
    version=VERSION,
    description="What the station does, and what it is asked to do. Units: W, Wh, A, V, s; times are RFC 3339.",
    docs_url=None,
    openapi_url=None,
    urls_namespace="api-v1",
)


# ------------------------------------------------------------------ the station


@api.get("/status", auth=read, response={200: s.Status, **LIVE}, tags=["Station"], summary="The whole station now")
async def status(request: HttpRequest) -> Any:
    """State, power, energy and limits of every EVSE, and how the station is connected."""
    return presenting.status(await _station())


@api.get(
    "/health", auth=read, response={200: s.Health, 503: s.Health, **RESPONSES}, tags=["Station"], summary="Does all run"
)
async def health(request: HttpRequest) -> Any:
    """The same as /healthz: 503 while something that charging needs does not run."""
    answer = await sync_to_async(resolve("/healthz").func)(_as_get(request))
    told = json.loads(answer.content)
    return Status(answer.status_code, {"status": told.pop("status"), "processes": told})


# ------------------------------------------------------------------ EVSEs


@api.get("/evses", auth=read, response={200: list[s.Evse], **LIVE}, tags=["EVSEs"], summary="All EVSEs now")
async def evses(request: HttpRequest) -> Any:
    """What each EVSE does at this moment."""
    return [presenting.evse(one) for one in (await _station()).evses]


@api.get("/evses/{evse_id}", auth=read, response={200: s.Evse, **OF_EVSE}, tags=["EVSEs"], summary="One EVSE now")
async def evse(request: HttpRequest, evse_id: Path[s.EvseId]) -> Any:
    """State, power, energy, why it does not charge, limits and the running session."""
    return presenting.evse(await _evse(evse_id))


@api.post("/evses/{evse_id}/start", auth=control, response=DONE, tags=["EVSEs"], summary="Start charging")
async def start(request: HttpRequest, response: HttpResponse, evse_id: Path[s.EvseId], wait: float = WAIT) -> Any:
    """As the start button of the web page does. Energy flows as soon as a car asks for it."""
    return await _order(request, response, "start", evse_id, {}, wait)


@api.post("/evses/{evse_id}/stop", auth=control, response=DONE, tags=["EVSEs"], summary="Stop charging")
async def stop(request: HttpRequest, response: HttpResponse, evse_id: Path[s.EvseId], wait: float = WAIT) -> Any:
    """End the running session, or the permission to begin one."""
    return await _order(request, response, "stop", evse_id, {}, wait)


@api.post("/evses/{evse_id}/unlock", auth=control, response=DONE, tags=["EVSEs"], summary="Unlock the connector")
async def unlock(request: HttpRequest, response: HttpResponse, evse_id: Path[s.EvseId], wait: float = WAIT) -> Any:
    """Refused while a session runs there: stop it first."""
    return await _order(request, response, "unlock", evse_id, {}, wait)


@api.put(
    "/evses/{evse_id}/availability",
    auth=configure,
    response=DONE,
    tags=["EVSEs"],
    summary="Take out of service, or put back",
)
async def availability(
    request: HttpRequest,
    response: HttpResponse,
    evse_id: Path[s.EvseId],
    body: s.AvailabilityIn,
    wait: float = WAIT,
) -> Any:
    """While a session runs, it is done when that has ended. It lasts, also across a restart."""
    return await _order(request, response, "availability", evse_id, {"operative": body.operative}, wait)


@api.get(
    "/evses/{evse_id}/limit", auth=read, response={200: s.Limit, **OF_EVSE}, tags=["EVSEs"], summary="The owner's limit"
)
async def get_limit(request: HttpRequest, evse_id: Path[s.EvseId]) -> Any:
    """What holds is the least of these, of cable, rating, and of what the operator allows."""
    return presenting.limit(await _evse(evse_id))


@api.put(
    "/evses/{evse_id}/limit",
    auth=control,
    response={**DONE, 200: s.Limit | s.CommandOut},
    tags=["EVSEs"],
    summary="Limit the current",
)
async def put_limit(
    request: HttpRequest, response: HttpResponse, evse_id: Path[s.EvseId], body: s.LimitIn, wait: float = WAIT
) -> Any:
    """With `valid_for`, for automation that repeats it: nothing is stored, and it lapses by itself (answer: the limit).

    Without, for good: a command as any other (answer: the command). Both may hold at once; then the least counts.
    """
    if body.valid_for is None:
        return await _order(request, response, "limit", evse_id, {"current": body.current}, wait)
    await _evse(evse_id)
    wanted = LimitWanted(evse_id, body.current, float(body.valid_for), _caller(request).who)
    station = await live.after({"type": bus.LIMIT_WANTED, "limit": pack_limit(wanted)})
    found = live.evse_of(station, evse_id) if station else None
    if found is None or found.limit_timed != body.current:
        raise problems.station_away()
    return presenting.limit(found)


@api.delete("/evses/{evse_id}/limit", auth=control, response=DONE, tags=["EVSEs"], summary="Lift the owner's limits")
async def delete_limit(
    request: HttpRequest, response: HttpResponse, evse_id: Path[s.EvseId], wait: float = WAIT
) -> Any:
    """Both of them: the one set for good and the one set for a while."""
    return await _order(request, response, "limit", evse_id, {"current": None}, wait)


# ------------------------------------------------------------------ commands and sessions


@api.get(
    "/commands/{command_id}",
    auth=read,
    response={200: s.CommandOut, 404: s.ProblemOut, **RESPONSES},
    tags=["Commands"],
    summary="What became of a command",
)
async def command(request: HttpRequest, command_id: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Any:
    """`Filed` until the station has answered; one that it finds after more than 60 s it rejects."""
    row = await Command.objects.filter(pk=command_id, action__in=presenting.ACTIONS).afirst()
    if row is None:
        raise Problem("not-found")
    return presenting.command(row)


@api.get(
    "/sessions", auth=read, response={200: s.SessionPage, **RESPONSES}, tags=["Sessions"], summary="Charging sessions"
)
async def sessions(request: HttpRequest, asked: Query[s.SessionFilter]) -> Any:
    """Newest first. A session that begins meanwhile shifts nothing."""
    return await sync_to_async(history.page)(asked)


@api.get(
    "/sessions/{session_id}",
    auth=read,
    response={200: s.SessionWithPoints, 404: s.ProblemOut, **RESPONSES},
    tags=["Sessions"],
    summary="One session with its curve",
)
async def session(
    request: HttpRequest,
    session_id: Annotated[str, Path(max_length=36, pattern=r"^[A-Za-z0-9._:@|=+*-]{1,36}$")],
    points: int = Query(500, ge=0, le=history.MOST_POINTS, description="how many points of the curve at most"),
) -> Any:
    """Power, current, meter register and state of charge over time."""
    return await sync_to_async(history.one)(session_id, points)


# ------------------------------------------------------------------ what they share


def _caller(request: HttpRequest) -> callers.Caller:
    return request.caller  # type: ignore[attr-defined, no-any-return]


async def _station() -> StationLive:
    station = await live.current()
    if station is None:
        raise problems.station_away()
    return station


async def _evse(evse_id: int) -> EvseLive:
    found = live.evse_of(await _station(), evse_id)
    if found is None:
        raise problems.no_evse(evse_id)
    return found


async def _order(
    request: HttpRequest, response: HttpResponse, action: str, evse_id: int, arguments: dict[str, Any], wait: float
) -> Any:
    """File the command where the EVSE is there and the station answers, and tell what came of it."""
    await _evse(evse_id)
    filed = await filing.file(_caller(request), request, action, {"evse_id": evse_id, **arguments})
    row = await filing.wait_for(filed, wait)
    told = presenting.command(row)
    if row.status == Command.Status.REJECTED:
        raise Problem("refused", told["message"], command=row.pk)
    if row.status == Command.Status.FILED:
        response["Location"] = f"{BASE}/commands/{row.pk}"
        response["Retry-After"] = "1"
        return Status(202, told)
    return told


def _as_get(request: HttpRequest) -> HttpRequest:
    request.method = "GET"
    return request


# ------------------------------------------------------------------ problems


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem.response()


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == 400:  # the body is not JSON
        return Problem("bad-request", str(error).splitlines()[0][:200]).response()
    return problems.of_status(error.status_code).response()


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [
        {"where": ".".join(str(part) for part in one.get("loc", ()))[:200], "why": str(one.get("msg", ""))[:300]}
        for one in error.errors[:20]
    ]
    return Problem("invalid", errors=errors).response()


# ------------------------------------------------------------------ the way in

_resolver = URLResolver(RoutePattern(""), api.urls[0])


async def answer(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer a request to ``/api/v1/<rest>``; whatever is wrong is a problem document."""
    try:
        request.caller = await callers.of(request)  # type: ignore[attr-defined]
        if rest == "openapi.json":
            return _document(request)
        if not rest:  # ninja has a page of its own there
            raise Problem("not-found")
        match = _resolver.resolve(rest)
        if request.method == "HEAD":
            request.method = "GET"
        response: HttpResponse = await match.func(request, *match.args, **match.kwargs)
    except Problem as problem:
        return problem.response()
    except Resolver404:
        return Problem("not-found").response()
    if response.status_code >= 400 and not response["Content-Type"].startswith(
        (problems.MEDIA_TYPE, "application/json")
    ):
        allow = {"Allow": response["Allow"]} if "Allow" in response else {}
        problem = problems.of_status(response.status_code)
        problem.headers |= allow
        return problem.response()
    return response


def _document(request: HttpRequest) -> HttpResponse:
    if request.method not in callers.SAFE:
        raise Problem("method-not-allowed", headers={"Allow": "GET, HEAD"})
    _caller(request).need(READ)
    return HttpResponse(json.dumps(document()), content_type="application/json")


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    found: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix="api/v1/"), default=str))
    for operations in found["paths"].values():
        for method, operation in operations.items():
            _complete(method, operation)
    found["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "a token of one's account"}
    }
    return found


def _complete(method: str, operation: dict[str, Any]) -> None:
    """What ninja cannot know: the media type of problems, the header of idempotency, one name for the token."""
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in ABOUT:
            parameter["description"] = ABOUT[parameter["name"]]
    [scope] = operation["security"][0]
    operation["security"] = [{"token": [scope]}]
    operation["operationId"] = operation["operationId"].removeprefix("webui_api_service_")
    for status_code, told in operation["responses"].items():
        content = told.get("content", {})
        if int(status_code) >= 400 and "ProblemOut" in json.dumps(content):
            told["content"] = {problems.MEDIA_TYPE: content["application/json"]}
        told["description"] = problems_title(int(status_code)) or told.get("description") or "OK"
    if method == "post":
        operation.setdefault("parameters", []).append(
            {
                "in": "header",
                "name": "Idempotency-Key",
                "required": False,
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:/+=-]{1,64}$"},
                "description": "the same key again within a day is the same request: it is carried out once",
            }
        )


def problems_title(status: int) -> str:
    """What an error status means here; empty for a success."""
    return next((title for code, title in problems.KINDS.values() if code == status), "")
