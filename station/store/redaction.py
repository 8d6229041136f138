"""Keeps secrets out of what leaves the station: those it knows, wherever they stand, and what looks like one."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

HIDDEN = "[hidden]"
SHORTEST = 6  # characters; what is shorter would hide half of every text
TOKEN_SHOWN = 4  # characters of an idToken that stay, to tell one from another

_PATTERNS = (
    # user and password in a URL
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/?#]*@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    # presigned URLs and the like carry their right in the query
    (re.compile(r"(\bhttps?://[^\s?#\"']+\?)[^\s\"'#]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(basic|bearer|digest)\s+[A-Za-z0-9+/._~=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"(\b[\w-]*(?:passw(?:or)?d|passphrase|secret|credential|api_?key|private_?key|pin_?code)[\w-]*"
            r"[\"']?\s*[:=]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s,;}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\bsealed:\d+:[A-Za-z0-9+/=]+"), HIDDEN),
)
_ID_TOKEN = re.compile(r"(\b(?:group_?)?id_?token[\"']?\s*[:=]\s*[\"']?)([^\s\"',;}\]]+)", re.IGNORECASE)
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")


class Redactor:
    """Line by line, in order, for a private key takes several. ``secrets`` are those that the station knows."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {spelling for secret in secrets if len(secret) >= SHORTEST for spelling in _spellings(secret)}
        longest_first = sorted(spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self._in_key = False

    def line(self, text: str) -> str:
        """``text`` without its secrets."""
        if self._in_key:
            self._in_key = not _PEM_END.search(text)
            return HIDDEN
        begin = _PEM_BEGIN.search(text)
        if begin:
            self._in_key = not _PEM_END.search(text)
            text = text[: begin.start()] + HIDDEN
        if self._known:
            text = self._known.sub(HIDDEN, text)
        for pattern, kept in _PATTERNS:
            text = pattern.sub(kept, text)
        return _ID_TOKEN.sub(lambda found: found[1] + masked(found[2]), text)


def masked(token: str) -> str:
    """An idToken as a log may show it: who has it can charge in its owner's name."""
    if token.startswith("…"):
        return token  # masked already
    return f"…{token[-TOKEN_SHOWN:]}" if len(token) > 2 * TOKEN_SHOWN else "…"


def without_tokens(data: Any) -> Any:
    """A journal entry's data with its idTokens masked."""
    if isinstance(data, dict):
        return {
            key: masked(value)
            if isinstance(value, str) and key in ("id_token", "group_id_token", "uid")
            else without_tokens(value)
            for key, value in data.items()
        }
    return [without_tokens(item) for item in data] if isinstance(data, list) else data


def _spellings(secret: str) -> Iterable[str]:
    """As it is, in a URL, and within the Base64 of HTTP Basic authentication, wherever in a triple it begins."""
    yield secret
    yield quote(secret, safe="")
    for lead in range(3):
        encoded = base64.b64encode(b"x" * lead + secret.encode()).decode()
        # the first and last signs depend on what stands beside it
        begin, rest = -(-lead * 8 // 6), (lead + len(secret.encode())) % 3
        core = encoded.rstrip("=")[begin : -1 if rest else None]
        if len(core) >= SHORTEST:
            yield core
