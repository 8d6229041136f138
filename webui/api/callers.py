"""Who asks the API: a machine with a token, or a person whose browser is logged in (the documentation page)."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _

from webui.access import gate
from webui.accounts import tokens
from webui.accounts.models import Token
from webui.accounts.origin import origin_of, site
from webui.accounts.roles import has_role, role_of
from webui.api import pace
from webui.api.problems import Problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="station"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may come. ``token`` is None for a person with a session."""

    user: Any
    token: Token | None

    @property
    def key(self) -> str:
        """Tells callers apart, for what is kept of each."""
        return f"token:{self.token.pk}" if self.token else f"user:{self.user.pk}"

    @property
    def who(self) -> str:
        """For the log of commands: the person, and by which token."""
        name = self.user.get_username()
        return f"{name} ({self.token.name})"[:150] if self.token else name

    def may(self, scope: str) -> bool:
        """Whether the token has that scope and its owner the role for it; of a person the role alone counts."""
        return tokens.allows(self.token, scope) if self.token else has_role(self.user, tokens.NEEDS[scope])

    def need(self, scope: str) -> None:
        """Raises Problem where the caller may not do what ``scope`` is for."""
        if self.may(scope):
            return
        if self.token and scope not in self.token.scopes:
            raise Problem(
                "not-allowed",
                _("The token “%(name)s” does not have the scope “%(scope)s”.")
                % {"name": self.token.name, "scope": scope},
                headers={"WWW-Authenticate": f'Bearer realm="station", error="insufficient_scope", scope="{scope}"'},
            )
        raise Problem(
            "not-allowed",
            _("%(who)s is not in a role that may do this.") % {"who": self.user.get_username()},
        )


def unknown_but_welcome(request: HttpRequest, networks: Iterable[str]) -> bool:
    """Whether a request without a token comes from one of ``networks``, and the access rules let somebody do so."""
    address = _address(origin_of(request))
    if address is None or "Authorization" in request.headers:
        return False
    inside = any(address in network for network in map(_network, networks) if network is not None)
    return inside and not gate.refusal(None, request)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


async def of(request: HttpRequest) -> Caller:
    """Who asks; raises Problem where nobody is known, comes from where he may not, or asks too often."""
    caller = await sync_to_async(_find)(request)
    buckets = pace.READING if request.method in SAFE else pace.DOING
    _hold_back(buckets.wait(caller.key))
    return caller


def _find(request: HttpRequest) -> Caller:
    if "Authorization" in request.headers:
        token = tokens.token_of(request)
        if token is None:
            _hold_back(pace.STRANGERS.wait(site(origin_of(request))))
            raise Problem(
                "not-authenticated",
                _("This token is not known here, has expired, or its owner may not log in any more."),
                headers={"WWW-Authenticate": CHALLENGE["WWW-Authenticate"] + ', error="invalid_token"'},
            )
        caller = Caller(token.user, token)
    elif request.user.is_authenticated:
        if request.method not in SAFE and not _from_our_page(request):
            raise Problem(
                "not-allowed",
                _("A browser's login alone is not enough to change something: X-CSRFToken is missing or old."),
            )
        caller = Caller(request.user, None)
    else:
        _hold_back(pace.STRANGERS.wait(site(origin_of(request))))
        raise Problem(
            "not-authenticated",
            _("Send a token as “Authorization: Bearer …”. Tokens are made on the page of one's own account."),
            headers=CHALLENGE,
        )
    why = gate.refusal(role_of(caller.user), request)
    if why:
        raise Problem("not-allowed", why)
    return caller


def _from_our_page(request: HttpRequest) -> bool:
    """Django's own check, which the API as a whole is exempt from because a token cannot be ridden on."""
    middleware = CsrfViewMiddleware(lambda _request: HttpResponseForbidden())
    request.csrf_processing_done = False  # type: ignore[attr-defined]
    middleware.process_request(request)
    return middleware.process_view(request, _find, (), {}) is None


def _hold_back(seconds: float) -> None:
    if seconds > 0:
        wait = max(1, math.ceil(seconds))
        raise Problem(
            "too-many-requests",
            _("Ask again in %(seconds)s s, and less often.") % {"seconds": wait},
            headers={"Retry-After": str(wait)},
        )
