"""Real mail and web servers on loopback, for notices to arrive at."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.uplink.authority import Authority

USER, PASSWORD = "station@example.org", "correct horse battery"


def server_context(authority: Authority, folder: Path, *names: str) -> ssl.SSLContext:
    """TLS with a certificate for ``names``."""
    issued = authority.issue(folder, names[0], names=list(names))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued / "chain.pem", issued / "key.pem")
    return context


class Mailbox:
    """What a mail server took; ``refuses`` are recipients that it does not want."""

    def __init__(self, *refuses: str) -> None:
        self.letters: list[EmailMessage] = []
        self.refuses = refuses

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if address in self.refuses:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.letters.append(message_from_bytes(envelope.content, EmailMessage, policy=policy.default))
        return "250 taken"


def _knows(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=(given.login.decode(), given.password.decode()) == (USER, PASSWORD), handled=False)


@contextmanager
def mail_server(box: Mailbox, *, tls: ssl.SSLContext | None = None, at_once: bool = False) -> Iterator[int]:
    """Its port. With ``tls`` it wants STARTTLS, or speaks TLS ``at_once``, and a login."""
    more: dict[str, Any] = {}
    if tls is not None:
        more = {"authenticator": _knows, "auth_required": True, "auth_require_tls": not at_once}
        more |= {"ssl_context": tls} if at_once else {"tls_context": tls, "require_starttls": True}
    controller = Controller(box, hostname="127.0.0.1", port=_free(), **more)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class WebServer(ThreadingHTTPServer):
    """Takes what is posted; answers with ``status``, leading to ``location``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.status = 204
        self.location = ""

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Request(BaseHTTPRequestHandler):
    server: WebServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.got.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: the test looks at ``got``."""


@contextmanager
def web_server(tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    server = WebServer()
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


@contextmanager
def babbler(says: bytes) -> Iterator[int]:
    """Something that is neither: it says that to whoever comes, and hangs up. Its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(says)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
