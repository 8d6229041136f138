"""``manage.py bench ACTION …``: the simulated board's bench from a shell."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

TIMEOUT = 10.0  # s


class Command(BaseCommand):
    """Sends one action to the bench at STATION_BENCH and prints the new state; exit status 1 when it is refused."""

    help = "Do by hand what can be done at the simulated board: plug in, hold a card to the reader, let a fault appear."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        actions.add_parser("state", help="show the whole board")

        plug = _evse(actions.add_parser("plug", help="connect an EV"))
        _ev(plug)
        _evse(actions.add_parser("unplug", help="disconnect the EV"))
        _ev(_evse(actions.add_parser("ev", help="change what the EV does")))

        fault = _evse(actions.add_parser("fault", help="let a fault appear or clear"))
        which = fault.add_mutually_exclusive_group(required=True)
        which.add_argument("code", nargs="?", help="GroundFailure, OverCurrent, OverTemperature …")
        which.add_argument("--clear", action="store_true")

        bay = _evse(actions.add_parser("bay", help="move a vehicle into the bay or out of it"))
        bay.add_argument("occupied", choices=("occupied", "free"))

        rfid = actions.add_parser("rfid", help="hold a card to the reader")
        rfid.add_argument("uid", help="hexadecimal")
        rfid.add_argument("--type", choices=("ISO14443", "ISO15693"))
        rfid.add_argument("--evse", type=int, help="the EVSE whose reader it is; default: the station's")

        actions.add_parser("door", help="open or shut the housing").add_argument("open", choices=("open", "closed"))
        actions.add_parser("power", help="the board's supply").add_argument("on", choices=("on", "off"))

        drive = _evse(actions.add_parser("drive", help="a whole charging session by itself"))
        drive.add_argument("--seconds", type=float, help="how long to charge (default 60)")
        drive.add_argument("--uid", help="the card, hexadecimal")
        drive.add_argument("--type", choices=("ISO14443", "ISO15693"))
        drive.add_argument("--stop", action="store_true", default=None, help="end the running drive")

    def handle(self, *_args: object, **options: Any) -> None:
        path, body = _request(options)
        self.stdout.write(json.dumps(_send(path, body), indent=2))


def _evse(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("evse", type=int, metavar="EVSE")
    return parser


def _ev(parser: ArgumentParser) -> None:
    parser.add_argument("--max-current", type=float, help="A")
    parser.add_argument("--phases", type=int, choices=(1, 2, 3))
    parser.add_argument("--soc", type=float, help="state of charge, per cent")
    wish = parser.add_mutually_exclusive_group()
    wish.add_argument("--requests-energy", action="store_true", default=None)
    wish.add_argument("--no-requests-energy", action="store_false", dest="requests_energy", default=None)


def _request(options: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """Path and body of an action; no body is a GET."""
    action = options["action"]
    if action == "state":
        return "/state", None
    if action == "rfid":
        return "/rfid", _given(options, "uid", "type", "evse")
    if action == "door":
        return "/door", {"open": options["open"] == "open"}
    if action == "power":
        return "/power", {"on": options["on"] == "on"}
    body: dict[str, Any] = {}
    if action in ("plug", "ev"):
        body = _given(options, "max_current", "phases", "requests_energy", "soc")
    elif action == "fault":
        body = {"code": None if options["clear"] else options["code"]}
    elif action == "bay":
        body = {"occupied": options["occupied"] == "occupied"}
    elif action == "drive":
        body = _given(options, "seconds", "uid", "type", "stop")
    return f"/evse/{options['evse']}/{action}", body


def _given(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: options[name] for name in names if options[name] is not None}


def _send(path: str, body: dict[str, Any] | None) -> Any:
    address = os.environ.get("STATION_BENCH", "127.0.0.1:8020")
    request = urllib.request.Request(
        f"http://{address}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the bench is never behind a proxy
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise CommandError(_reason(error)) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise CommandError(f"no bench answers at {address} (STATION_BENCH): {reason}") from None


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the bench answered {error.code}"
