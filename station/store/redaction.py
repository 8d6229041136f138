"""Keeps secrets out of logs and files: those that are known, wherever they stand, and what looks like one.

Every process redacts what it logs before it writes it (``project.log``), by ``clean``; what passed through its hands as
a secret it names to ``protect``. A file that leaves the station is redacted once more, by a ``Redactor`` that knows the
secrets of the whole station.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

HIDDEN = "[hidden]"
SHORTEST = 6  # characters; what is shorter would hide half of every text
LONGEST_KEY = 200  # lines of a private key in PEM
PROTECTED_MOST = 32
TOKEN_SHOWN = 4  # characters of an idToken that stay, to tell one from another

# what a secret is called where it stands behind its name
_NAMES = (
    r"passw(?:or)?d|passphrase|secret|credential|api_?key|private_?key|pin_?code|key_?code|"
    r"(?:access|auth|session|refresh|csrf)_?token|csrfmiddlewaretoken|sessionid"
)
_NAME = re.compile(_NAMES, re.IGNORECASE)
_PATTERNS = (
    # user and password in a URL
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/?#]*@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    # presigned URLs and the like carry their right in the query
    (re.compile(r"(\b(?:https?|wss?)://[^\s?#\"']+\?)[^\s\"'#]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(basic|bearer|digest)\s+[A-Za-z0-9+/._~=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            rf"(\b[\w-]{{0,40}}(?:{_NAMES})[\w-]{{0,40}}"
            r"\\?[\"']?\s*[:=]\s*)(?:\\?\"[^\"]*\"|'[^']*'|[^\s,;}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(\b(?:set-)?cookie[\"']?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE), rf"\1{HIDDEN}"),
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
        self._key_lines = 0

    def knows(self, text: str) -> bool:
        """Whether one of the known secrets stands in ``text``, in whatever spelling."""
        return self._known is not None and self._known.search(text) is not None

    def line(self, text: str) -> str:
        """``text`` without its secrets, and with its idTokens masked."""
        return _ID_TOKEN.sub(lambda found: found[1] + masked(found[2]), self.without_secrets(text))

    def without_secrets(self, text: str) -> str:
        """``text`` without its secrets; idTokens stay."""
        if self._in_key:
            self._in_key = not _PEM_END.search(text)
            self._key_lines += 1
            if self._key_lines > LONGEST_KEY:  # its end got lost
                self._in_key = False
            return HIDDEN
        begin = _PEM_BEGIN.search(text)
        if begin:
            self._in_key = not _PEM_END.search(text)
            self._key_lines = 0
            text = text[: begin.start()] + HIDDEN
        if self._known:
            text = self._known.sub(HIDDEN, text)
        for pattern, kept in _PATTERNS:
            text = pattern.sub(kept, text)
        return text

    def whole(self, text: str) -> str:
        """A text of several lines that stands by itself."""
        fresh = self._fresh()
        return "\n".join(fresh.line(line) for line in text.split("\n"))

    def whole_without_secrets(self, text: str) -> str:
        """The same, but idTokens stay."""
        fresh = self._fresh()
        return "\n".join(fresh.without_secrets(line) for line in text.split("\n"))

    def _fresh(self) -> Redactor:
        """One that is in no private key; what others are in the middle of is no concern of its."""
        fresh = Redactor()
        fresh._known = self._known
        return fresh


_protected: list[str] = []
_redactor = Redactor()


def protect(*secrets: str) -> None:
    """Keep these out of what this process logs from now on; the last few of them, for passwords change."""
    global _redactor
    new = [secret for secret in secrets if secret and secret not in _protected]
    if new:
        _protected[:] = [*_protected, *new][-PROTECTED_MOST:]
        _redactor = Redactor(_protected)


def clean(text: str) -> str:
    """What this process logs, without secrets: those named to ``protect``, and what looks like one."""
    return _redactor.whole(text)


def is_known(text: str) -> bool:
    """Whether a secret that was named to ``protect`` stands in ``text``."""
    return _redactor.knows(text)


def without_secrets(data: Any) -> Any:
    """The same for the texts within ``data``, at any depth; idTokens stay, whose place the journal is."""
    if isinstance(data, str):
        return _redactor.whole_without_secrets(data)
    if isinstance(data, dict):
        return {
            key: HIDDEN if isinstance(value, str) and _NAME.search(str(key)) else without_secrets(value)
            for key, value in data.items()
        }
    return [without_secrets(item) for item in data] if isinstance(data, list) else data


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
