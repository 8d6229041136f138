"""Tokens for machines: 256 random bits, shown once and kept as a digest.

A token acts as the person it belongs to: what that person may not do, it may not either, and with the account it is
switched off. A digest without salt is enough, because nobody guesses 256 bits.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webui.accounts.models import Token
from webui.accounts.origin import origin_of
from webui.accounts.roles import Role, has_role

READ, CONTROL, CONFIGURE = "read", "control", "configure"
SCOPES: Mapping[str, Any] = {
    READ: _("Read: status, sessions, figures"),
    CONTROL: _("Control: start, stop, unlock, limit the current"),
    CONFIGURE: _("Configure: change settings"),
}
NEEDS = {READ: Role.OWNER, CONTROL: Role.OWNER, CONFIGURE: Role.INSTALLER}  # the role a scope is of use to
PREFIX = "st_"  # so that a token that has leaked is found by whoever looks for it
NOTED_EVERY = timedelta(minutes=10)  # how fresh "last used" is; each note is a write to the flash
LONGEST = 100  # characters of what may be presented
MOST = 50  # tokens of one person


def make(user: Any, name: str, scopes: Iterable[str], expires: datetime | None) -> tuple[Token, str]:
    """A new token of ``user``, and the text that is to be shown once."""
    text = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        user=user,
        name=name,
        digest=_digest(text),
        begins=text[: len(PREFIX) + 4],
        scopes=[scope for scope in SCOPES if scope in set(scopes)],
        made=timezone.now(),
        expires=expires,
    )
    return token, text


def find(presented: str, origin: str = "") -> Token | None:
    """The token of that text, with its ``user``; None where there is none, it has expired or its owner may not log in.

    ``origin`` is the address that it came from, noted with the time of use.
    """
    if not presented.startswith(PREFIX) or len(presented) > LONGEST:
        return None
    token = Token.objects.select_related("user").filter(digest=_digest(presented)).first()
    now = timezone.now()
    if token is None or not token.user.is_active or expired(token, now):
        return None
    if token.used is None or abs(now - token.used) > NOTED_EVERY or token.address != origin[:64]:
        token.used, token.address = now, origin[:64]
        Token.objects.filter(pk=token.pk).update(used=token.used, address=token.address)
    return token


def token_of(request: HttpRequest) -> Token | None:
    """The token that ``request`` brings as ``Authorization: Bearer``; None where it brings no good one."""
    kind, _space, presented = request.headers.get("Authorization", "").partition(" ")
    return find(presented.strip(), origin_of(request)) if kind.lower() == "bearer" else None


async def atoken_of(request: HttpRequest) -> Token | None:
    """``token_of`` for async views."""
    return await sync_to_async(token_of)(request)


def allows(token: Token, scope: str) -> bool:
    """Whether the token has ``scope``, and its owner the role for it."""
    return scope in token.scopes and has_role(token.user, NEEDS[scope])


def expired(token: Token, now: datetime) -> bool:
    return token.expires is not None and token.expires <= now


def offered(user: Any) -> list[tuple[str, Any]]:
    """The scopes that are of use to ``user``, as choices."""
    return [(scope, words) for scope, words in SCOPES.items() if has_role(user, NEEDS[scope])]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
