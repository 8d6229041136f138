"""Somebody who is logged in to the appliance's web pages, without a browser."""

from __future__ import annotations

import html
import urllib.parse
import urllib.request
from collections.abc import Sequence
from http.cookiejar import CookieJar


class WebSession:
    """Logs in, as ``admin`` unless told otherwise; raises urllib.error.HTTPError for what the server refuses."""

    def __init__(self, port: int, *, password: str, name: str = "admin") -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self._opener.open(f"{self._url}/login/", timeout=10).close()
        self.post("/login/", [("username", name), ("password", password)])
        assert any(cookie.name.startswith("session") for cookie in self._cookies), "not logged in"

    @property
    def cookie(self) -> str:
        """The header of a request that is somebody's who is logged in."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)

    def get(self, path: str) -> str:
        """The body of a page."""
        with self._opener.open(self._url + path, timeout=10) as answer:
            return html.unescape(str(answer.read().decode()))

    def post(self, path: str, fields: Sequence[tuple[str, str]] = ()) -> str:
        """POST a form; the body of the page that it ends on."""
        token = next(str(cookie.value) for cookie in self._cookies if cookie.name.startswith("csrf"))
        body = urllib.parse.urlencode([("csrfmiddlewaretoken", token), *fields]).encode()
        request = urllib.request.Request(self._url + path, body, {"Referer": self._url})  # noqa: S310 - loopback
        with self._opener.open(request, timeout=10) as answer:
            return str(answer.read().decode())
