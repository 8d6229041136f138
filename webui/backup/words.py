"""Plain words about backups: why a file is refused, what a restore changes, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from station.backup.container import Refused

PARTS: Mapping[str, Any] = {
    "variables": _("Variables"),
    "network": _("Network slots"),
    "roots": _("Root certificates"),
    "people": _("People"),
    "accounts": _("People's settings"),
    "policies": _("Rules for logging in"),
    "cards": _("Cards"),
    "tariffs": _("Tariffs"),
    "settings": _("Name, language and letterhead"),
    "notices": _("Notices by mail and webhook"),
    "neighbourhood": _("Announcement, MQTT and metrics"),
}

NOTES: Mapping[str, Any] = {
    "no_secrets": _("The file is used without its secrets: passwords and cards stay as they are here."),
    "other_station": _("The file comes from another station of the same kind. Its identity comes with it."),
    "no_passwords": _("People who come with the file have no password yet; give them one, or an invitation."),
}

_REFUSED: Mapping[str, Any] = {
    "too_large": _("This file is too large for a backup."),
    "no_backup": _("This is no backup of a station. Choose the file that you downloaded here."),
    "damaged": _("This backup is damaged: its checksum is not right. Take another copy of it."),
    "too_new": _("This backup was made by newer software (format %(what)s). Update the firmware first."),
    "needs_passphrase": _("This backup has secrets. Enter its passphrase, or say that they are to be left out."),
    "wrong_passphrase": _("The passphrase does not open this backup."),
    "other_board": _("This backup is of another kind of station (%(what)s). It does not fit this one."),
    "bad_value": _("This backup has something that this station cannot take: %(what)s. Nothing was changed."),
    "nothing": _("All that is in this backup is here already. There is nothing to do."),
    "failed": _("It could not be done, and all is as it was: %(what)s."),
}

_KINDS: Mapping[str, Any] = {"added": _("new"), "changed": _("changed"), "removed": _("goes")}


def refused(code: str, what: str = "") -> str:
    """Why a file is not taken, or an order came to nothing."""
    return str(_REFUSED.get(code, code)) % {"what": what or "–"}


def why(error: Refused) -> str:
    return refused(error.code, error.what)


def part(name: str) -> str:
    return str(PARTS.get(name, name))


def kind(word: str) -> str:
    return str(_KINDS.get(word, word))


def note(word: str) -> str:
    return str(NOTES.get(word, word))


def busy() -> str:
    """Why nothing may be ordered now."""
    return str(_("A firmware update is under way. Wait until it is over."))
