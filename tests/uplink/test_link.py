"""The WebSocket to the CSMS, against a real server on loopback."""

from __future__ import annotations

import asyncio
import base64
import http
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.frames import Opcode
from websockets.http11 import Request, Response

from station.domain.certificates import TlsMaterial
from station.domain.network import NetworkProfile
from station.uplink import link as link_module
from station.uplink.link import Link, LinkRefused, open_link
from tests.uplink.authority import Authority, material

PASSWORD = "a-password-of-20-let"
Handler = Callable[[ServerConnection], Awaitable[None]]


async def echo(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message)


async def idle(websocket: ServerConnection) -> None:
    await websocket.wait_closed()


@asynccontextmanager
async def csms(handler: Handler = echo, **options) -> AsyncIterator[Server]:
    options = {"subprotocols": ["ocpp2.0.1"], "close_timeout": 1, **options}
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        yield server


def port(server: Server) -> int:
    return server.sockets[0].getsockname()[1]


async def connect(
    server: Server,
    certificates: TlsMaterial = TlsMaterial(()),  # noqa: B008 - frozen
    *,
    keys: Path = Path("none"),
    profile: int = 1,
    host: str = "127.0.0.1",
    scheme: str = "",
    identity: str = "CS 1",
    password: str = "",
    ping: float = 0.0,
) -> Link:
    scheme = scheme or ("wss" if profile > 1 else "ws")
    target = NetworkProfile(1, f"{scheme}://{host}:{port(server)}/ocpp", profile)
    return await open_link(target, identity, password, certificates, keys, lambda: ping)


