"""An update that a person brought by the web interface: the same checks and the same way as the CSMS's.

The CSMS is not told of it by FirmwareStatusNotification, whose requestId is mandatory unless the status is Idle
(L01.FR.20), and no request of its own has begun this one. It hears of it by the security event FirmwareUpdated
(L01.FR.31) and by BootNotification, with the reason FirmwareUpdate and the new version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from station.ocpp.blocks.l_firmware_management.record import Update

INSTALL_FIRMWARE = "install_firmware"  # the command: transfer_id, certificate (PEM), signature (Base64)
ACCEPTED = "The firmware is checked, and installed as soon as nobody charges."
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST = 16_384  # characters of a certificate or a signature


def order_of(arguments: Mapping[str, Any]) -> dict[str, str]:
    """The command's arguments; raises ValueError for what cannot be one."""
    found = {name: arguments.get(name) for name in ("transfer_id", "certificate", "signature")}
    if not all(isinstance(value, str) and len(value) <= _LONGEST for value in found.values()):
        raise ValueError("not an order")
    if not _ID.fullmatch(str(found["transfer_id"])):
        raise ValueError("no transfer")
    return {name: str(value) for name, value in found.items()}


def update_of(order: Mapping[str, str], at: str, interval: float) -> Update:
    """The update; its file lies in the spool already, so there is one try and nothing to download. ``at`` is now."""
    return Update(
        None,
        order["transfer_id"],
        "",
        order["certificate"],
        order["signature"],
        at,
        "",
        tries=1,
        interval=interval,
        accepted_at=at,
    )
