"""Who changes the machine's network for the web server: itself, the device's helper, or nobody.

``VpnControl`` is the whole of it: take this configuration, and say how it is.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

from station.store.secrets import write_private
from webui.access import vpn_name
from webui.vpn import wireguard
from webui.vpn.wireguard import Configuration, Failed, State

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """How the interface is. ``waiting``: the helper has not taken the last change over yet."""

    state: State | None = None
    error: Failed | None = None
    waiting: bool = False


class VpnControl(Protocol):
    """``kind`` is ``direct``, ``helper`` or ``none``."""

    kind: str

    def apply(self, wanted: Configuration | None) -> None:
        """Make the machine as wanted, None: no VPN; raises Failed and OSError."""

    def look(self) -> Found:
        """How it is."""


def folder() -> Path:
    """Where configuration and units lie."""
    return Path(settings.DATA_DIR) / "vpn"


def file() -> Path:
    return folder() / f"{vpn_name()}.conf"


def write(wanted: Configuration | None) -> None:
    """The configuration file, empty for no VPN, and the units that a device may use; raises OSError."""
    folder().mkdir(mode=0o700, exist_ok=True)
    content = (wanted.written() if wanted else "").encode()
    if not file().exists() or file().read_bytes() != content:  # the flash is dear, and the helper looks at each write
        write_private(file(), content)
    for name, text in units().items():
        path = folder() / name
        if not path.exists() or path.read_text() != text:
            write_private(path, text.encode())


def units() -> dict[str, str]:
    """systemd's part, for ``systemctl link``: the helper runs when the file changes, at boot, and every minute."""
    name = vpn_name()
    about = f"VPN of the charging station ({folder()})"
    service = f"""[Unit]
Description={about}
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/lib/station/station-vpn {folder()}
CapabilityBoundingSet=CAP_NET_ADMIN CAP_DAC_READ_SEARCH
NoNewPrivileges=yes
ProtectSystem=strict
RuntimeDirectory=station-vpn
RuntimeDirectoryPreserve=yes
PrivateTmp=yes
"""
    path = f"""[Unit]
Description={about}

[Path]
PathChanged={file()}
Unit={name}.service

[Install]
WantedBy=multi-user.target
"""
    timer = f"""[Unit]
Description={about}

[Timer]
OnBootSec=10
OnUnitActiveSec=60
Unit={name}.service

[Install]
WantedBy=timers.target
"""
    return {f"{name}.service": service, f"{name}.path": path, f"{name}.timer": timer}


class Direct:
    """The web server has the right itself: it runs as root, or with CAP_NET_ADMIN."""

    kind = "direct"

    def __init__(self) -> None:
        self._error: Failed | None = None

    def apply(self, wanted: Configuration | None) -> None:
        try:
            if wanted is None:
                wireguard.bring_down(vpn_name())
            else:
                wireguard.bring_up(vpn_name(), wanted)
        except Failed as failure:
            self._error = failure
            raise
        self._error = None

    def look(self) -> Found:
        try:
            return Found(wireguard.state(vpn_name()), self._error)
        except Failed as failure:
            return Found(None, failure)


class Helper:
    """The device's helper reads the file, and says in a file of its own how it is."""

    kind = "helper"

    def apply(self, wanted: Configuration | None) -> None:
        """Nothing more: the helper hears of the file that was written."""

    def look(self) -> Found:
        try:
            said = json.loads(_report().read_text())
            if not isinstance(said, dict):
                raise TypeError("no object")
            error = Failed(*map(str, said["error"])) if said.get("error") else None
            known = {name: said[name] for name in State.__slots__ if name in said}
            waiting = file().exists() and said.get("conf") != file().stat().st_mtime_ns
            return Found(State(**known) if said.get("up") else None, error, waiting)
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("the VPN helper's report cannot be read: %s", error)
            return Found(waiting=True)


class Nobody:
    """Nobody may; the settings are kept all the same."""

    kind = "none"

    def apply(self, wanted: Configuration | None) -> None:
        """Nothing can be done."""

    def look(self) -> Found:
        return Found()


_direct = Direct()


def control() -> VpnControl:
    """The one that there is. The helper goes first: where a device has one, it is meant to be used."""
    if _report().exists():
        return Helper()
    return _direct if wireguard.may() and wireguard.tool("ip") and wireguard.tool("wg") else Nobody()


def _report() -> Path:
    return wireguard.RUN / f"{vpn_name()}.json"
