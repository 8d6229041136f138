"""The way through the rooms: one table, read by templates/base.html and templates/_tabs.html.

To add a room, add an ``Entry``: to ``STATION`` or ``ADMINISTRATION``, where it becomes a tab of that group, or, for
what people use day by day, to ``MAIN``. The first ``ON_A_PHONE`` are always there, on a desk ``ON_A_DESK``; the rest
is behind "More".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from webui.accounts.roles import Role, has_role
from webui.bench import client
from webui.keypad import offer

ON_A_PHONE, ON_A_DESK = 4, 6  # and "More"


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Entry:
    """One room. ``url`` is the name of its address, ``icon`` one of static/img/icons.svg (a tab shows none).

    ``rooms`` are the names of other addresses that belong to it; one that ends in "-" stands for all that begin so.
    ``when`` is asked on each page, and only of those who have the role.
    """

    url: str
    words: Any
    icon: str = ""
    role: Role = Role.OWNER
    rooms: tuple[str, ...] = ()
    when: Callable[[], bool] = _always

    def holds(self, room: str) -> bool:
        """Whether the address of that name belongs to it."""
        return room == self.url or any(
            room.startswith(name) if name.endswith("-") else room == name for name in self.rooms
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Several rooms under one name; it leads to the first of them that is open to the person."""

    words: Any
    icon: str
    entries: tuple[Entry, ...]


STATION = Group(
    _("Station"),
    "chip",
    (
        Entry("network", _("Network"), role=Role.INSTALLER, rooms=("network-",)),
        Entry("certificates", _("Certificates"), role=Role.INSTALLER, rooms=("certificate-",)),
        Entry("firmware", _("Firmware"), role=Role.INSTALLER, rooms=("firmware-",)),
        Entry("queue", _("Queue"), role=Role.INSTALLER),
        Entry("device-model", _("Variables"), role=Role.INSTALLER, rooms=("variable", "set-variable")),
        Entry("trace", _("Messages"), role=Role.INSTALLER, rooms=("trace-",)),
        Entry("backup", _("Backup"), role=Role.INSTALLER, rooms=("backup-",)),
        Entry("hardware", _("Hardware"), role=Role.INSTALLER, rooms=("hardware-",)),
        Entry("commissioning", _("Commissioning"), role=Role.INSTALLER, rooms=("commissioning-",)),
    ),
)

ADMINISTRATION = Group(
    _("Administration"),
    "people",
    (
        Entry("people", _("People"), role=Role.ADMINISTRATOR, rooms=("people-", "person", "person-")),
        Entry("audit", _("Audit log"), role=Role.ADMINISTRATOR, rooms=("audit-",)),
        Entry("access", _("Access rules"), role=Role.ADMINISTRATOR, rooms=("access-",)),
        Entry("https", _("HTTPS"), role=Role.ADMINISTRATOR, rooms=("https-",)),
        Entry("vpn", _("VPN"), role=Role.ADMINISTRATOR, rooms=("vpn-",)),
        Entry("neighbourhood", _("Neighbourhood"), role=Role.ADMINISTRATOR, rooms=("neighbourhood-",)),
        Entry("api", pgettext_lazy("navigation", "API"), role=Role.ADMINISTRATOR),
    ),
)

SETTINGS = Group(
    _("Settings"),
    "gear",
    (
        Entry("settings", _("Station and tariff"), rooms=("settings-",)),
        Entry("notices", _("Notices"), "bell", rooms=("notices-",)),
    ),
)

MAIN: tuple[Entry | Group, ...] = (
    Entry("dashboard", _("Overview"), "gauge"),
    Entry("sessions", _("Sessions"), "list", rooms=("session", "session-", "work", "work-")),
    Entry("cards", _("Cards"), "card", rooms=("card", "card-", "cards-")),
    STATION,
    SETTINGS,
    Entry("keypad", _("Key code"), "unlock", rooms=("keypad-",), when=offer.takes_key_codes),
    Entry(
        "logs",
        pgettext_lazy("navigation", "Logs"),
        "clock",
        rooms=("log-", "security-log", "clear-security-log", "name-customer", "conformance", "conformance-"),
    ),
    ADMINISTRATION,
    Entry("bench", _("Bench"), "bench", rooms=("bench-",), when=client.exists),
)


class Link(NamedTuple):
    """A link ready for a page. ``fold``: 0 always seen, 1 on a phone behind "More", 2 on a desk, too."""

    href: str
    words: Any
    icon: str
    current: bool
    fold: int = 0


def bar(request: HttpRequest) -> list[Link]:
    """The main links of whoever asks; the one that is open is marked."""
    room, found = _room(request), []
    for one in MAIN:
        entries = [entry for entry in _entries(one) if _open(entry, request)]
        if entries:
            current = any(entry.holds(room) for entry in entries)
            found.append(Link(reverse(entries[0].url), one.words, one.icon, current))
    return [link._replace(fold=_fold(place, len(found))) for place, link in enumerate(found)]


def _fold(place: int, count: int) -> int:
    """One that would be alone behind "More" needs no more room than that does."""
    phone = place >= ON_A_PHONE and count > ON_A_PHONE + 1
    desk = place >= ON_A_DESK and count > ON_A_DESK + 1
    return 2 if desk else 1 if phone else 0


def tabs(request: HttpRequest) -> list[Link]:
    """The rooms beside the one that is open, in its group; empty where it is in none."""
    room = _room(request)
    for one in MAIN:
        if isinstance(one, Group) and any(entry.holds(room) for entry in one.entries):
            return [
                Link(reverse(entry.url), entry.words, entry.icon, entry.holds(room))
                for entry in one.entries
                if _open(entry, request)
            ]
    return []


def group(request: HttpRequest) -> Any:
    """The name of the group that is open, or an empty one."""
    room = _room(request)
    for one in MAIN:
        if isinstance(one, Group) and any(entry.holds(room) for entry in one.entries):
            return one.words
    return ""


def icons() -> set[str]:
    """Every icon that the table names."""
    return {one.icon for part in MAIN for one in (part, *_entries(part)) if one.icon}


def _entries(one: Entry | Group) -> tuple[Entry, ...]:
    return one.entries if isinstance(one, Group) else (one,)


def _open(entry: Entry, request: HttpRequest) -> bool:
    return has_role(request.user, entry.role) and entry.when()


def _room(request: HttpRequest) -> str:
    match = request.resolver_match
    return (match.view_name or "") if match else ""
