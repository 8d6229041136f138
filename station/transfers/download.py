"""One try to download a file over HTTP or HTTPS (L01).

What a try has brought stays: the next one goes on from there (RFC 9110, 14: Range with If-Range), where the server says
by an ETag or a date that the file is still the same. aiohttp for the reasons given in ``upload``.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urljoin

from station.transfers.places import LedAstray, authorization, is_secure, onward, origin, without_userinfo, words

if TYPE_CHECKING:
    import aiohttp

CONNECT = 20.0  # s for the connection, name and TLS included
STALLED = 60.0  # s in which nothing comes
TOTAL = 5 * 3600.0  # s for one try; a server that gives a byte now and then must not keep it for ever
LOOK = 0.2  # s between two looks at whether it is canceled
PROGRESS = 5.0  # s between two reports
CHUNK = 64 * 1024  # bytes
LOOK_AT_DISK = 4 * 1024 * 1024  # bytes between two looks at how much is free
SPARE = 32 * 1024 * 1024  # bytes that must stay free: the database goes on
REDIRECTS = 5
LEADS_ON = (301, 302, 303, 307, 308)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(slots=True)
class Progress:
    """What is there so far, in bytes; ``total`` is 0 while it is not known, ``at`` when something last came."""

    moved: int = 0
    total: int = 0
    at: float = 0.0

    def move(self, size: int) -> None:
        self.moved += size
        self.at = time.monotonic()


class DownloadFailed(Exception):
    """Why this try brought no file, for a person."""


async def download(
    url: str,
    target: Path,
    trust: Callable[[], ssl.SSLContext],
    most_bytes: int,
    *,
    canceled: Callable[[], bool],
    tell: Callable[[Progress], Awaitable[None]],
    stalled: float = STALLED,
    total: float = TOTAL,
) -> bool:
    """Download to ``target``, whole or not at all; False where it was canceled. ``tell`` hears of the progress.

    ``trust`` makes the context that verifies a server (HTTPS). Raises DownloadFailed.
    """
    begun = told = time.monotonic()
    progress = Progress(at=begun)
    await tell(progress)
    fetching = asyncio.ensure_future(_Fetch(url, target, trust, most_bytes, progress).run())
    try:
        while not fetching.done():
            await asyncio.wait((fetching,), timeout=LOOK)
            now = time.monotonic()
            if canceled():
                return False
            if fetching.done():
                break
            if now - progress.at > stalled or now - begun > total:
                raise DownloadFailed(f"the server stood still after {progress.moved} bytes")
            if now - told >= PROGRESS:
                told = now
                await tell(progress)
    finally:
        fetching.cancel()
        await asyncio.wait((fetching,), timeout=LOOK)
    fetching.result()
    await tell(progress)
    return True


class _Fetch:
    def __init__(
        self, url: str, target: Path, trust: Callable[[], ssl.SSLContext], most_bytes: int, progress: Progress
    ) -> None:
        self._url = url
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.note")
        self._of = hashlib.sha256(url.encode()).hexdigest()  # a URL may hold a password
        self._trust = trust
        self._most_bytes = most_bytes
        self._progress = progress

    async def run(self) -> None:
        """Fetch it; raises DownloadFailed."""
        import aiohttp

        try:
            timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT, sock_connect=CONNECT, sock_read=None)
            async with aiohttp.ClientSession(
                timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            ) as session:
                await self._ask(session)
            await asyncio.to_thread(self._keep)
        except LedAstray as error:
            raise DownloadFailed(str(error)) from error
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise DownloadFailed(f"the server cannot be trusted: {words(error)}") from error
        except aiohttp.ClientConnectorError as error:
            raise DownloadFailed(f"the server cannot be reached: {words(error.os_error)}") from error
        except TimeoutError as error:
            raise DownloadFailed("the server does not answer in time") from error
        except aiohttp.ClientPayloadError as error:
            raise DownloadFailed(f"the file came only in part, {self._progress.moved} bytes of it") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise DownloadFailed(f"the connection was lost: {words(error)}") from error
        except OSError as error:
            raise DownloadFailed(f"the file cannot be kept: {error.strerror or error}") from error
        except ValueError as error:  # InvalidURL, too
            raise DownloadFailed("the URL, or where the server leads, cannot be used") from error

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        from yarl import URL

        url, first, secret = self._url, origin(self._url), authorization(self._url)
        have, validator = self._kept()
        for _ in range(REDIRECTS + 1):
            headers = {"User-Agent": "charging-station", "Accept-Encoding": "identity"}
            if have:
                headers |= {"Range": f"bytes={have}-", "If-Range": validator}
            if secret and origin(url) == first:
                headers["Authorization"] = secret
            async with session.get(
                URL(without_userinfo(url), encoded=True),  # a presigned URL must stay as it is to the letter
                headers=headers,
                ssl=await asyncio.to_thread(self._trust) if is_secure(url) else True,
                allow_redirects=False,
            ) as response:
                location = response.headers.get("Location", "")
                if response.status not in LEADS_ON or not location:
                    await self._take(response, have)
                    return
            url = onward(url, urljoin(url, location))
        raise LedAstray(f"the server led on more than {REDIRECTS} times")

    def _kept(self) -> tuple[int, str]:
        """What an earlier try left: its size, and by what the server can tell whether it is still the same file."""
        try:
            known = json.loads(self._note.read_text())
            if known["of"] == self._of and known["validator"]:
                return self._part.stat().st_size, str(known["validator"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return 0, ""

    async def _take(self, response: aiohttp.ClientResponse, have: int) -> None:
        if response.status == 206 and have:
            found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if not found or int(found[1]) != have:
                self._forget()
                raise DownloadFailed("the server went on at another place than asked")
        elif response.status == 200:
            have = 0
            self._note.write_text(json.dumps({"of": self._of, "validator": _validator(response.headers)}))
        else:
            if response.status == 416:
                self._forget()  # it is another file now, or there is nothing more of it
            raise DownloadFailed(f"the server answered {response.status}")
        length = response.content_length
        self._progress.moved = have
        self._progress.total = have + length if length is not None else 0
        self._check_room(length or 0)
        with self._part.open("ab" if have else "wb") as file:
            await self._receive(response, file)
        if self._progress.total and self._progress.moved < self._progress.total:
            raise DownloadFailed(f"the file came only in part, {self._progress.moved} bytes of it")

    async def _receive(self, response: aiohttp.ClientResponse, file: BinaryIO) -> None:
        unchecked = 0
        async for chunk in response.content.iter_chunked(CHUNK):
            unchecked += len(chunk)
            if unchecked >= LOOK_AT_DISK or self._progress.moved + len(chunk) > self._most_bytes:
                self._check_room(len(chunk))
                unchecked = 0
            file.write(chunk)
            self._progress.move(len(chunk))

    def _check_room(self, coming: int) -> None:
        if self._progress.moved + coming > self._most_bytes:
            self._forget()
            raise DownloadFailed(f"the file is larger than {self._most_bytes} bytes")
        if shutil.disk_usage(self._target.parent).free < coming + SPARE:
            self._forget()
            raise DownloadFailed("the disk is full")

    def _forget(self) -> None:
        self._note.unlink(missing_ok=True)
        self._part.unlink(missing_ok=True)

    def _keep(self) -> None:
        with self._part.open("rb+") as file:
            os.fsync(file.fileno())
        self._part.replace(self._target)
        self._note.unlink(missing_ok=True)


def _validator(headers: Any) -> str:
    """A strong ETag, or the date of the last change (RFC 9110, 13.1.5); empty where there is neither."""
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified", "")
