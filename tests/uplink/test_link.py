"""The WebSocket to the CSMS until it is open, against a real server on loopback."""

from __future__ import annotations

import asyncio
import base64
import http
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from station.domain.certificates import TlsMaterial
from station.domain.network import NetworkProfile
from station.uplink import link as link_module
from station.uplink.link import LinkRefused, open_link
from tests.uplink.links import PASSWORD, connect, csms, first, refusal, run

# ---------------------------------------------------------------------- opening


def test_path_credentials_and_frames():
    async def test() -> None:
        async with csms() as server:
            link = await connect(server, password=PASSWORD)
            request = next(iter(server.connections)).request
            assert request.path == "/ocpp/CS%201"
            assert request.headers["Sec-WebSocket-Protocol"] == "ocpp2.0.1"
            assert request.headers["User-Agent"].startswith("station/")
            assert "Sec-WebSocket-Extensions" not in request.headers
            scheme, credentials = request.headers["Authorization"].split()
            assert (scheme, base64.b64decode(credentials)) == ("Basic", f"CS 1:{PASSWORD}".encode())
            for number in range(3):
                link.send(f"frame {number} ä")
            assert await first(link, 3) == [f"frame {number} ä".encode() for number in range(3)]
            await link.close()

    run(test)


def test_no_password_no_header():
    async def test() -> None:
        async with csms() as server:
            link = await connect(server)
            assert "Authorization" not in next(iter(server.connections)).request.headers
            await link.close()

    run(test)


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "password"), (404, "identity"), (403, "forbids"), (503, "not available"), (500, "HTTP 500")],
)
def test_refused_upgrade_in_words(status, words):
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(http.HTTPStatus(status), "no")

    async def test() -> None:
        async with csms(process_request=refuse) as server:
            text = await refusal(server, password=PASSWORD)
            assert words in text
            assert PASSWORD not in text

    run(test)


def test_redirects_are_not_followed():
    seen = []

    def elsewhere(connection: ServerConnection, request: Request) -> Response | None:
        seen.append(request.path)
        response = connection.respond(http.HTTPStatus.FOUND, "")
        response.headers["Location"] = "/other"
        return response

    async def test() -> None:
        async with csms(process_request=elsewhere) as server:
            assert "another address" in await refusal(server)
        assert seen == ["/ocpp/CS%201"]

    run(test)


@pytest.mark.parametrize("offered", [None, ["ocpp1.6"]])
def test_csms_that_accepts_without_the_subprotocol(offered):
    async def test() -> None:
        async with csms(subprotocols=offered, select_subprotocol=lambda connection, subprotocols: None) as server:
            assert "ocpp2.0.1" in await refusal(server)

    run(test)


def test_nobody_listens():
    async def test() -> None:
        target = NetworkProfile(1, "ws://127.0.0.1:1", 1)
        with pytest.raises(LinkRefused, match="cannot be reached"):
            await open_link(target, "CS", "", TlsMaterial(()), Path("none"), lambda: 0.0)

    run(test)


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 101 Nope\r\n\r\n"])
def test_somebody_else_listens(answer):
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def test() -> None:
        server = await asyncio.start_server(other, "127.0.0.1", 0)
        async with server:
            text = await refusal(server)
            assert "WebSocket" in text or "without an answer" in text or "cannot be reached" in text

    run(test)


def test_silence_has_an_end(monkeypatch):
    monkeypatch.setattr(link_module, "OPEN_TIMEOUT", 0.1)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def test() -> None:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with server:
            assert "does not answer" in await refusal(server)

    run(test)


@pytest.mark.parametrize(("profile", "scheme"), [(1, "wss"), (2, "ws"), (3, "ws")])
def test_profile_and_scheme_must_agree(profile, scheme):
    async def test() -> None:
        async with csms() as server:
            assert f"security profile {profile}" in await refusal(server, profile=profile, scheme=scheme)

    run(test)


def test_no_identity_no_attempt():
    async def test() -> None:
        async with csms() as server:
            assert "identity" in await refusal(server, identity="")
            assert not server.connections

    run(test)


def test_proxies_of_the_environment_do_not_count(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)

    async def test() -> None:
        async with csms() as server:
            await (await connect(server)).close()

    run(test)
