"""Why a notice did not get through, in plain words, with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

_WHY: Mapping[str, Any] = {
    "name": _("The name of the server is not known. Check its spelling, and the station's name server."),
    "unreachable": _("The server cannot be reached. Check address and port, and whether a firewall is in the way."),
    "timeout": _("The server did not answer in time. Check address and port, and the kind of encryption."),
    "untrusted": _("The server's certificate is not trusted, so nothing was sent to it."),
    "tls": _("No encrypted connection came about. Perhaps the server wants another kind of encryption at this port."),
    "not_supported": _("The server does not offer what was asked of it, such as STARTTLS or a login."),
    "credentials": _("The server does not take this user and password."),
    "sender": _("The server does not take this sender's address."),
    "recipient": _("The server does not take an address that the mail should go to."),
    "broken_off": _("The server broke off. Perhaps it wants another kind of encryption at this port."),
    "refused": _("The server refused the mail."),
    "protocol": _("What answers there is not the kind of server that was expected."),
    "settings": _("The settings cannot be used. Enter password and address again."),
    "url": _("This is no web address that a notice can go to."),
    "userinfo": _("A web address with user and password in it is not taken."),
    "redirect": _("The server wants to send the station elsewhere, which it does not follow. Enter the final address."),
    "status": _("The server did not accept the notice."),
    "loopback": _("That address is the station itself. Notices have to go elsewhere."),
    "no_place": _("That address is no place that a notice can go to."),
    "unprotected": _("Beyond the local network a notice only goes by https."),
    "switched_off": _("This way was switched off meanwhile."),
}


def why(word: str, detail: str = "") -> str:
    """A sentence for a word of ``station.notices.failed``, with the other side's own words."""
    said = str(_WHY.get(word, word))
    return f"{said} ({detail})" if detail else said
