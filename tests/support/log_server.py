"""An HTTP or HTTPS server on loopback that takes uploads as log servers in the field do, each in its own way."""

from __future__ import annotations

import email
import email.policy
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

CHUNK = 4096


@dataclass(frozen=True)
class Uploaded:
    """One request with a body, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def filename(self) -> str:
        """From the Content-Disposition, of the request or of the form's one field."""
        part = self._form()
        return str(
            part.get_filename() if part else email.message_from_string(self._head("content-disposition")).get_filename()
        )

    @property
    def content(self) -> bytes:
        part = self._form()
        return bytes(part.get_payload(decode=True)) if part else self.body

    @property
    def field_name(self) -> str:
        """The name of the form's field; empty where there is no form."""
        part = self._form()
        return str(part.get_param("name", header="content-disposition")) if part else ""

    def _head(self, name: str) -> str:
        return f"{name}: {self.headers.get(name, '')}\r\n\r\n"

    def _form(self) -> Any:
        if not self.headers.get("content-type", "").startswith("multipart/form-data"):
            return None
        whole = f"content-type: {self.headers['content-type']}\r\n\r\n".encode() + self.body
        parts = email.message_from_bytes(whole, policy=email.policy.HTTP).get_payload()
        assert isinstance(parts, list)
        assert len(parts) == 1, parts
        return parts[0]


@dataclass
class Manner:
    """How a path behaves."""

    put: int = 201  # HTTP status; 0: the connection is cut
    post: int = 201
    password: str = ""  # "user:password", where it wants HTTP Basic
    location: str = ""  # of a redirection


@dataclass
class UploadServer:
    """``manners`` by path; a path without one is not found. ``held`` keeps everything from being read on."""

    tls: ssl.SSLContext | None = None
    manners: dict[str, Manner] = field(default_factory=lambda: {"/upload": Manner()})
    uploads: list[Uploaded] = field(default_factory=list)
    refused: list[tuple[str, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.running = threading.Event()
        self.running.set()
        self.asked = threading.Event()  # somebody has sent the head of a request

    def __enter__(self) -> UploadServer:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if self.tls:
            self._server.socket = self.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                server.serve(self)

            def do_POST(self) -> None:
                server.serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        """Handle one request, on its own thread."""
        self.asked.set()
        self.running.wait(60)
        length = int(request.headers.get("Content-Length", 0))
        body = b""
        while len(body) < length and (chunk := request.rfile.read(min(CHUNK, length - len(body)))):
            body += chunk
        if len(body) < length:
            request.close_connection = True
            return  # the station has left
        self._answer(request, body)

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path = request.path.partition("?")[0]
        manner = self.manners.get(path) or next(
            (one for place, one in self.manners.items() if place.endswith("/") and path.startswith(place)), None
        )
        status = 404 if manner is None else manner.put if request.command == "PUT" else manner.post
        if manner and manner.password and request.headers.get("Authorization") != _basic(manner.password):
            status = 401
        if status == 0:
            request.close_connection = True
            return
        if status < 300:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.uploads.append(Uploaded(request.command, request.path, headers, body))
        else:
            self.refused.append((request.command, request.path, status))
        request.send_response(status)
        if manner and manner.location:
            request.send_header("Location", manner.location)
        request.send_header("Content-Length", "0")
        request.end_headers()


def _basic(password: str) -> str:
    import base64

    return f"Basic {base64.b64encode(password.encode()).decode()}"
