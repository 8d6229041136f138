"""Who the children are. Each one's modules are loaded as far as they can be shared; the rest it loads itself."""

from __future__ import annotations

import functools
import importlib
import math
import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from station.project import health
from station.project.environment import Environment
from station.project.supervisor import sharing
from station.project.supervisor.child import Spec
from station.project.supervisor.redis_probe import RedisProbe
from webui.neighbourhood import doors, switch

REDIS_MEMORY = "32mb"

SIMULATOR_PATIENCE = 3.0  # s
CSMS = "csms"

# What two or more children need. Nothing here may start a thread or an event loop: Twisted and Daphne do.
SHARED = (
    "asyncio",
    "billiard.connection",
    "billiard.pool",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.events",
    "celery.backends.base",
    "celery.contrib.django.task",
    "celery.events.receiver",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "celery.worker.worker",
    "celery.concurrency.solo",
    "celery.fixups.django",
    "kombu.matcher",
    "kombu.mixins",
    "kombu.pidbox",
    "kombu.transport.redis",
    "redis.asyncio",
    "channels.layers",
    "channels_redis.pubsub",
    "websockets.asyncio.client",
    "jsonschema_rs",
    "cryptography.x509",
    "pymodbus.client",
    "django.contrib.sessions.backends.db",
    "django.db.backends.sqlite3.base",
    "station.project.celery",
    "station.project.channel_layer",
    "station.project.hardware_worker",
    "station.project.transfer_worker",
    "station.transfers.tasks",
    "station.live.payloads",
    "station.uplink.process",
    "hardware.poller",
    "hardware.drivers",
    "webui.urls",
    "station.project.urls",
)


