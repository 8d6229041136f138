"""``manage.py appliance``: everything under one supervisor."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

import station
from station.backup import waiting
from station.firmware import launcher
from station.firmware.switch import switch
from station.project import restoring
from station.project.environment import Environment
from station.project.supervisor import roster, startup
from station.project.supervisor.output import Output
from station.project.supervisor.probation import Probation
from station.project.supervisor.startup import StartupFailed
from station.project.supervisor.supervisor import SELF, Supervisor


class Command(BaseCommand):
    """Raises nothing for what a user can mend: one line, exit status 1."""

    help = "Start the whole station and keep it running until SIGTERM or Ctrl-C."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            _run(settings.ENVIRONMENT)
        except StartupFailed as failure:
            sys.exit(f"station: {failure}")
        except KeyboardInterrupt:
            sys.exit(130)


def _run(environment: Environment) -> None:
    began = time.monotonic()
    held = startup.lock(environment)
    server = None if environment.redis_url else startup.redis_server()
    web = startup.listen("STATION_WEB", environment.web)
    web_tls = startup.listen("STATION_WEB_TLS", environment.web_tls) if environment.web_tls else None
    if environment.simulated:
        startup.must_be_free("STATION_SIMULATOR", environment.simulator)
        startup.must_be_free("STATION_BENCH", environment.bench)

    database = startup.in_child(_prepare)
    roster.preload()
    provisioned = database()["provisioned"]
    demonstration = None if provisioned else roster.Demonstration()

    children = roster.specs(environment, web=web, web_tls=web_tls, demonstration=demonstration, redis_server=server)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    output = Output(
        sys.stdout.fileno(), (SELF, *(spec.name for spec in children)), folder=environment.logs, colour=colour
    )
    # Last of all that may fail: the password is shown once.
    password = startup.in_child(_administrator)()["password"]
    output.direct(_welcome(environment, password, demonstration=demonstration is not None))

    def ready() -> None:
        output.line(SELF, f"everything runs, {time.monotonic() - began:.1f} s after the start")

    def no_longer_needed() -> set[str]:
        if demonstration is None or demonstration.url is None or not startup.in_child(_provisioned)()["provisioned"]:
            return set()
        demonstration.end()
        return {roster.CSMS}

    demonstrated = demonstration.listening if demonstration else None
    sockets = tuple(listening.fileno() for listening in (web, web_tls, demonstrated) if listening is not None)
    firmware = switch(environment.installer, environment.data, station.__version__)
    anew = Supervisor(
        children,
        output,
        close=sockets,
        on_reboot=no_longer_needed,
        ready=ready,
        probation=Probation(firmware),
        anew=lambda: waiting.pending(environment.data) is not None,
    ).run()
    os.close(held)
    if anew and waiting.pending(environment.data) is not None:
        launcher.start_anew(Path(os.environ.get(launcher.FACTORY) or settings.BASE_DIR))
    if anew:
        firmware.restart()


def _prepare() -> dict[str, Any]:
    startup.prepare_database()
    restoring.carry_out(settings.ENVIRONMENT)
    return {"provisioned": startup.provisioned()}


def _administrator() -> dict[str, Any]:
    return {"password": startup.first_administrator()}


def _provisioned() -> dict[str, Any]:
    return {"provisioned": startup.provisioned()}


def _welcome(environment: Environment, password: str | None, *, demonstration: bool) -> str:
    lines = [f"Web interface   http://{environment.web.reachable}"]
    if environment.web_tls:
        lines.append(f"with TLS        https://{environment.web_tls.reachable}")
    if password:
        lines += ["User            admin", f"Password        {password}", "", "The password is shown this once."]
    if environment.simulated:
        lines += ["", "The board is simulated. A car is a click away on the web page's bench."]
    if demonstration:
        lines += [
            "",
            "Nobody has told this station where its CSMS is, so it brings a small one",
            "of its own for you to look at. To set the station up, log in and start its",
            "commissioning, or see manage.py provision --help.",
        ]
    width = max(map(len, lines))
    body = "".join(f"  │ {line:{width}} │\n" for line in lines)
    return f"\n  ┌{'─' * (width + 2)}┐\n{body}  └{'─' * (width + 2)}┘\n\n"
