"""A notice to a web address: JSON by POST.

A webhook may go to the local network, for that is where home automation lives; but an owner must not get the station to
speak to itself, nor a name to lead elsewhere between two looks. So the address is resolved once, looked at, and that
very address is connected to; the station itself (loopback) and what is no place (link-local, multicast) are refused;
redirects are not followed; of the answer only its status is looked at. Open HTTP goes no further than the local
network.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from station.notices.failed import Failed
from station.notices.models import Settings
from station.notices.words import Message
from station.store.secrets import SecretDamaged, unseal

PATIENCE = 15.0  # s for each step
MOST = 2048  # characters of a URL
LOOPBACK = False  # whether the station may speak to itself; tests do

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def send(settings: Settings, message: Message) -> None:
    """POST the notice; raises Failed."""
    try:
        url = unseal(settings.hook_url)
    except SecretDamaged as error:
        raise Failed("settings", error) from error
    status = post(url, message.data)
    if 300 <= status < 400:
        raise Failed("redirect", status)
    if not 200 <= status < 300:
        raise Failed("status", status)


def check(url: str) -> None:
    """Raises Failed for what is no URL that a notice can go to."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Failed("url", error) from error
    sound = url.isascii() and url.isprintable() and " " not in url and len(url) <= MOST
    if not sound or parts.scheme not in ("http", "https") or not parts.hostname:
        raise Failed("url")
    if parts.username is not None or parts.password is not None:
        raise Failed("userinfo")


def post(url: str, data: dict[str, Any]) -> int:
    """The answer's status; raises Failed."""
    import http.client

    check(url)
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    try:
        address = _chosen(str(parts.hostname), parts.port or (443 if secure else 80), secure=secure)
        connection = _connected(str(parts.hostname), address, secure=secure)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            body = json.dumps(data).encode()
            headers = {"Content-Type": "application/json", "Host": parts.netloc, "User-Agent": "charging-station"}
            connection.request("POST", target, body, headers)
            return int(connection.getresponse().status)
        finally:
            connection.close()
    except socket.gaierror as error:
        raise Failed("name", parts.hostname) from error
    except ssl.SSLCertVerificationError as error:
        raise Failed("untrusted", error.verify_message) from error
    except ssl.SSLError as error:
        raise Failed("tls", error.reason or error) from error
    except TimeoutError as error:
        raise Failed("timeout") from error
    except http.client.HTTPException as error:
        raise Failed("protocol", type(error).__name__) from error
    except OSError as error:
        raise Failed("unreachable", error.strerror or error) from error
    except (ValueError, UnicodeError) as error:
        raise Failed("url", error) from error


def _chosen(host: str, port: int, *, secure: bool) -> tuple[str, int]:
    """The first address of ``host`` that a notice may go to; raises Failed, OSError."""
    why = "name"
    for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        why = forbidden(address, secure=secure)
        if not why:
            return str(place[0]), port
    raise Failed(why, host)


def forbidden(address: Address, *, secure: bool) -> str:
    """Why no notice may go to that address; empty where one may."""
    if address.is_loopback or address.is_unspecified:
        return "" if LOOPBACK else "loopback"
    if address.is_multicast or address.is_link_local or address.is_reserved:
        return "no_place"
    return "" if secure or address.is_private else "unprotected"


def _connected(host: str, address: tuple[str, int], *, secure: bool) -> Any:
    import http.client

    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    connection.sock = socket.create_connection(address, timeout=PATIENCE)
    if secure:
        context = ssl.create_default_context()
        try:
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        except BaseException:
            connection.sock.close()
            raise
    return connection
