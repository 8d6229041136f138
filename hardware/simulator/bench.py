"""The bench: what a hand does at the simulated board, as JSON over HTTP.

200 with the whole new state, 404 for an EVSE that is not there, 409 for what cannot be done now, 400 for a bad body,
each error as ``{"error": "…"}``. Beyond the common actions there is ``POST /evse/N/drive``
(``{"seconds": 60, "uid": "…", "type": "ISO14443"}``, all optional, or ``{"stop": true}``): see ``drive``. Each EVSE
then has ``"drive": null | {"step", "progress", "error"}``; the last one's outcome stands until the next.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from hardware.readers.card import octets_of
from hardware.simulator import requests
from hardware.simulator.board import NoSuchEvseError, NotNowError, SimulatedBoard
from hardware.simulator.drive import Drive
from hardware.simulator.ev import Ev
from hardware.simulator.requests import BadBodyError, Body, ev_attributes
from station.domain.board import Fault

log = logging.getLogger(__name__)

MAX_BODY = 16 * 1024
DRIVE_SECONDS = 60.0


class Bench:
    """The actions on one board. ``step`` lets the drives' time pass; ``keep`` is called after each action.

    Keeping the world at once means that a meter shows all of its energy before anybody can see the EV unplugged.
    """

    def __init__(self, board: SimulatedBoard, keep: Callable[[], None]) -> None:
        self.board = board
        self._keep = keep
        self._drives: dict[int, Drive] = {}

    def step(self, dt: float) -> None:
        """Let ``dt`` seconds pass for every drive."""
        for drive in self._drives.values():
            drive.step(dt)

    def state(self) -> dict[str, Any]:
        """The board's state and how the drives stand."""
        state = self.board.state()
        for evse_id, evse in state["evses"].items():
            drive = self._drives.get(int(evse_id))
            evse["drive"] = drive.state() if drive else None
        return state

    def application(self) -> web.Application:
        """The HTTP interface."""
        app = web.Application(middlewares=[_errors_as_json], client_max_size=MAX_BODY)
        app.router.add_get("/state", self._show)
        for path, body, action in (
            ("/evse/{evse}/plug", requests.PLUG, self._plug),
            ("/evse/{evse}/unplug", requests.UNPLUG, self._unplug),
            ("/evse/{evse}/ev", requests.EV, self._ev),
            ("/evse/{evse}/fault", requests.FAULT, self._fault),
            ("/evse/{evse}/bay", requests.BAY, self._bay),
            ("/evse/{evse}/lock", requests.LOCK, self._lock),
            ("/evse/{evse}/drive", requests.DRIVE, self._drive),
            ("/rfid", requests.RFID, self._rfid),
            ("/door", requests.DOOR, self._door),
            ("/power", requests.POWER, self._power),
        ):
            app.router.add_post(path, self._handler(body, action))
        return app

    # ------------------------------------------------------------------ actions

    def _plug(self, evse_id: int, values: dict[str, Any]) -> None:
        self.board.plug(evse_id, Ev(**ev_attributes(values)))

    def _unplug(self, evse_id: int, values: dict[str, Any]) -> None:
        self.board.unplug(evse_id, values.get("side"))

    def _ev(self, evse_id: int, values: dict[str, Any]) -> None:
        self.board.change_ev(evse_id, ev_attributes(values))

    def _fault(self, evse_id: int, values: dict[str, Any]) -> None:
        self.board.set_fault(evse_id, Fault(values["code"]) if values["code"] else None)

    def _bay(self, evse_id: int, values: dict[str, Any]) -> None:
        self.board.set_bay(evse_id, values["occupied"])

    def _lock(self, evse_id: int, values: dict[str, Any]) -> None:
        self.board.set_lock(evse_id, values["jammed"])

    def _rfid(self, _evse_id: int, values: dict[str, Any]) -> None:
        self._hold_card(values.get("type", "ISO14443"), values["uid"], values.get("evse"))

    def _door(self, _evse_id: int, values: dict[str, Any]) -> None:
        self.board.set_door(values["open"])

    def _power(self, _evse_id: int, values: dict[str, Any]) -> None:
        self.board.set_supply(values["on"])

    def _drive(self, evse_id: int, values: dict[str, Any]) -> None:
        drive = self._drives.get(evse_id)
        running = drive is not None and drive.running
        if values.get("stop"):
            if len(values) > 1:
                raise BadBodyError("stop: takes no other field beside it")
            if not drive or not running:
                raise NotNowError(f"EVSE {evse_id}: no drive is running")
            drive.abort("stopped by hand")
            return
        if running:
            raise NotNowError(f"EVSE {evse_id}: a drive is running already")
        kind, uid = values.get("type", "ISO14443"), values.get("uid", requests.DEMO_UID)
        _check_card(kind, uid)
        self._drives[evse_id] = Drive(self.board, evse_id, values.get("seconds", DRIVE_SECONDS), kind, uid)

    def _hold_card(self, kind: str, uid: str, evse_id: int | None) -> None:
        _check_card(kind, uid)
        self.board.hold_card(kind, uid, evse_id)

    # ------------------------------------------------------------------ HTTP

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(self.state())

    def _handler(
        self, body: Body, action: Callable[[int, dict[str, Any]], None]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            evse_id = self._evse_id(request)
            values = body.read(_json(await request.read()))
            action(evse_id, values)
            self._keep()
            return web.json_response(self.state())

        return handle

    def _evse_id(self, request: web.Request) -> int:
        """The EVSE of the path, 0 where the path has none; raises NoSuchEvseError."""
        text = request.match_info.get("evse")
        if text is None:
            return 0
        evse_id = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
        if evse_id not in self.board.electronics:
            raise NoSuchEvseError(f"there is no EVSE {text}")
        return evse_id


def _check_card(kind: str, uid: str) -> None:
    try:
        octets_of(kind, uid)
    except ValueError as error:
        raise BadBodyError(f"uid: {error}") from None


def _json(octets: bytes) -> object:
    if not octets.strip():
        return {}
    try:
        return json.loads(octets)
    except (ValueError, RecursionError):
        raise BadBodyError("the body is not JSON") from None


@web.middleware
async def _errors_as_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except BadBodyError as error:
        return _error(400, str(error))
    except NoSuchEvseError as error:
        return _error(404, str(error))
    except NotNowError as error:
        return _error(409, str(error))
    except web.HTTPException as error:  # no such path, wrong method, body too large
        return _error(error.status, error.reason, error.headers.get("Allow"))
    except Exception:
        log.exception("bench: %s %s", request.method, request.path)
        return _error(500, "the simulated board failed; see its log")


def _error(status: int, text: str, allow: str | None = None) -> web.Response:
    return web.json_response({"error": text}, status=status, headers={"Allow": allow} if allow else None)
