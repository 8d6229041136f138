"""A person at the web interface without a browser: logs in, sends forms."""

from __future__ import annotations

import re
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar


class Page:
    """A session of ``admin`` at ``address``."""

    def __init__(self, address: str, password: str) -> None:
        self._address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._token = ""
        self._look("/login/")
        self.post("/login/", username="admin", password=password)
        self._look("/")

    def post(self, path: str, **fields: str) -> None:
        """Send a form; raises urllib.error.HTTPError where it is refused."""
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": self._token}).encode()
        self._opener.open(f"{self._address}{path}", body, timeout=10).close()

    def _look(self, path: str) -> None:
        with self._opener.open(f"{self._address}{path}", timeout=10) as answer:
            html = answer.read().decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', html)
        assert found, f"{path} has no form"
        self._token = found[1]
