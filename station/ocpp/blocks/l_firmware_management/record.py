"""What is remembered of an update while it is under way, and of those that are over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

RUNNING = "firmware_update"  # remembered while an update is under way; sealed at rest: the URL may hold a password
LAST_TOLD = "firmware_status"  # remembered: the last FirmwareStatusNotification (L01.FR.25, L01.FR.26)
HISTORY = "firmware_history"  # remembered: the updates that are over, the newest last
HISTORY_KEPT = 20


class Phase(StrEnum):
    """Where an update is; what the CSMS is told of it is a FirmwareStatusEnumType."""

    WAITS_TO_DOWNLOAD = "waits_to_download"
    DOWNLOADS = "downloads"
    WAITS_TO_INSTALL = "waits_to_install"
    INSTALLS = "installs"
    REBOOTS = "reboots"
    PROVES_ITSELF = "proves_itself"  # the new firmware runs, on trial


FINAL = (Phase.INSTALLS, Phase.REBOOTS, Phase.PROVES_ITSELF)  # from here on there is no way back but its own


@dataclass(slots=True)
class Update:
    """One UpdateFirmware, from its acceptance to its end.

    ``attempt`` counts all orders to the transfer worker, ``downloads`` those to download. Times in seconds are
    monotonic and not remembered.
    """

    request_id: int | None  # None: a person brought it, and not the CSMS
    transfer_id: str
    url: str
    certificate: str
    signature: str
    retrieve_at: str  # RFC 3339
    install_at: str  # RFC 3339; empty: as soon as possible
    tries: int  # downloads at most
    interval: float  # s from the begin of one try to that of the next
    accepted_at: str = ""
    phase: Phase = Phase.WAITS_TO_DOWNLOAD
    attempt: int = 0
    downloads: int = 0
    status: str = ""  # the last one that the CSMS was told
    version: str = ""  # of the image, once it is known
    moved: int = 0  # bytes of the download so far, of ``total`` (0: not known)
    total: int = 0
    detail: str = ""  # what went wrong last, for a person
    began_at: float = 0.0
    heard_at: float = 0.0
    told_at: float = 0.0
    next_at: float | None = None  # waiting for the next try

    @property
    def host(self) -> str:
        """Host and port that it comes from, without what may be a password."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def waits(self) -> bool:
        return self.phase in (Phase.WAITS_TO_DOWNLOAD, Phase.WAITS_TO_INSTALL)


_PASSING = frozenset({"moved", "total", "began_at", "heard_at", "told_at", "next_at"})
_LASTING = frozenset(field.name for field in fields(Update)) - _PASSING


def dump(update: Update) -> dict[str, Any]:
    """JSON that outlives a reboot."""
    return {name: value for name, value in asdict(update).items() if name in _LASTING}


def restore(known: object) -> Update | None:
    """The update behind ``dump``; None where it is none, or a damaged one."""
    if not isinstance(known, Mapping):
        return None
    try:
        update = Update(**{name: value for name, value in known.items() if name in _LASTING})
        update.phase = Phase(update.phase)
    except (TypeError, ValueError):
        return None
    return update


def history(known: object, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The updates that are over, with one more."""
    entries = [dict(one) for one in known] if isinstance(known, list) else []
    return [*entries, dict(entry)][-HISTORY_KEPT:]
