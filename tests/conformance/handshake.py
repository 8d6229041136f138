"""TLS without a socket: the station's own context and checks against an endpoint's, bytes carried by hand."""

from __future__ import annotations

import asyncio
import ssl

from station.uplink.tls import ClientContext, Handshake, TlsPolicy, check_peer

ROUNDS = 10


def shake_hands(
    client: ClientContext, server: ssl.SSLContext | None, host: str, policy: TlsPolicy
) -> ssl.SSLObject | None:
    """The whole handshake and what the station checks after it; returns the server's side.

    Raises what the station would see. ``server`` None: an endpoint that speaks plain HTTP.
    """
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=host)
    assert isinstance(ours, Handshake)
    theirs = server.wrap_bio(to_server, to_client, server_side=True) if server else None
    done = False
    for _ in range(ROUNDS):
        if not done:
            done = _step(ours)
        if theirs is None:
            to_client.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            continue
        try:
            _step(theirs)
        except ssl.SSLError:
            theirs_failed = True
        else:
            theirs_failed = False
        if done and theirs_failed:
            ours.read(1)  # the alert
        if done and not theirs_failed:
            break
    assert done, "the handshake does not come to an end"
    asyncio.run(check_peer(ours, host, policy))
    return theirs


def _step(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
