"""The VPN in words: what is wrong with a configuration, and how the line is."""

from __future__ import annotations

import time
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from webui.vpn.control import Found
from webui.vpn.service import STALE
from webui.vpn.wireguard import Failed, Unfit

_UNFIT = {
    "too_long": gettext_lazy("This is too long for a configuration of WireGuard."),
    "section": gettext_lazy("%(what)s: there are only the sections [Interface] and [Peer]."),
    "peers": gettext_lazy("There is more than one [Peer]. The station connects to one other side only."),
    "line": gettext_lazy("%(what)s: a line is a name, an equals sign and a value, within a section."),
    "command": gettext_lazy("%(what)s would run a command on the station, which is never done. Take the line out."),
    "key": gettext_lazy("%(what)s is not known here. Take the line out, if it is not needed."),
    "empty": gettext_lazy("%(what)s has no value."),
    "twice": gettext_lazy("%(what)s is there twice."),
    "missing": gettext_lazy("%(what)s is missing."),
    "table": gettext_lazy("Table = %(what)s: routes go into the usual table only."),
    "wrong_key": gettext_lazy("This is no key of WireGuard: 44 characters, the last of which is an equals sign."),
    "wrong_address": gettext_lazy("%(what)s is no address that the station can have in a VPN."),
    "wrong_network": gettext_lazy("%(what)s is no network that can lie behind a VPN."),
    "everything": gettext_lazy(
        "%(what)s is the whole internet. The station's other connections do not go through the VPN: name the networks "
        "that administrators come from, for instance 10.8.0.0/24."
    ),
    "wrong_endpoint": gettext_lazy("%(what)s is no name or address with a port, like vpn.example.com:51820."),
    "too_many": gettext_lazy("These are too many."),
    "number": gettext_lazy("%(what)s is no number that is possible here."),
}
_NAMES = {
    "privatekey": "PrivateKey",
    "publickey": "PublicKey",
    "presharedkey": "PresharedKey",
    "endpoint": "Endpoint",
    "address": "Address",
    "allowedips": "AllowedIPs",
    "persistentkeepalive": "PersistentKeepalive",
    "mtu": "MTU",
}
_FAILED = {
    "no_tool": gettext_lazy("The program %(what)s is not installed (Debian: wireguard-tools, iproute2)."),
    "no_wireguard": gettext_lazy("This machine knows no WireGuard: its kernel has none, and wireguard-go is missing."),
    "name": gettext_lazy("The name %(what)s is not known. Is the station on the internet, and the name right?"),
    "command": gettext_lazy("The machine refused: %(what)s"),
}


def unfit(error: Unfit) -> str:
    """What is wrong with a configuration, with the line where there is one."""
    said = str(_UNFIT[error.code]) % {"what": _NAMES.get(error.what, error.what)}
    return _("Line %(line)d: %(said)s") % {"line": error.line, "said": said} if error.line else said


def failed(error: Failed) -> str:
    """Why the machine does not do it."""
    return str(_FAILED.get(error.code, _FAILED["command"])) % {"what": error.what}


class Said(NamedTuple):
    """A state for people: tone, headline, and what to do."""

    tone: str
    label: str
    advice: str = ""


def state(enabled: bool, kind: str, found: Found, now: float | None = None) -> Said:
    """How the VPN is, in a sentence."""
    if not enabled:
        return Said("", _("The VPN is off."))
    if kind == "none":
        advice = _("It has no right to (CAP_NET_ADMIN), or wireguard-tools is missing, and the device has no helper.")
        return Said("bad", _("This station may not change the machine's network."), advice)
    if found.error is not None:
        return Said("bad", _("The VPN could not be set up."), failed(found.error))
    if found.waiting:
        return Said("wait", _("The device's helper has not taken the settings over yet."), _("It looks every minute."))
    if found.state is None:
        return Said("wait", _("The VPN is being set up."), _("It is tried again every minute."))
    age = (time.time() if now is None else now) - found.state.handshake
    if found.state.handshake and age <= STALE:
        return Said("good", _("Connected."), _("The last handshake was %(ago)s ago.") % {"ago": ago(age)})
    where = {"endpoint": found.state.endpoint or "?"}
    if found.state.handshake:
        advice = _("The last handshake was %(ago)s ago. Is the station on the internet, and the other side up?")
        return Said("wait", _("The other side is not heard of any more."), advice % {"ago": ago(age)})
    if found.state.received:
        advice = _("Something answers at %(endpoint)s, but there is no handshake: one of the keys does not fit.")
        return Said("bad", _("The other side refuses."), advice % where)
    advice = _(
        "Nobody answers at %(endpoint)s. Does the other side know this station's public key, is the port (UDP) open, "
        "and is its own public key right?"
    )
    return Said("wait", _("No connection yet."), advice % where)


def ago(seconds: float) -> str:
    """How long, roughly."""
    whole = max(0, int(seconds))
    if whole < 120:
        return ngettext("%(n)d second", "%(n)d seconds", whole) % {"n": whole}
    if whole < 7200:
        return ngettext("%(n)d minute", "%(n)d minutes", whole // 60) % {"n": whole // 60}
    if whole < 172800:
        return ngettext("%(n)d hour", "%(n)d hours", whole // 3600) % {"n": whole // 3600}
    return ngettext("%(n)d day", "%(n)d days", whole // 86400) % {"n": whole // 86400}
