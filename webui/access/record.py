"""What an administrator changed here, on the record: a command that says what was, for the station's security log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from station.store.models import Command
from webui.access.origin import address_of
from webui.commands import filing

ACTION = "web_security"

WORDS: Mapping[str, Any] = {
    "set_access_rules": _("set the access rules"),
    "set_vpn": _("set the VPN up"),
    "import_vpn": _("took in a file for the VPN"),
    "switch_vpn": _("switched the VPN on or off"),
    "new_vpn_key": _("made another key for the VPN"),
    "upload_certificate": _("uploaded a certificate for the web server"),
    "remove_certificate": _("removed the web server's uploaded certificate"),
    "keep_trial": _("kept a change that was on trial"),
    "take_back_trial": _("took back a change that was on trial"),
}


def note(request: HttpRequest | None, what: str, facts: dict[str, Any]) -> None:
    """``what`` is one of ``WORDS``; ``facts`` hold no secret. Without a request it was the station itself."""
    user: Any = request.user if request is not None else None
    command = Command.objects.create(
        user=user,
        who=user.get_username() if user is not None else "",
        action=ACTION,
        arguments={"what": what, "origin": address_of(request) if request is not None else "", **facts},
    )
    async_to_sync(filing.nudge)(command)


def words(arguments: Mapping[str, Any]) -> str:
    """The sentence for the audit log."""
    what = str(arguments.get("what", ""))
    return str(WORDS.get(what) or what.replace("_", " "))
