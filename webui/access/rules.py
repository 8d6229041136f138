"""Which role may come from where."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import Error as DatabaseError

from webui.access import vpn_name
from webui.access.models import Setting
from webui.access.origin import Network, Origin, Place, address_of, judge
from webui.accounts.roles import Role

log = logging.getLogger(__name__)

KEY = "rules"
CHOICES = (Place.LOCAL, Place.VPN, Place.ELSEWHERE)  # what can be chosen
DELIVERED = frozenset({Place.LOCAL, Place.VPN})
MOST_SITES = 16


@dataclass(frozen=True, slots=True)
class Rules:
    """``places`` has every role; ``sites`` are networks behind a router that count as local.

    From the station itself everybody may come, whatever is set. Whoever opens a connection there has a terminal on it,
    and could set a password with ``manage.py provision`` as well: a rule would keep nobody out, and would take away
    the one way back when an administrator has locked out everybody.
    """

    places: Mapping[Role, frozenset[Place]] = field(default_factory=lambda: dict.fromkeys(Role, DELIVERED))
    sites: tuple[Network, ...] = ()

    def permit(self, role: Role | None, place: Place) -> bool:
        """Whether somebody of that role may come from there; ``role`` None: whether anybody may."""
        if place is Place.STATION:
            return True
        if role is None:
            return any(place in places for places in self.places.values())
        return place in self.places[role]

    def roles_from(self, place: Place) -> list[Role]:
        return [role for role in Role if self.permit(role, place)]

    @property
    def vpn_only(self) -> bool:
        """Administration from the VPN only."""
        others = (self.places[Role.OWNER], self.places[Role.INSTALLER])
        return self.places[Role.ADMINISTRATOR] == {Place.VPN} and all(places == DELIVERED for places in others)

    @property
    def delivered(self) -> bool:
        return all(places == DELIVERED for places in self.places.values())

    def written(self) -> dict[str, Any]:
        return {
            **{role.word: sorted(self.places[role]) for role in Role},
            "sites": [str(site) for site in self.sites],
        }


def vpn_only(sites: tuple[Network, ...] = ()) -> Rules:
    """Administration from the VPN only, the others as delivered."""
    return Rules({**dict.fromkeys(Role, DELIVERED), Role.ADMINISTRATOR: frozenset({Place.VPN})}, sites)


def read(value: Any) -> Rules:
    """The rules behind ``written()``. What cannot be read there is as delivered, and never more open."""
    if not isinstance(value, dict):
        return Rules()
    places = dict.fromkeys(Role, DELIVERED)
    for role in Role:
        kept = value.get(role.word)
        if isinstance(kept, list):
            places[role] = frozenset(place for place in CHOICES if str(place) in kept)
    sites = value.get("sites")
    return Rules(places, tuple(_networks(sites if isinstance(sites, list) else [])))


def _networks(texts: list[Any]) -> list[Network]:
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(str(text)))
        except ValueError:
            log.warning("access rules: %r is no network", text)
    return found


# ---------------------------------------------------------------------- in force

_known: Rules | None = None  # the web server is one process, and all that changes them goes through here


def current() -> Rules:
    """Those in force. The first call reads the database."""
    global _known
    if _known is None:
        try:
            row = Setting.objects.filter(pk=KEY).first()
        except DatabaseError as error:
            log.error("the access rules cannot be read, those as delivered hold: %s", error)
            return Rules()
        _known = read(row.value) if row else Rules()
    return _known


def put(rules: Rules) -> None:
    """Have ``rules`` in force from now on."""
    global _known
    Setting.objects.update_or_create(pk=KEY, defaults={"value": rules.written()})
    _known = rules


def forget() -> None:
    """Read them anew at the next call."""
    global _known
    _known = None


def origin_of(source: Any) -> Origin:
    """Where a request (Django's) or a connection (an ASGI scope) comes from."""
    return judge(address_of(source), current().sites, vpn_name())


def may_come(role: Role | None, source: Any) -> bool:
    """Whether somebody of ``role`` may come from where that request or connection comes from.

    For whoever finds out by himself who somebody is (API tokens); accounts are looked at by ``access.gate``.
    """
    return current().permit(role, origin_of(source).place)
