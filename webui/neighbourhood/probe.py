"""Does a broker take this station? Asked step by step, so that what is wrong has a name.

Spoken by hand (MQTT 3.1.1, sections 3.1 and 3.2), because the web server has no other use for a client's library.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

PATIENCE = 5.0  # s for each step
_TEXT = 65_535  # bytes that a string of MQTT may have

# Return codes of CONNACK (MQTT 3.1.1, table 3.1), and what a person may do about them.
_REFUSED: dict[int, Any] = {
    1: gettext_lazy("The broker does not speak MQTT 3.1.1, which the station needs."),
    2: gettext_lazy("The broker does not take the station's client name. Choose another topic."),
    3: gettext_lazy("The broker says that it is not available at the moment."),
}
_CREDENTIALS = (4, 5)  # brokers do not tell "bad user name or password" and "not authorized" apart


@dataclass(frozen=True, slots=True)
class Found:
    """Whether it worked, and a sentence; where it did not, with what to do."""

    good: bool
    said: str


async def probe(host: str, port: int, tls: ssl.SSLContext | None, user: str, password: str, client: str) -> Found:
    """Connect, say who we are, and leave again."""
    where = {"host": host, "port": port}
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
        writer.write(connect(client, user, password))
        async with asyncio.timeout(PATIENCE):
            answer = await reader.readexactly(4)
    except socket.gaierror:
        return Found(False, _("There is no host %(host)s. Check the name, or enter the address.") % where)
    except ssl.SSLCertVerificationError as error:
        return Found(False, _certificate(error, where))
    except ssl.SSLError:
        return Found(False, _no_tls(where))
    except ConnectionRefusedError:
        said = _("%(host)s is there, but at port %(port)s nobody listens. Is the broker running, is the port right?")
        return Found(False, said % where)
    except TimeoutError:
        said = _("%(host)s does not answer at port %(port)s. Check the address, and whether a firewall is between.")
        return Found(False, said % where)
    except (asyncio.IncompleteReadError, ConnectionError):
        if tls is not None and writer is None:
            return Found(False, _no_tls(where))
        said = _("What listens at port %(port)s of %(host)s hung up: it is no MQTT broker, or it wants TLS.")
        return Found(False, said % where)
    except (OSError, UnicodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Found(False, _("%(host)s cannot be reached: %(why)s.") % {**where, "why": reason})
    finally:
        if writer is not None:
            await _leave(writer)
    if answer[:2] != b"\x20\x02":
        return Found(False, _("What listens at port %(port)s of %(host)s is no MQTT broker.") % where)
    if answer[3] in _CREDENTIALS:
        if user:
            return Found(
                False, _("The broker does not take this user name and password, or lets this user do nothing.")
            )
        return Found(False, _("The broker wants a user name and a password."))
    if answer[3]:
        return Found(False, str(_REFUSED.get(answer[3]) or _("The broker refuses the station.")))
    return Found(True, _("The broker at %(host)s takes the station.") % where)


def connect(client: str, user: str, password: str) -> bytes:
    """The CONNECT packet; raises ValueError where a text is too long."""
    flags = 0x02 | (0x80 if user else 0) | (0x40 if user and password else 0)  # a clean session
    body = _text("MQTT") + bytes([4, flags]) + struct.pack(">H", 10) + _text(client)
    if user:
        body += _text(user) + (_text(password) if password else b"")
    length = b""
    left = len(body)
    while True:
        left, digit = divmod(left, 128)
        length += bytes([digit | (0x80 if left else 0)])
        if not left:
            return b"\x10" + length + body


def _text(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > _TEXT:
        raise ValueError("a text is too long")
    return struct.pack(">H", len(encoded)) + encoded


def _no_tls(where: dict[str, Any]) -> str:
    said = _("At port %(port)s of %(host)s nobody speaks TLS. With TLS the port is usually 8883, without 1883.")
    return said % where


def _certificate(error: ssl.SSLCertVerificationError, where: dict[str, Any]) -> str:
    if error.verify_code in (18, 19, 20, 21):  # self-signed, or of a root that is not known here
        return (
            _(
                "The certificate of %(host)s is of an authority that is not known here. "
                "Enter that authority's certificate, or the broker's own where it signed it itself."
            )
            % where
        )
    if error.verify_code == 10:
        return (
            _("The certificate of %(host)s has expired. Renew it at the broker; also check the station's clock.")
            % where
        )
    if error.verify_code in (62, 64):
        return _("The certificate is not for %(host)s. Enter the name or address that stands in it.") % where
    return _("The certificate of %(host)s cannot be trusted: %(why)s.") % {**where, "why": error.verify_message}


async def _leave(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(Exception):
        writer.write(b"\xe0\x00")  # DISCONNECT
        writer.close()
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
