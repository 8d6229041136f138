"""Downloads from real servers that behave as servers in the field do, or worse."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import ssl
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from station.transfers import download as module
from station.transfers.download import DownloadFailed, Progress, download
from station.transfers.upload import trusted
from tests.support.file_server import File, FileServer
from tests.support.ports import free_port
from tests.uplink.authority import Authority

CONTENT = hashlib.sha256(b"x").digest() * 10_000  # 320 kB
MOST = 1_000_000


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(files={"/f": File(CONTENT)}) as server:
        yield server


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def tls(authority: Authority, folder: Path, name: str = "127.0.0.1") -> ssl.SSLContext:
    place = authority.issue(folder / "server", name, names=[name])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "chain.pem", place / "key.pem")
    return context


def fetch(url: str, folder: Path, **more: Any) -> bool:
    told: list[tuple[int, int]] = more.pop("told", [])

    async def tell(progress: Progress) -> None:
        told.append((progress.moved, progress.total))

    roots = more.pop("roots", ())
    options = {"canceled": lambda: False, "tell": tell, **more}
    most = options.pop("most", MOST)
    return asyncio.run(download(url, folder / "f", partial(trusted, roots), most, **options))


def failed(url: str, folder: Path, **more: Any) -> str:
    with pytest.raises(DownloadFailed) as failure:
        fetch(url, folder, **more)
    assert not (folder / "f").exists()
    return str(failure.value)


def test_a_file_comes_whole(server: FileServer, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    assert fetch(f"{server.url}/f", tmp_path, told=told)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_progress_is_told(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRESS", 0.0)
    monkeypatch.setattr(module, "LOOK", 0.01)
    server.running.clear()
    told: list[tuple[int, int]] = []
    asyncio.run(_release_later(server, f"{server.url}/f", tmp_path, told))
    assert (0, len(CONTENT)) in told
    assert told[-1] == (len(CONTENT), len(CONTENT))


async def _release_later(server: FileServer, url: str, folder: Path, told: list[tuple[int, int]]) -> None:
    async def tell(progress: Progress) -> None:
        told.append((progress.moved, progress.total))
        if progress.total:
            server.running.set()

    trust = partial(trusted, ())
    assert await download(url, folder / "f", trust, MOST, canceled=lambda: False, tell=tell)


# ------------------------------------------------------------------ going on where it stopped


def test_a_cut_connection_is_gone_on_with(server: FileServer, tmp_path: Path) -> None:
    server.files["/f"].cut_after = 100_000
    assert "only in part" in failed(f"{server.url}/f", tmp_path)
    part = (tmp_path / "f.part").stat().st_size
    assert 0 < part <= 100_000
    server.files["/f"].cut_after = None
    assert fetch(f"{server.url}/f", tmp_path)
    assert server.asked[-1] == ("/f", f"bytes={part}-")
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "change", [{"etag": '"2"'}, {"ranges": False}, {"etag": '"2"', "content": b"shorter"}, {"content": b"x" * 99}]
)
def test_another_file_meanwhile_is_taken_from_its_beginning(
    server: FileServer, tmp_path: Path, change: dict[str, Any]
) -> None:
    server.files["/f"].cut_after = 100_000
    failed(f"{server.url}/f", tmp_path)
    server.files["/f"] = File(**{"content": CONTENT[::-1], **change})
    try:
        fetch(f"{server.url}/f", tmp_path)
    except DownloadFailed:  # 416: the next try begins anew
        assert fetch(f"{server.url}/f", tmp_path)
    assert (tmp_path / "f").read_bytes() == server.files["/f"].content


@pytest.mark.parametrize("etag", ["", 'W/"1"'])
def test_without_a_strong_validator_nothing_is_gone_on_with(server: FileServer, tmp_path: Path, etag: str) -> None:
    server.files["/f"].etag, server.files["/f"].cut_after = etag, 100_000
    failed(f"{server.url}/f", tmp_path)
    server.files["/f"].cut_after = None
    assert fetch(f"{server.url}/f", tmp_path)
    assert server.asked[-1] == ("/f", "")


def test_what_belongs_to_another_url_is_not_gone_on_with(server: FileServer, tmp_path: Path) -> None:
    server.files["/f"].cut_after = 100_000
    failed(f"{server.url}/f", tmp_path)
    server.files["/g"] = File(CONTENT[::-1])
    assert fetch(f"{server.url}/g", tmp_path)
    assert (tmp_path / "f").read_bytes() == CONTENT[::-1]


def test_a_server_that_goes_on_at_another_place(server: FileServer, tmp_path: Path) -> None:
    server.files["/f"].cut_after = 100_000
    failed(f"{server.url}/f", tmp_path)
    server.files["/f"].cut_after, server.files["/f"].shift = None, 7
    assert "another place" in failed(f"{server.url}/f", tmp_path)
    assert fetch(f"{server.url}/f", tmp_path)
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_damaged_note_is_no_note(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(b"half")
    (tmp_path / "f.note").write_text("{")
    assert fetch(f"{server.url}/f", tmp_path)
    assert (tmp_path / "f").read_bytes() == CONTENT


# ------------------------------------------------------------------ failures


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410, 429, 500, 503])
def test_a_server_that_does_not_give_it(server: FileServer, tmp_path: Path, status: int) -> None:
    server.files["/f"].status = status
    assert failed(f"{server.url}/f", tmp_path) == f"the server answered {status}"


def test_a_file_larger_than_allowed_by_its_own_word(server: FileServer, tmp_path: Path) -> None:
    assert "larger than 1000 bytes" in failed(f"{server.url}/f", tmp_path, most=1000)
    assert not list(tmp_path.iterdir())


def test_an_endless_file(server: FileServer, tmp_path: Path) -> None:
    server.files["/f"].endless = True
    assert f"larger than {MOST} bytes" in failed(f"{server.url}/f", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_length_that_is_a_lie(server: FileServer, tmp_path: Path) -> None:
    server.files["/f"].lie = len(CONTENT) + 5
    assert "only in part" in failed(f"{server.url}/f", tmp_path)


def test_a_server_that_stands_still(server: FileServer, tmp_path: Path) -> None:
    server.running.clear()
    begun = time.monotonic()
    assert "stood still after 0 bytes" in failed(f"{server.url}/f", tmp_path, stalled=0.3)
    assert time.monotonic() - begun < 10


def test_a_server_that_never_comes_to_an_end(server: FileServer, tmp_path: Path) -> None:
    server.running.clear()
    assert "stood still" in failed(f"{server.url}/f", tmp_path, total=0.3)


def test_nobody_is_there(tmp_path: Path) -> None:
    assert "cannot be reached" in failed(f"http://127.0.0.1:{free_port()}/f", tmp_path)


def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    assert "cannot be reached" in failed("http://files.invalid/f", tmp_path)


@pytest.mark.parametrize("url", ["http://127.0.0.1:0/f", "http://[::1/f", "http:///f"])
def test_a_url_that_cannot_be_used(tmp_path: Path, url: str) -> None:
    assert failed(url, tmp_path)


def test_canceled(server: FileServer, tmp_path: Path) -> None:
    server.running.clear()
    assert not fetch(f"{server.url}/f", tmp_path, canceled=lambda: bool(server.asked))
    assert not (tmp_path / "f").exists()


def test_the_disk_is_full(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 5, 5))
    assert failed(f"{server.url}/f", tmp_path) == "the disk is full"
    assert not list(tmp_path.iterdir())


def test_the_disk_becomes_full(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "f.part").symlink_to("/dev/full")
    assert "No space left" in failed(f"{server.url}/f", tmp_path)


def test_a_password_goes_to_its_own_server_only(server: FileServer, tmp_path: Path) -> None:
    server.files["/f"].password = "cp:a secret"
    assert failed(f"{server.url}/f", tmp_path) == "the server answered 401"
    url = server.url.replace("://", "://cp:a%20secret@")
    server.files["/f"].cut_after = 100_000
    failed(f"{url}/f", tmp_path)
    assert "secret" not in (tmp_path / "f.note").read_text()
    server.files["/f"].cut_after = None
    assert fetch(f"{url}/f", tmp_path)
    with FileServer(files={"/f": File(CONTENT, password="cp:a secret")}) as other:
        server.files["/away"] = File(status=302, location=f"{other.url}/f")
        (tmp_path / "f").unlink()
        assert failed(f"{url}/away", tmp_path) == "the server answered 401"


# ------------------------------------------------------------------ led on


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_led_on(server: FileServer, tmp_path: Path, status: int) -> None:
    server.files["/from"] = File(status=status, location="/f")
    assert fetch(f"{server.url}/from", tmp_path)
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_led_in_a_circle(server: FileServer, tmp_path: Path) -> None:
    server.files["/a"] = File(status=302, location="/b")
    server.files["/b"] = File(status=302, location="/a")
    assert "led on more than 5 times" in failed(f"{server.url}/a", tmp_path)
    assert len(server.asked) == 6


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/f", "dummy://dummy"])
def test_led_to_something_else(server: FileServer, tmp_path: Path, location: str) -> None:
    server.files["/from"] = File(status=302, location=location)
    assert "unprotected place" in failed(f"{server.url}/from", tmp_path)


def test_led_nowhere(server: FileServer, tmp_path: Path) -> None:
    server.files["/from"] = File(status=302)
    assert failed(f"{server.url}/from", tmp_path) == "the server answered 302"


# ------------------------------------------------------------------ HTTPS


def roots(authority: Authority, folder: Path) -> tuple[str, ...]:
    return (authority.write_root(folder / "roots" / "root.pem").read_text(),)


def test_https_by_the_csmss_root(authority: Authority, tmp_path: Path) -> None:
    with FileServer(tls(authority, tmp_path), {"/f": File(CONTENT)}) as server:
        assert fetch(f"{server.url}/f", tmp_path, roots=roots(authority, tmp_path))


def test_https_of_somebody_else(authority: Authority, tmp_path: Path) -> None:
    with FileServer(tls(Authority("Another"), tmp_path), {"/f": File(CONTENT)}) as server:
        assert "cannot be trusted" in failed(f"{server.url}/f", tmp_path, roots=roots(authority, tmp_path))
        assert not server.asked


def test_https_under_another_name(authority: Authority, tmp_path: Path) -> None:
    with FileServer(tls(authority, tmp_path, "files.example"), {"/f": File(CONTENT)}) as server:
        assert "cannot be trusted" in failed(f"{server.url}/f", tmp_path, roots=roots(authority, tmp_path))


def test_https_never_leads_to_http(authority: Authority, server: FileServer, tmp_path: Path) -> None:
    away = File(status=302, location=f"{server.url}/f")
    with FileServer(tls(authority, tmp_path), {"/f": away}) as protected:
        assert "unprotected" in failed(f"{protected.url}/f", tmp_path, roots=roots(authority, tmp_path))
    assert not server.asked
