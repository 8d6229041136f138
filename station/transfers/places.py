"""What upload and download have in common: whom to trust, which way a server may lead, what a failure is called."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit


class LedAstray(Exception):
    """The server leads to where the file must not go, or must not come from."""


def is_secure(url: str) -> bool:
    return url.lower().startswith("https:")


def onward(url: str, target: str) -> str:
    """``target``, to which the server at ``url`` leads.

    Raises LedAstray where that is no HTTP, or leads from a protected line to an open one.
    """
    if not target.lower().startswith(("https:", "http:")) or (is_secure(url) and not is_secure(target)):
        raise LedAstray("the server leads to an unprotected place")
    return target


def origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.hostname, parts.port


def authorization(url: str) -> str:
    """HTTP Basic of the URL's user and password (N01.FR.17); empty where it has none."""
    userinfo, at, _ = urlsplit(url).netloc.rpartition("@")
    if not at:
        return ""
    user, _, password = userinfo.partition(":")
    return f"Basic {base64.b64encode(f'{unquote(user)}:{unquote(password)}'.encode()).decode()}"


def without_userinfo(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def words(error: Any) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