async def refusal(server: Server, *arguments, **options) -> str:
    with pytest.raises(LinkRefused) as caught:
        await connect(server, *arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def first(link: Link, count: int) -> list[bytes]:
    frames = []
    async for frame in link.frames():
        frames.append(frame)
        if len(frames) == count:
            break
    return frames


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(test())


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


# ---------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def certificates(authority: Authority) -> TlsMaterial:
    return TlsMaterial((authority.root,))


def server_tls(folder: Path, client_root: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    if client_root:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_root)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_profile_2(tmp_path, certificates, authority, version):
    context = server_tls(authority.issue(tmp_path / "csms", "CSMS", names=["127.0.0.1"]))
    context.minimum_version = context.maximum_version = version

    async def test() -> None:
        async with csms(ssl=context) as server:
            link = await connect(server, certificates, profile=2, password=PASSWORD)
            connection = next(iter(server.connections))
            assert "Authorization" in connection.request.headers
            suite, used, _ = connection.transport.get_extra_info("cipher")
            assert used == version.name.replace("_", ".") or suite.startswith("TLS_")
            if version is ssl.TLSVersion.TLSv1_2:
                assert suite in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
            link.send("over TLS")
            assert await first(link, 1) == [b"over TLS"]
            await link.close()

    run(test)


def test_common_name_alone_is_enough(tmp_path, certificates, authority):
    context = server_tls(authority.issue(tmp_path / "csms", "localhost"))  # A00.FR.309

    async def test() -> None:
        async with csms(ssl=context) as server:
            await (await connect(server, certificates, profile=2, host="localhost")).close()

    run(test)


def test_csms_that_cannot_prove_itself(tmp_path, certificates, authority):
    stranger = Authority("Stranger")
    cases = {
        "self-signed": stranger.issue(tmp_path / "a", "x", names=["127.0.0.1"]),
        "mismatch": authority.issue(tmp_path / "b", "x", names=["10.0.0.1", "other.example"]),
        "expired": authority.issue(tmp_path / "c", "x", names=["127.0.0.1"], days=-2),
    }

    async def test() -> None:
        for words, folder in cases.items():
            async with csms(ssl=server_tls(folder)) as server:
                text = await refusal(server, certificates, profile=2, password=PASSWORD)
                assert "certificate is not accepted" in text
                assert words in text or words == "self-signed"

    run(test)


def test_without_a_root_nothing_is_tried():
    async def test() -> None:
        async with csms() as server:
            text = await refusal(server, TlsMaterial(("not PEM",)), profile=2)
            assert "no CSMS root certificate is installed; the 1. root certificate cannot be read" in text
            assert "root certificate" in await refusal(server, TlsMaterial(()), profile=2)

    run(test)


def test_one_broken_root_does_not_spoil_the_others(tmp_path, certificates, authority):
    certificates = TlsMaterial(("not PEM", *certificates.roots))
    context = server_tls(authority.issue(tmp_path / "csms", "CSMS", names=["127.0.0.1"]))

    async def test() -> None:
        async with csms(ssl=context) as server:
            await (await connect(server, certificates, profile=2)).close()

    run(test)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(tmp_path, certificates, authority):
    context = server_tls(authority.issue(tmp_path / "csms", "CSMS", names=["127.0.0.1"]))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1

    async def test() -> None:
        async with csms(ssl=context) as server:
            assert "TLS" in await refusal(server, certificates, profile=2)

    run(test)


def test_profile_3_proves_the_station(tmp_path, certificates, authority):
    certificates = material(authority.issue(tmp_path / "keys", "CS 1"), *certificates.roots)
    root = authority.write_root(tmp_path / "root.pem")
    context = server_tls(authority.issue(tmp_path / "csms", "CSMS", names=["127.0.0.1"]), root)

    async def test() -> None:
        async with csms(ssl=context) as server:
            link = await connect(server, certificates, keys=tmp_path / "keys", profile=3, password=PASSWORD)
            connection = next(iter(server.connections))
            assert "Authorization" not in connection.request.headers
            subject = dict(entry[0] for entry in connection.transport.get_extra_info("peercert")["subject"])
            assert subject["commonName"] == "CS 1"
            await link.close()

    run(test)


@pytest.mark.parametrize(
    ("chain", "key", "words"),
    [(None, None, "none is installed"), ("x", "x", "cannot be used"), ("good", "x", "cannot be used")],
)
def test_profile_3_without_a_usable_certificate(tmp_path, certificates, authority, chain, key, words):
    if chain:
        authority.issue(tmp_path, "CS")
    if chain == "x":
        (tmp_path / "chain.pem").write_text(chain)
    if key:
        (tmp_path / "key.pem").write_text(key)
    certificates = material(tmp_path, *certificates.roots)

    async def test() -> None:
        async with csms() as server:
            assert words in await refusal(server, certificates, keys=tmp_path, profile=3)

    run(test)


# ---------------------------------------------------------------------- an open link


def test_broken_utf8_and_binary_close_nothing():
    async def hostile(websocket: ServerConnection) -> None:
        await websocket.send(b"\xff\xfe", text=True)
        await websocket.send(b"binary")
        await websocket.send("x" * (2 * 1024 * 1024))
        await echo(websocket)

    async def test() -> None:
        async with csms(hostile) as server:
            link = await connect(server)
            broken, binary, large = await first(link, 3)
            assert (broken, binary, len(large)) == (b"\xff\xfe", b"binary", 2 * 1024 * 1024)
            link.send("still here")
            assert await first(link, 1) == [b"still here"]
            await link.close()

    run(test)


def test_beyond_the_hard_limit_the_connection_closes(monkeypatch):
    monkeypatch.setattr(link_module, "HARD_LIMIT", 100_000)

    async def huge(websocket: ServerConnection) -> None:
        await websocket.send("x" * 100_001)
        await websocket.wait_closed()

    async def test() -> None:
        async with csms(huge) as server:
            link = await connect(server)
            assert [frame async for frame in link.frames()] == []
            assert link.closed_because.startswith("closed by the station with 1009")
            await link.close()

    run(test)


def test_csms_closes():
    async def close(websocket: ServerConnection) -> None:
        await websocket.send("last")
        await websocket.close(1012, "restart\nnow")

    async def test() -> None:
        async with csms(close) as server:
            link = await connect(server)
            assert [frame async for frame in link.frames()] == [b"last"]
            assert link.closed_because == r"closed by the CSMS with 1012: 'restart\nnow'"
            link.send("into the void")
            assert await link.drain(1)
            await link.close()

    run(test)


def test_connection_breaks_off():
    async def drop(websocket: ServerConnection) -> None:
        websocket.transport.abort()

    async def test() -> None:
        async with csms(drop) as server:
            link = await connect(server)
            assert [frame async for frame in link.frames()] == []
            assert link.closed_because == "the connection broke off"

    run(test)


def test_everything_sent_is_written_before_a_close():
    received = []

    async def collect(websocket: ServerConnection) -> None:
        received.extend([message async for message in websocket])
        received.append(websocket.close_code)

    async def test() -> None:
        async with csms(collect) as server:
            link = await connect(server)
            for number in range(50):
                link.send(str(number))
            assert await link.drain(5)
            await link.close(1001, "the station stops")
        assert received == [*map(str, range(50)), 1001]

    run(test)


def test_csms_that_does_not_read_is_left(monkeypatch):
    monkeypatch.setattr(link_module, "UNSENT_LIMIT", 1_000_000)

    async def deaf(websocket: ServerConnection) -> None:
        websocket.transport.pause_reading()
        await websocket.wait_closed()

    async def test() -> None:
        async with csms(deaf) as server:
            link = await connect(server)
            for _ in range(200):
                link.send("x" * 100_000)
                await asyncio.sleep(0)
            assert not await link.drain(0) or link.closed_because
            assert [frame async for frame in link.frames()] == []
            assert link.closed_because == "the CSMS does not read what it is sent"
            for connection in server.connections:
                connection.transport.abort()

    run(test)


def test_pings_by_their_interval():
    async def test() -> None:
        async with csms(idle) as server:
            pinged = asyncio.Event()
            link = await connect(server, ping=0.02)
            connection = next(iter(server.connections))
            original = connection.process_event

            def watch(event) -> None:
                if event.opcode is Opcode.PING:
                    pinged.set()
                original(event)

            connection.process_event = watch
            async with asyncio.timeout(5):
                await pinged.wait()
            await link.close()

    run(test)


def test_interval_of_zero_pings_not():
    async def test() -> None:
        async with csms(idle) as server:
            link = await connect(server, ping=0.0)
            link.send("x")
            await link.drain(1)
            assert link._websocket.pending_pings == {}
            await link.close()

    run(test)


def test_csms_that_answers_no_pings_is_left(monkeypatch):
    monkeypatch.setattr(link_module, "PONG_TIMEOUT", 0.05)

    async def deaf(websocket: ServerConnection) -> None:
        websocket.transport.pause_reading()
        await websocket.wait_closed()

    async def test() -> None:
        async with csms(deaf) as server:
            link = await connect(server, ping=0.02)
            assert [frame async for frame in link.frames()] == []
            assert link.closed_because == "the CSMS does not answer pings"
            for connection in server.connections:
                connection.transport.abort()

    run(test)
