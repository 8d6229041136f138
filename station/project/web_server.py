"""The web process: Daphne on sockets that the supervisor opened, so that a restart turns no browser away."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async

from station.project import health

logger = logging.getLogger(__name__)

BEAT = 1.0  # s
LOOK = 60  # beats between two looks at the certificate and the VPN
# TLS 1.3 has suites of its own. Of TLS 1.2 those with forward secrecy and authenticated encryption.
CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"


def run(plain: socket.socket, tls: socket.socket | None) -> int:
    """Serve until SIGTERM. ``plain`` and ``tls`` listen already. Raises OSError where no certificate can be had."""
    _do_without(tls=tls is not None)
    # Twisted comes with the reactor, so it is loaded here and never before a fork.
    from daphne.server import Server
    from twisted.internet import reactor as installed_reactor

    from station.project.asgi import application
    from station.project.pacing import Paced

    class PacedServer(Paced, Server):
        """Daphne, which waits for slow lines."""

    reactor: Any = installed_reactor

    def adopt(listening: socket.socket, factory: Any) -> None:
        listening.setblocking(False)
        reactor.adoptStreamPort(listening.fileno(), listening.family, factory)

    def beat() -> None:
        health.beat(health.WEB)
        reactor.callLater(BEAT, beat)
        housekeeping.look()

    def ready() -> None:
        adopt(plain, server.http_factory)
        if tls is not None and contexts is not None:
            from twisted.protocols.tls import TLSMemoryBIOFactory

            adopt(tls, TLSMemoryBIOFactory(contexts, False, server.http_factory))
        beat()

    contexts = Contexts() if tls is not None else None
    housekeeping = Housekeeping(tls=tls is not None)
    server = PacedServer(
        application,
        endpoints=["adopted in ready()"],
        ready_callable=ready,
        server_name="station",
        http_timeout=120,
        websocket_timeout=-1,
        application_close_timeout=3,
    )
    server.endpoints = []
    server.run()
    return 0


class Contexts:
    """What TLS is served with. Another certificate holds for the connections that are made from then on."""

    def __init__(self) -> None:
        from webui.https import serving

        self._serving = serving
        self.reload()
        serving.served_by(self.reload)

    def reload(self) -> None:
        """Raises OSError or ValueError, and what was served goes on being served."""
        file = self._serving.file()
        try:
            self._context = context(file)
        except ValueError as error:
            if file == (local := self._serving.local_file()):
                raise
            logger.error("%s; the station's own CA takes its place", error)
            self._context = context(local)

    def getContext(self) -> Any:  # noqa: N802 - Twisted's name
        return self._context


def context(certificate: Path) -> Any:
    """OpenSSL's, for a server with that PEM file of key and chain; raises ValueError."""
    from OpenSSL import SSL

    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    made.set_min_proto_version(SSL.TLS1_2_VERSION)
    made.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    made.set_cipher_list(CIPHERS)
    try:
        made.use_certificate_chain_file(str(certificate))
        made.use_privatekey_file(str(certificate))
        made.check_privatekey()
    except SSL.Error as error:
        raise ValueError(f"{certificate.name} cannot be served with: {error}") from error
    return made


class Housekeeping:
    """What the web server sees to between requests: changes on trial whose time is over, a certificate that ends, the
    VPN. Where there is nothing of the kind it loads nothing, reads no disk and begins no thread.
    """

    def __init__(self, *, tls: bool) -> None:
        from django.db import connection

        from webui.access import trials
        from webui.access.models import Setting

        self._trials = trials
        self._tls = tls
        self._beats = 0
        self._running: asyncio.Future[None] | None = None
        # Read here, where a database may be waited for.
        trials.running()
        row = Setting.objects.filter(pk="vpn").first()
        self._vpn = bool(row and isinstance(row.value, dict) and row.value.get("enabled"))
        connection.close()

    def look(self) -> None:
        """Once a beat; what has to wait for a database or a command does so in the thread of the views."""
        self._beats += 1
        if self._trials.due():
            self._begin(self._trials.look)
        if self._beats % LOOK != 1:
            return
        if self._tls and self._beats > 1:
            _certificate()
        # Somebody may have been at the VPN's page since the start; then its room is loaded.
        if self._vpn or "webui.vpn.service" in sys.modules:
            self._begin(_vpn)

    def _begin(self, work: Any) -> None:
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(_quietly(work))


def _certificate() -> None:
    from webui.https import serving

    try:
        serving.look()
    except (OSError, ValueError) as error:
        logger.error("the web server's certificate cannot be renewed: %s", error)


def _vpn() -> None:
    from webui.vpn import service

    service.look()


async def _quietly(work: Any) -> None:
    try:
        await sync_to_async(work)()
    except Exception:
        logger.exception("the web server's housekeeping failed")


def _do_without(*, tls: bool) -> None:
    """Spare this process what Twisted and autobahn load wherever they find it, and do as well without: 5 MB."""
    # Native code to check UTF-8: cffi and a parser of C, for messages of a browser that are a few bytes long.
    os.environ.setdefault("AUTOBAHN_USE_NVX", "0")
    missing = ["cbor2"]  # an encoding of WAMP, which nobody speaks here
    if not tls:
        missing.append("OpenSSL")
    for package in missing:
        sys.modules.setdefault(package, None)  # type: ignore[arg-type] - "import" then raises ImportError
