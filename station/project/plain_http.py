"""Plain HTTP and WebSocket reach pages on loopback only (CONTRACT, STATION_WEB_TLS).

Judged by the address of the server's own socket, which no header can change.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from station.project.environment import Address

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

# A host name or address as a Host header may give it, without its port (RFC 3986, 3.2.2).
_HOST = re.compile(rb"\A(?P<host>[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?\Z")

_REFUSAL = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>This station wants TLS</title>
<h1>This station wants TLS</h1>
<p>Over plain HTTP its pages are served on the station itself only (127.0.0.1). To reach them from here, set
<code>STATION_WEB_TLS</code>, for instance to <code>0.0.0.0:8443</code>, and use <code>https</code>.</p>
</html>
"""


class PlainHttpGate:
    """ASGI middleware: over plain HTTP from elsewhere, answers /healthz, redirects the rest to TLS or refuses it."""

    def __init__(self, application: Application, tls: Address | None) -> None:
        self._application = application
        self._tls = tls

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not self._over_tls(scope) and not _on_loopback(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close"})
                return
            if scope["path"] != "/healthz":
                await self._turn_away(scope, send)
                return
        await self._application(scope, receive, send)

    def _over_tls(self, scope: Mapping[str, Any]) -> bool:
        # Daphne tells the scheme of HTTP only; the port tells that of a WebSocket too, as the two listen on different.
        return self._tls is not None and bool(scope.get("server")) and scope["server"][1] == self._tls.port

    async def _turn_away(self, scope: dict[str, Any], send: Send) -> None:
        host = _HOST.match(dict(scope["headers"]).get(b"host", b""))
        if self._tls is not None and host is not None:
            path = scope["raw_path"] if scope["raw_path"].startswith(b"/") else b"/"
            location = b"https://%s:%d%s" % (host["host"], self._tls.port, path)
            if scope.get("query_string"):
                location += b"?" + scope["query_string"]
            # 307: a form posted to the wrong door is not turned into a GET.
            await _answer(send, 307, b"", [(b"location", location)])
        elif self._tls is not None:
            await _answer(send, 400, b"Bad Host header\n", [(b"content-type", b"text/plain")])
        else:
            await _answer(send, 403, _REFUSAL.encode(), [(b"content-type", b"text/html; charset=utf-8")])


def _on_loopback(scope: Mapping[str, Any]) -> bool:
    server = scope.get("server")
    if not server:
        return False
    try:
        address = ipaddress.ip_address(str(server[0]).partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
