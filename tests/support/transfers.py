"""The other side of ``StartTransfer`` in memory: a transfer worker, and the servers that it uploads to.

It keeps the worker's rules as the real one does (``station.transfers.log_upload``): one task at a time, in order; no
attempt twice, and one that is over is told again; canceled means that nothing is told any more. Redis may be away
(``deaf``), and the worker may die (``die``): then what ran and what waited is lost, and only the spool stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from station.domain.effects import CancelTransfer, StartTransfer
from station.domain.events import TransferReport

if TYPE_CHECKING:
    from tests.support.firmware import HandFirmware

PREPARES = 0.2  # s to make the file
TAKES = 0.6  # s to upload it
PROGRESS = 5.0  # s between two reports


@dataclass
class HandServer:
    """A place to upload to: what it answers, and what it has got."""

    status: str = "Uploaded"  # how the worker judges its answer
    detail: str = ""
    holds: bool = False  # takes no byte until told otherwise
    taken: list[str] = field(default_factory=list)  # names of files
    tries: int = 0


@dataclass
class _Task:
    order: StartTransfer
    prepared_at: float
    uploading_since: float | None = None
    told_at: float = 0.0


@dataclass
class HandTransfers:
    """Reports to ``tell``. ``servers`` are known by URL; what is not among them cannot be reached."""

    tell: Callable[[TransferReport], None]
    servers: dict[str, HandServer] = field(default_factory=dict)
    orders: list[StartTransfer] = field(default_factory=list)  # all that were heard
    deaf: bool = False
    firmware: HandFirmware | None = None  # who does what is ordered of a firmware
    _waiting: deque[StartTransfer] = field(default_factory=deque)
    _running: _Task | None = None
    _canceled: set[str] = field(default_factory=set)
    _outcomes: dict[str, TransferReport] = field(default_factory=dict)

    def take(self, errand: StartTransfer | CancelTransfer) -> None:
        if isinstance(errand, CancelTransfer):
            self._canceled.add(errand.transfer_id)
            if self.firmware:
                self.firmware.cancel(errand.transfer_id)
        elif not self.deaf:
            self.orders.append(errand)
            self._waiting.append(errand)

    def _pass_on(self, now: float) -> None:
        """Downloads run beside the worker's tasks."""
        if self.firmware is None:
            return
        self.firmware.step(now)
        for order in [order for order in self._waiting if order.task.endswith("_firmware")]:
            self._waiting.remove(order)
            if order.transfer_id not in self._canceled:
                self.firmware.take(order, now)

    @property
    def busy(self) -> bool:
        """Something runs or waits, so that time matters."""
        return self._running is not None or bool(self._waiting)

    def die(self) -> None:
        self._running = None
        self._waiting.clear()
        if self.firmware:
            self.firmware.die()

    def step(self, now: float) -> None:
        """Let the worker work until ``now`` (monotonic)."""
        self._pass_on(now)
        if self._running is None and self._waiting:
            self._begin(self._waiting.popleft(), now)
        task = self._running
        if task is None:
            return
        if task.order.transfer_id in self._canceled:
            self._running = None
        elif task.uploading_since is None:
            if now >= task.prepared_at:
                task.uploading_since = task.told_at = now
                self._server(task.order).tries += 1
                self._report(task.order, "Uploading")
        elif now >= task.uploading_since + TAKES and not self._server(task.order).holds:
            self._end(task.order)
        elif now >= task.told_at + PROGRESS:
            task.told_at = now
            self._report(task.order, "Uploading")

    def _begin(self, order: StartTransfer, now: float) -> None:
        known = self._outcomes.get(order.transfer_id)
        if order.transfer_id in self._canceled:
            return
        if known is not None and known.attempt >= order.attempt:
            if known.attempt == order.attempt:
                self._tell(known)
            return
        self._running = _Task(order, now + PREPARES)
        self._report(order, "Preparing")

    def _end(self, order: StartTransfer) -> None:
        server = self._server(order)
        if server.status == "Uploaded":
            server.taken.append(str(order.parameters["filename"]))
        outcome = TransferReport(order.transfer_id, order.attempt, server.status, server.detail)
        self._outcomes[order.transfer_id] = outcome
        self._running = None
        self._tell(outcome)

    def _server(self, order: StartTransfer) -> HandServer:
        url: Any = order.parameters["url"]
        return self.servers.setdefault(url, HandServer("UploadFailure", "the server cannot be reached"))

    def _report(self, order: StartTransfer, status: str) -> None:
        self._tell(TransferReport(order.transfer_id, order.attempt, status))

    def _tell(self, report: TransferReport) -> None:
        if not self.deaf:
            self.tell(report)