class Demonstration:
    """The demonstration CSMS's socket, on a free port of loopback. ``url`` is None once it is over."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url: str | None = f"ws://127.0.0.1:{self.listening.getsockname()[1]}"

    def end(self) -> None:
        """Somebody told the station where its CSMS is; the socket stays, but nobody is sent there any more."""
        self.url = None


def preload() -> None:
    """Load ``SHARED``, and have all of it stay shared as far as that goes."""
    sharing.begin()
    # manage.py has run Django's checks already; once more they would touch 3 MB in each worker.
    os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    for name in SHARED:
        importlib.import_module(name)
    # What both workers would do alike: the tasks, the settings, and Django's set-up again with all of its loggers.
    app = importlib.import_module("station.project.celery").app
    app.loader.init_worker()
    app.finalize()
    sharing.settle()


def specs(
    environment: Environment,
    *,
    web: socket.socket,
    web_tls: socket.socket | None,
    demonstration: Demonstration | None,
    redis_server: str | None,
) -> list[Spec]:
    """The children of this appliance; ``demonstration`` is None where somebody told the station where its CSMS is."""
    children = []
    if redis_server:
        children.append(
            Spec(
                "redis",
                functools.partial(_redis, redis_server, environment),
                slots=(health.REDIS,),
                last=True,
                probe=RedisProbe(environment.redis_socket, beater(health.REDIS)).look,
                translate=_redis_line,
            )
        )
    if environment.simulated:
        children.append(
            Spec("simulator", functools.partial(_simulator, environment), slots=(health.SIMULATOR,), last=True)
        )
    children.append(
        Spec(
            "hardware",
            functools.partial(_hardware, environment),
            slots=(health.HARDWARE, health.HARDWARE_LOOP),
            station=True,
        )
    )
    if demonstration is not None:
        run = functools.partial(_csms, demonstration.listening, environment.data)
        kept = (demonstration.listening.fileno(),)
        children.append(Spec(CSMS, run, slots=(health.CSMS,), last=True, keep=kept))
    children.append(Spec("uplink", functools.partial(_uplink, demonstration), slots=(health.UPLINK,), station=True))
    children.append(
        Spec(
            "web",
            functools.partial(_web, web, web_tls),
            slots=(health.WEB,),
            keep=tuple(listening.fileno() for listening in (web, web_tls) if listening is not None),
        )
    )
    open_doors = doors.doors(environment.web, environment.web_tls)
    children.append(
        Spec(
            health.NEIGHBOURS,
            functools.partial(_neighbours, environment, open_doors),
            slots=(health.NEIGHBOURS,),
            wanted=switch.watch(environment.data, bool(open_doors)),
        )
    )
    children.append(Spec("transfers", _transfers, slots=(health.TRANSFERS,), station=True))
    return children


def beater(slot: str) -> Callable[..., None]:
    """What a room is given to show its life with: called with nothing, or with a word for the readers."""

    def beat(word: Any = None) -> None:
        health.beat(slot, word)

    return beat


def _web(plain: socket.socket, tls: socket.socket | None) -> int:
    from station.project import web_server

    return web_server.run(plain, tls)


def _uplink(demonstration: Demonstration | None) -> int:
    from station.uplink import process

    return int(process.run(beater(health.UPLINK), demonstration.url if demonstration else None))


def _hardware(environment: Environment) -> int:
    from station.project import hardware_worker

    # A real board is there before its station. The simulated one is given the time to be so too.
    end = time.monotonic() + SIMULATOR_PATIENCE
    while environment.simulated and math.isinf(health.read()[health.SIMULATOR][0]) and time.monotonic() < end:
        time.sleep(0.02)

    return hardware_worker.run()


def _neighbours(environment: Environment, open_doors: tuple[doors.Door, ...]) -> int:
    from webui.neighbourhood import process

    return process.run(beater(health.NEIGHBOURS), environment.data, open_doors)


def _transfers() -> int:
    from station.project import transfer_worker

    return transfer_worker.run()


def _simulator(environment: Environment) -> int:
    from hardware.simulator import process

    process.run(
        environment.data,
        (environment.simulator.host, environment.simulator.port),
        (environment.bench.host, environment.bench.port),
        environment.evses,
        sockets=environment.sockets,
        beat=beater(health.SIMULATOR),
    )
    return 0


def _csms(listening: socket.socket, data: Path) -> int:
    from station.csms import process

    process.run(listening, data, beater(health.CSMS))
    return 0


# ------------------------------------------------------------------ Redis


def _redis(server: str, environment: Environment) -> int:
    path = environment.redis_socket
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(path.parent),
        # Nothing in it has to last, so nothing of it touches the flash.
        "save": "",
        "appendonly": "no",
        "maxmemory": REDIS_MEMORY,
        # A full Redis refuses rather than forgets a task.
        "maxmemory-policy": "noeviction",
        # A subscriber that stands still is cut off before its backlog hurts the others.
        "client-output-buffer-limit": "pubsub 8mb 2mb 30",
        "databases": "1",
        "maxclients": "256",  # ten times what there are; it keeps a table for as many
        "daemonize": "no",
        "logfile": "",
        "loglevel": "warning",
        "set-proc-title": "no",
    }
    arguments = [argument for name, value in options.items() for argument in (f"--{name}", value)]
    os.execv(server, [server, *arguments])  # noqa: S606 - no shell is meant


_REDIS_LINE = re.compile(r"^\d+:\w (?:\d+ \w+ \d+ [\d:.]+ )?(?P<sign>[.*#-]) (?P<text>.*)$")


_REDIS_EVERYDAY = (
    "oO0OoO0OoO0Oo",
    "Redis version=",
    "Configuration loaded",
    "no config file specified",
    "Server initialized",
    "SIGTERM scheduling shutdown",
    "User requested shutdown",
    "Removing the unix socket",
    "ready to exit",
    # It writes nothing to disk and so never forks, for which alone these would matter.
    "overcommit",
    "Transparent Huge Pages",
)


def _redis_line(line: str) -> str:
    """A line of Redis without its own clock; empty for what is of no use here."""
    match = _REDIS_LINE.match(line)
    text = match["text"] if match else line
    return "" if any(part in text for part in _REDIS_EVERYDAY) else text
