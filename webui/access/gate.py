"""The access rules at work: on every request, and on every message of a WebSocket."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from webui.access import rules, trials
from webui.access.origin import Origin, Place
from webui.accounts.roles import Role, role_of
from webui.api.problems import Problem

ALWAYS = ("/healthz",)  # without a login; nothing in it is a secret (CONTRACT, Health)
LEAVING = "/logout/"  # whoever may not be here may leave
MACHINES = ("/api/v", "/metrics")  # answered as the API does
REFRESH = 5  # s
SIGNED_OUT = 4401  # webui.accounts.guard: the page is loaded anew, and then says why it is closed

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


def refusal(role: Role | None, source: Any) -> str:
    """Why somebody of that role may not come from where ``source`` (request or ASGI scope) does; empty: he may.

    ``role`` None asks whether anybody may. For the login, and for API tokens.
    """
    origin = rules.origin_of(source)
    return "" if rules.current().permit(role, origin.place) else sentence(role, origin)


def sentence(role: Role | None, origin: Origin) -> str:
    """The refusal in words."""
    words = {
        "role": role.label if role is not None else "",
        "origin": where(origin),
        "others": get_text_list([str(one.label) for one in rules.current().roles_from(origin.place)], _("and")),
    }
    if role is None or not words["others"]:
        return _("You come from %(origin)s, and from there nobody may use this station.") % words
    return _("You come from %(origin)s. Accounts that are open from there: %(others)s. Yours is: %(role)s.") % words


def where(origin: Origin) -> str:
    """``192.168.1.7 (local network)``."""
    return _("%(address)s (%(place)s)") % {"address": origin.address or "?", "place": origin.place.label}


def open_here(source: Any) -> str:
    """For the login page: who may log in from here, where not everybody may; else empty."""
    place = rules.origin_of(source).place
    open_to = rules.current().roles_from(place)
    if len(open_to) == len(Role):
        return ""
    words = {"names": get_text_list([str(role.label) for role in open_to], _("and")), "place": place.label}
    return _("From here (%(place)s) only these may log in: %(names)s.") % words


class AccessGate:
    """Django's middleware, after the one that knows the person. What may not come from here gets a page in words."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in ALWAYS:
            return self._get_response(request)
        trials.look()
        origin = request.access_origin = rules.origin_of(request)  # type: ignore[attr-defined]
        # From the station itself everybody may come, so nobody is looked up for it.
        if origin.place is not Place.STATION:
            role = role_of(request.user)
            if not rules.current().permit(role, origin.place) and (role is None or request.path != LEAVING):
                return _refused(request, role, origin)
        return self._get_response(request)


def _refused(request: HttpRequest, role: Role | None, origin: Origin) -> HttpResponse:
    why = sentence(role, origin)
    if request.path.startswith(MACHINES):
        return Problem("not-allowed", why).response()
    trial = trials.get(trials.RULES)
    shown = {
        "status": 403,
        "title": _("Not from here"),
        "why": why,
        "role": role,
        "left": trial.left if trial else None,
    }
    piece = request.headers.get("HX-Request") == "true"
    template = "errors/_piece.html" if piece else "access/refused.html"
    html = render_to_string(template, {**shown, "advice": why}, None if piece else request)
    answer = HttpResponse(html, status=403)
    answer["Cache-Control"] = "no-store"
    if trial and request.method == "GET" and not piece:
        answer["Refresh"] = str(REFRESH)  # when the former rules are back, so is the page
    return answer


class WebSocketGate:
    """ASGI middleware within AuthMiddlewareStack: nothing goes in or out that the rules do not let pass now.

    So the rules hold while a line is open, too, and a change of theirs ends it with the next word in either direction;
    of the live view, whose station speaks every two seconds, that is at once.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        role = await sync_to_async(_role_and_rules)(scope)
        if not await _pass(None, scope):
            await send({"type": "websocket.close"})  # before it is accepted: the browser sees 403
            return
        line = _Line(role, scope, receive, send)
        await self._application(scope, line.receive, line.send)


def _role_and_rules(scope: Mapping[str, Any]) -> Role | None:
    trials.look()
    rules.current()  # read, where that was not done yet: the judging itself must not wait for a disk
    return role_of(scope.get("user"))


async def _pass(role: Role | None, scope: Mapping[str, Any]) -> bool:
    if trials.due():
        await sync_to_async(trials.look)()
    return rules.may_come(role, scope)


class _Line:
    """The two directions of a WebSocket."""

    def __init__(self, role: Role | None, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self._role, self._scope = role, scope
        self._receive, self._send = receive, send
        self._closed = False

    async def receive(self) -> Mapping[str, Any]:
        message = await self._receive()
        if message["type"] == "websocket.receive" and not await _pass(self._role, self._scope):
            await self._close()
            return {"type": "websocket.disconnect", "code": SIGNED_OUT}
        return message

    async def send(self, message: Mapping[str, Any]) -> None:
        if self._closed:
            return
        if message["type"] == "websocket.send" and not await _pass(self._role, self._scope):
            await self._close()
            return
        await self._send(message)

    async def _close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._send({"type": "websocket.close", "code": SIGNED_OUT})


def time_left(seconds: float) -> str:
    """``1:52``."""
    whole = max(0, math.ceil(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
