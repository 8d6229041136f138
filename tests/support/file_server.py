"""An HTTP or HTTPS server on loopback that gives files away as servers in the field do, each in its own way."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

CHUNK = 16 * 1024


@dataclass
class File:
    """What is at a path, and how it is given.

    ``cut_after``: the connection is cut after so many bytes of an answer. ``lie``: what Content-Length says instead.
    ``endless``: bytes without end and without a length. ``location``: sends on, with ``status``.
    """

    content: bytes = b""
    status: int = 200
    etag: str = '"1"'
    ranges: bool = True
    cut_after: int | None = None
    lie: int | None = None
    endless: bool = False
    location: str = ""
    password: str = ""  # "user:password", where it wants HTTP Basic
    shift: int = 0  # a resumed answer begins so many bytes too late


@dataclass
class FileServer:
    """``files`` by path; while ``running`` is not set no body goes out. ``asked``: path and Range of each request."""

    tls: ssl.SSLContext | None = None
    files: dict[str, File] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.running = threading.Event()
        self.running.set()

    def __enter__(self) -> FileServer:
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

            def do_GET(self) -> None:
                try:
                    server.serve(self)
                except (ConnectionError, ssl.SSLError):
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request, on its own thread."""
        wanted = request.headers.get("Range", "")
        self.asked.append((request.path, wanted))
        file = self.files.get(request.path)
        if file is None or (file.password and request.headers.get("Authorization") != _basic(file.password)):
            self._refuse(request, 404 if file is None else 401)
        elif file.location:
            self._refuse(request, file.status, file.location)
        elif file.status != 200:
            self._refuse(request, file.status)
        else:
            self._give(request, file, wanted)

    def _refuse(self, request: BaseHTTPRequestHandler, status: int, location: str = "") -> None:
        request.send_response(status)
        if location:
            request.send_header("Location", location)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _give(self, request: BaseHTTPRequestHandler, file: File, wanted: str) -> None:
        begin = 0
        if wanted and file.ranges and request.headers.get("If-Range") in (None, file.etag):
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            if begin >= len(file.content):
                self._refuse(request, 416)
                return
        body = file.content[begin + (file.shift if begin else 0) :]
        request.send_response(206 if begin else 200)
        if file.etag:
            request.send_header("ETag", file.etag)
        if begin:
            span = f"{begin + file.shift}-{len(file.content) - 1}"
            request.send_header("Content-Range", f"bytes {span}/{len(file.content)}")
        if file.endless:
            request.send_header("Connection", "close")
        else:
            request.send_header("Content-Length", str(len(body) if file.lie is None else file.lie))
        request.end_headers()
        self._send(request, file, body)

    def _send(self, request: BaseHTTPRequestHandler, file: File, body: bytes) -> None:
        sent = 0
        while file.endless or sent < len(body):
            if not self.running.is_set():
                request.wfile.flush()
                self.running.wait(60)
            chunk = bytes(CHUNK) if file.endless else body[sent : sent + CHUNK]
            if file.cut_after is not None and sent + len(chunk) > file.cut_after:
                request.wfile.write(chunk[: file.cut_after - sent])
                request.close_connection = True
                return
            request.wfile.write(chunk)
            sent += len(chunk)
        if file.lie is not None and file.lie > sent:
            request.close_connection = True


def _basic(password: str) -> str:
    import base64

    return f"Basic {base64.b64encode(password.encode()).decode()}"
