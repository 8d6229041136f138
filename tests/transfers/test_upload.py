"""One attempt, against real servers on loopback: as they should be, and as they are."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from station.transfers.upload import CHUNK, Progress, Result, trusted, upload
from tests.support.log_server import Manner, UploadServer
from tests.uplink.authority import Authority

NAME = "diagnostics_CP_20260301T120000Z_1.log.gz"
CONTENT = gzip.compress(bytes(range(256)) * 4000, compresslevel=0)  # several chunks


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "log.gz"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def server() -> Iterator[UploadServer]:
    with UploadServer() as server:
        yield server


def send(file: Path, url: str, *, roots: Iterable[str] = (), stalled: float = 10.0, total: float = 30.0) -> Result:
    async def tell(progress: Progress) -> None:
        pass

    result = asyncio.run(
        upload(file, NAME, url, lambda: trusted(roots), canceled=lambda: False, tell=tell, stalled=stalled, total=total)
    )
    assert result is not None
    return result


def test_put(server: UploadServer, file: Path) -> None:
    assert send(file, f"{server.url}/upload?right=a%2Fb%3D")[0] == "Uploaded"
    (taken,) = server.uploads
    assert (taken.method, taken.path) == ("PUT", "/upload?right=a%2Fb%3D")
    assert taken.content == CONTENT
    assert taken.filename == NAME
    assert taken.headers["content-type"] == "application/gzip"
    assert taken.headers["content-length"] == str(len(CONTENT))
    assert "authorization" not in taken.headers


def test_into_a_folder(server: UploadServer, file: Path) -> None:
    server.manners["/logs/"] = Manner()
    assert send(file, f"{server.url}/logs/")[0] == "Uploaded"
    assert server.uploads[0].path == f"/logs/{NAME}"


@pytest.mark.parametrize("put", [404, 405, 501])
def test_post_where_there_is_no_put(server: UploadServer, file: Path, put: int) -> None:
    server.manners["/upload"] = Manner(put=put)
    assert send(file, f"{server.url}/upload")[0] == "Uploaded"
    (taken,) = server.uploads
    assert (taken.method, taken.field_name, taken.filename) == ("POST", "uploadfile", NAME)
    assert taken.content == CONTENT


def test_user_and_password(server: UploadServer, file: Path) -> None:
    server.manners["/upload"] = Manner(put=405, password="cp 1:p@ss/wörd")
    url = server.url.replace("://", "://cp%201:p%40ss%2Fw%C3%B6rd@")
    assert send(file, f"{url}/upload")[0] == "Uploaded"
    assert server.refused == [("PUT", "/upload", 405)]
    assert send(file, f"{server.url}/upload")[0] == "PermissionDenied"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (204, "Uploaded"),
        (302, "UploadFailure"),
        (400, "BadMessage"),
        (401, "PermissionDenied"),
        (403, "PermissionDenied"),
        (404, "UploadFailure"),
        (405, "NotSupportedOperation"),
        (413, "BadMessage"),
        (500, "UploadFailure"),
        (501, "NotSupportedOperation"),
        (503, "UploadFailure"),
        (0, "UploadFailure"),
    ],
)
def test_what_the_server_answers(server: UploadServer, file: Path, answer: int, status: str) -> None:
    server.manners["/upload"] = Manner(put=answer, post=answer)
    assert send(file, f"{server.url}/upload")[0] == status


def test_sent_on(server: UploadServer, file: Path) -> None:
    server.manners["/old"] = Manner(put=307, location="/upload", password="a:b")
    assert send(file, f"{server.url.replace('://', '://a:b@')}/old")[0] == "Uploaded"
    assert server.uploads[0].headers["authorization"]


def test_the_password_does_not_go_to_another_server(server: UploadServer, file: Path) -> None:
    with UploadServer() as other:
        server.manners["/old"] = Manner(put=308, location=f"{other.url}/upload")
        assert send(file, f"{server.url.replace('://', '://a:b@')}/old")[0] == "Uploaded"
        assert "authorization" not in other.uploads[0].headers


def test_sent_round_in_circles(server: UploadServer, file: Path) -> None:
    server.manners["/old"] = Manner(put=307, location="/old")
    assert send(file, f"{server.url}/old") == ("UploadFailure", "the server sent the file on more than 3 times")


def test_nobody_there(file: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        status, detail = send(file, f"http://127.0.0.1:{bound.getsockname()[1]}/upload")
    assert status == "UploadFailure"
    assert "cannot be reached" in detail


def test_no_such_name(file: Path) -> None:
    assert send(file, "http://name.invalid/upload")[0] == "UploadFailure"


def test_no_http(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"

        async def answer_nonsense() -> Result:
            async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read(100)
                writer.write(b"220 ftp server ready\r\n\r\n")
                await writer.drain()
                writer.close()

            async def tell(progress: Progress) -> None:
                pass

            async with await asyncio.start_server(talk, sock=listening):
                result = await upload(
                    file, NAME, url, lambda: trusted(()), canceled=lambda: False, tell=tell, stalled=10
                )
                assert result is not None
                return result

        assert asyncio.run(answer_nonsense())[0] in ("UploadFailure", "BadMessage")


def test_a_server_that_never_answers(server: UploadServer, file: Path) -> None:
    server.running.clear()
    status, detail = send(file, f"{server.url}/upload", stalled=0.5)
    assert status == "UploadFailure"
    assert "stood still" in detail


def test_canceled_while_the_server_holds(server: UploadServer, file: Path) -> None:
    server.running.clear()
    progress: list[Progress] = []

    async def tell(told: Progress) -> None:
        progress.append(told)

    url = f"{server.url}/upload"
    canceled = asyncio.run(upload(file, NAME, url, lambda: trusted(()), canceled=server.asked.is_set, tell=tell))
    assert canceled is None
    assert progress[0].total == len(CONTENT) > CHUNK


# ------------------------------------------------------------------ TLS


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def roots(authority: Authority) -> tuple[str, ...]:
    return "no certificate", authority.root


def secure(authority: Authority, folder: Path, name: str = "127.0.0.1", days: int = 30) -> ssl.SSLContext:
    place = authority.issue(folder, name, names=[name], days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "chain.pem", place / "key.pem")
    return context


def test_https_with_a_certificate_of_the_csms_root(
    authority: Authority, roots: tuple[str, ...], file: Path, tmp_path: Path
) -> None:
    with UploadServer(tls=secure(authority, tmp_path / "server")) as server:
        assert send(file, f"{server.url}/upload", roots=roots)[0] == "Uploaded"
        assert server.uploads[0].content == CONTENT


@pytest.mark.parametrize(
    ("name", "days", "installed"), [("127.0.0.1", 30, False), ("127.0.0.2", 30, True), ("127.0.0.1", -1, True)]
)
def test_https_with_a_certificate_that_is_not_to_be_trusted(
    authority: Authority, roots: tuple[str, ...], file: Path, tmp_path: Path, name: str, days: int, installed: bool
) -> None:
    """Not of an installed root; for another name; expired."""
    with UploadServer(tls=secure(authority, tmp_path / "server", name, days)) as server:
        place = roots if installed else ()
        status, detail = send(file, f"{server.url}/upload", roots=place)
        assert status == "UploadFailure"
        assert "cannot be trusted" in detail
        assert not server.uploads


def test_never_from_https_to_http(authority: Authority, roots: tuple[str, ...], file: Path, tmp_path: Path) -> None:
    with UploadServer() as plain, UploadServer(tls=secure(authority, tmp_path / "server")) as server:
        server.manners["/upload"] = Manner(put=307, location=f"{plain.url}/upload")
        status, detail = send(file, f"{server.url}/upload", roots=roots)
        assert (status, detail) == ("UploadFailure", "the server leads to an unprotected place")
        assert not plain.uploads


def test_http_where_https_is_asked_for(server: UploadServer, file: Path) -> None:
    assert send(file, f"{server.url.replace('http:', 'https:')}/upload")[0] == "UploadFailure"
