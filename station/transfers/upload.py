"""One attempt to upload a file over HTTP or HTTPS (N01.FR.02, N01.FR.14 to .19).

aiohttp, because an upload must stop at once when it is canceled, whatever it waits for: a name, a connection, a server
that does not read. It is loaded with the first upload only; a station that never uploads need not carry it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from station.transfers.places import LedAstray, authorization, is_secure, onward, origin, without_userinfo, words

if TYPE_CHECKING:
    import aiohttp

CONNECT = 20.0  # s for the connection, name and TLS included
STALLED = 60.0  # s in which nothing moves
TOTAL = 1800.0  # s; a server that takes a byte now and then must not hold the worker for ever
LOOK = 0.2  # s between two looks at whether it is canceled
PROGRESS = 5.0  # s between two reports
CHUNK = 64 * 1024  # bytes
REDIRECTS = 3
CONTENT_TYPE = "application/gzip"
BOUNDARY = "station-log-7f9c2ba4e88f827d"  # no gzip of ours contains it: checked before it is used
NOT_FOR_PUT = (404, 405, 501)  # what servers answer that want a POST (N01.FR.18)

UPLOADED, FAILED = "Uploaded", "UploadFailure"
_STATUSES = {
    **dict.fromkeys((401, 403, 407), "PermissionDenied"),
    **dict.fromkeys((405, 501), "NotSupportedOperation"),
    **dict.fromkeys((400, 411, 413, 415, 422), "BadMessage"),
}


@dataclass(slots=True)
class Progress:
    """What has left so far, in bytes; ``at`` is when something last moved (monotonic)."""

    total: int
    moved: int = 0
    at: float = field(default_factory=time.monotonic)

    def move(self, size: int) -> None:
        self.moved += size
        self.at = time.monotonic()


Result = tuple[str, str]  # an UploadLogStatusEnumType, and a sentence


async def upload(
    file: Path,
    filename: str,
    url: str,
    trust: Callable[[], ssl.SSLContext],
    *,
    canceled: Callable[[], bool],
    tell: Callable[[Progress], Awaitable[None]],
    stalled: float = STALLED,
    total: float = TOTAL,
) -> Result | None:
    """Upload ``file`` as ``filename``; None where it was canceled. ``tell`` hears of the progress at once and again.

    ``trust`` makes the context that verifies a server (HTTPS). No failure of the network or server raises.
    """
    content = await asyncio.to_thread(file.read_bytes)
    progress = Progress(len(content))
    begun = told = time.monotonic()
    await tell(progress)
    sending = asyncio.ensure_future(_send(content, filename, url, trust, progress))
    try:
        while not sending.done():
            await asyncio.wait((sending,), timeout=LOOK)
            now = time.monotonic()
            if canceled():
                return None
            if sending.done():
                break
            if now - progress.at > stalled or now - begun > total:
                return FAILED, f"the server stood still after {progress.moved} of {progress.total} bytes"
            if now - told >= PROGRESS:
                told = now
                await tell(progress)
    finally:
        sending.cancel()
        await asyncio.wait((sending,), timeout=LOOK)
    return sending.result()


async def _send(
    content: bytes, filename: str, url: str, trust: Callable[[], ssl.SSLContext], progress: Progress
) -> Result:
    import aiohttp

    try:
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT, sock_connect=CONNECT, sock_read=None)
        # No proxy of the environment, no cookies: the CSMS names the server, and it is reached as named.
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            return await _Courier(session, trust, content, filename, progress).deliver(url)
    except LedAstray as error:
        return FAILED, str(error)
    except (aiohttp.ClientSSLError, ssl.SSLError) as error:
        return FAILED, f"the server cannot be trusted: {words(error)}"
    except (aiohttp.InvalidURL, ValueError):
        return "BadMessage", "the URL cannot be used"
    except aiohttp.ClientConnectorError as error:
        return FAILED, f"the server cannot be reached: {words(error.os_error)}"
    except TimeoutError:
        return FAILED, "the server does not answer in time"
    except aiohttp.ClientPayloadError as error:
        return "BadMessage", f"the server's answer cannot be understood: {words(error)}"
    except (aiohttp.ClientError, OSError) as error:
        return FAILED, f"the connection was lost: {words(error)}"


@dataclass(slots=True)
class _Courier:
    """Carries one file to where the server wants it."""

    session: aiohttp.ClientSession
    trust: Callable[[], ssl.SSLContext]
    content: bytes
    filename: str
    progress: Progress

    async def deliver(self, url: str) -> Result:
        """PUT first, which needs no form; POST where the server has no PUT there."""
        status = await self._request("PUT", _for_put(url, self.filename))
        if status in NOT_FOR_PUT:
            status = await self._request("POST", url)
        if 200 <= status < 300:
            if self.progress.moved < self.progress.total:
                return "BadMessage", f"the server answered {status} before it had the whole file"
            return UPLOADED, f"{self.progress.total} bytes"
        return _STATUSES.get(status, FAILED), f"the server answered {status}"

    async def _request(self, method: str, url: str) -> int:
        """One request, and those it is sent on to; returns the HTTP status."""
        from yarl import URL

        first = origin(url)
        secret = authorization(url)
        for _ in range(REDIRECTS + 1):
            body, headers = self._form() if method == "POST" else self._plain()
            if secret and origin(url) == first:
                headers["Authorization"] = secret
            self.progress.moved = 0
            async with self.session.request(
                method,
                URL(without_userinfo(url), encoded=True),  # a presigned URL must stay as it is to the letter
                data=self._flow(body),
                headers=headers,
                ssl=await asyncio.to_thread(self.trust) if is_secure(url) else True,
                allow_redirects=False,
            ) as response:
                location = response.headers.get("Location", "")
                if response.status not in (307, 308) or not location:
                    return response.status
            url = onward(url, urljoin(url, location))
        raise LedAstray(f"the server sent the file on more than {REDIRECTS} times")

    def _plain(self) -> tuple[list[bytes], dict[str, str]]:
        disposition = f'attachment; filename="{self.filename}"'
        return [self.content], self._headers(len(self.content), CONTENT_TYPE, disposition)

    def _form(self) -> tuple[list[bytes], dict[str, str]]:
        """RFC 7578, and N01.FR.19: the file is the field ``uploadfile``."""
        disposition = f'form-data; name="uploadfile"; filename="{self.filename}"'
        boundary = BOUNDARY
        while boundary.encode() in self.content:
            boundary += "x"
        head = (f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {CONTENT_TYPE}\r\n\r\n").encode()
        parts = [head, self.content, f"\r\n--{boundary}--\r\n".encode()]
        length = sum(map(len, parts))
        return parts, self._headers(length, f"multipart/form-data; boundary={boundary}", "")

    def _headers(self, length: int, content_type: str, disposition: str) -> dict[str, str]:
        headers = {"Content-Type": content_type, "Content-Length": str(length), "User-Agent": "charging-station"}
        return {**headers, "Content-Disposition": disposition} if disposition else headers

    async def _flow(self, parts: list[bytes]) -> AsyncIterator[bytes]:
        for part in parts:
            for begin in range(0, len(part), CHUNK):
                chunk = part[begin : begin + CHUNK]
                yield chunk  # and only when this one has left does it go on here
                if part is self.content:
                    self.progress.move(len(chunk))


def trusted(roots: Iterable[str]) -> ssl.SSLContext:
    """Verifies a server by the CSMS's roots (N01.FR.15) and the usual ones of the machine (N01.FR.16), name included.

    ``roots`` are PEM texts; one that cannot be read is passed over.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for root in roots:
        with suppress(ValueError, ssl.SSLError):
            context.load_verify_locations(cadata=root)
    return context


def _for_put(url: str, filename: str) -> str:
    """A URL that ends in a slash names a folder; the file is put into it."""
    parts = urlsplit(url)
    if not parts.path.endswith("/") and parts.path:
        return url
    return urlunsplit(parts._replace(path=f"{parts.path or '/'}{quote(filename)}"))
