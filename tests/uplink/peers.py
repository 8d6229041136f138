"""Somebody at the CSMS's address: a TLS or plain server on a thread of its own that notes what it is told."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType

PATIENCE = 10.0  # s that a peer waits for the station

Answer = bytes | Callable[[bytes], bytes]


def upgrade(subprotocol: str | None = "ocpp2.0.1") -> Callable[[bytes], bytes]:
    """The answer of a WebSocket server."""

    def answer(request: bytes) -> bytes:
        found = re.search(rb"(?i)sec-websocket-key: *(\S+)", request)
        key = found[1] if found else b""
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())  # noqa: S324 - RFC 6455, 4.2.2
        chosen = f"Sec-WebSocket-Protocol: {subprotocol}\r\n".encode() if subprotocol else b""
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        return head + b"Sec-WebSocket-Accept: " + accept + b"\r\n" + chosen + b"\r\n"

    return answer


def status(code: int, *headers: str) -> bytes:
    """An HTTP answer without a body."""
    lines = [f"HTTP/1.1 {code} No", *headers, "Content-Length: 0", "Connection: close", "", ""]
    return "\r\n".join(lines).encode()


class Peer:
    """Listens on loopback. ``heard`` is all that it was told in clear, after TLS where there is any.

    ``blurts``: bytes that it sends before it is asked (and TLS never begins); ``answer``: what it says to a request;
    ``stalls``: it says one byte more than nothing to a request, and then waits until it is left.
    ``silent``: it accepts and says nothing, until it is left; ``aborts``: it resets the connection after the handshake.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        *,
        blurts: bytes | None = None,
        answer: Answer = b"",
        silent: bool = False,
        aborts: bool = False,
        stalls: bool = False,
        ipv6: bool = False,
    ) -> None:
        self.heard = b""
        self.connections = 0
        self.troubles: list[str] = []
        self._context = context
        self._blurts = blurts
        self._answer = answer
        self._silent = silent
        self._aborts = aborts
        self._stalls = stalls
        family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self._socket = socket.create_server(("::1" if ipv6 else "127.0.0.1", 0), family=family)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="peer", daemon=True)
        self._left = threading.Event()

    def __enter__(self) -> Peer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes ``accept``
        self._socket.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            client.settimeout(PATIENCE)
            try:
                self._meet(client)
            except OSError as error:
                self.troubles.append(str(error))
            finally:
                client.close()

    def _meet(self, client: socket.socket) -> None:
        if self._silent:
            self._left.wait(PATIENCE)
            return
        if self._blurts is not None:
            client.recv(4096)
            client.sendall(self._blurts)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass
            return
        line = self._secured(client) if self._context else client
        with line:
            if self._aborts:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            while b"\r\n\r\n" not in self.heard:
                part = line.recv(4096)
                if not part:
                    return
                self.heard += part
            if self._stalls:
                line.sendall(b"H")
                self._left.wait(PATIENCE)
                return
            answer = self._answer(self.heard) if callable(self._answer) else self._answer
            line.sendall(answer)
            if answer.startswith(b"HTTP/1.1 101"):
                line.recv(4096)  # the station's goodbye

    def _secured(self, client: socket.socket) -> ssl.SSLSocket:
        assert self._context is not None
        line = self._context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        try:
            line.do_handshake()
        except ssl.SSLError:
            with contextlib.suppress(OSError):  # a close before all is read would take the alert along
                bare = socket.socket(fileno=line.detach())
                bare.settimeout(PATIENCE)
                bare.shutdown(socket.SHUT_WR)
                while bare.recv(4096):
                    pass
                bare.close()
            raise
        return line
