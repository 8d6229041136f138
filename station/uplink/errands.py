"""What the station has others do: the transfer worker, and the database where the station itself keeps nothing.

None of it is waited for. What comes of it is offered to the runtime as an event, by the channel layer or from here.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from station.domain.effects import CancelTransfer, Errand, ForgetKey, LookUpCustomer, MakeSigningRequest, StartTransfer
from station.domain.events import CustomerLookedUp, Event
from station.domain.transaction import IdToken
from station.store import spool
from station.uplink.signing_requests import SigningRequests

if TYPE_CHECKING:
    from station.uplink.pkcs11 import Token

log = logging.getLogger(__name__)

WAITING = 8  # orders; the station says again what got no answer

Send = Callable[[str, Mapping[str, Any]], None]


class Errands:
    """Runs errands; ``send`` gives a task by name and arguments to the transfer worker, and may block while it tries.

    ``look_up`` finds what is stored about a customer, ``offer`` takes events for the station, ``data`` is the data
    folder, ``token`` where private keys are, where they are no files. To be made and used on the event loop's thread.
    """

    def __init__(
        self,
        look_up: Callable[[tuple[IdToken, ...]], Awaitable[tuple[str, ...]]],
        offer: Callable[[Event], None],
        data: Path,
        send: Send | None = None,
        token: Token | None = None,
    ) -> None:
        self._look_up = look_up
        self._offer = offer
        self._data = data
        self._send = send or send_by_celery
        self.signing = SigningRequests(data / "keys", offer, token)
        self._tasks: set[asyncio.Task[None]] = set()
        self._orders: deque[StartTransfer] = deque(maxlen=WAITING)
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._failing = False

    def run(self, errand: Errand) -> None:
        """Begin it; returns at once."""
        if isinstance(errand, LookUpCustomer):
            task = asyncio.get_running_loop().create_task(self._look_up_customer(errand))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        if isinstance(errand, MakeSigningRequest):
            self.signing.make(errand)
            return
        if isinstance(errand, ForgetKey):
            self.signing.forget(errand)
            return
        if isinstance(errand, CancelTransfer):
            self._cancel(errand)  # a file, and at once: what runs must not outlast it
            return
        with self._news:
            self._orders.append(errand)
            self._news.notify()
        if self._thread is None:
            # A thread of its own, and no pool: the end of the process must not wait for a Redis that hangs.
            self._thread = threading.Thread(target=self._give_out, name="orders", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Leave what is under way."""
        for task in self._tasks:
            task.cancel()

    # ------------------------------------------------------------------ the database

    async def _look_up_customer(self, errand: LookUpCustomer) -> None:
        try:
            lines = await self._look_up(errand.id_tokens)
        except Exception as error:
            log.error("what is stored about a customer could not be read: %s", error)
            self._offer(CustomerLookedUp(errand.lookup_id, failed=True))
            return
        self._offer(CustomerLookedUp(errand.lookup_id, lines))

    # ------------------------------------------------------------------ the transfer worker

    def _cancel(self, errand: CancelTransfer) -> None:
        with self._news:
            kept = [order for order in self._orders if order.transfer_id != errand.transfer_id]
            self._orders.clear()
            self._orders.extend(kept)
        try:
            spool.cancel(self._data, errand.transfer_id)
        except OSError as error:
            log.error("a transfer could not be canceled: %s", error)

    def _give_out(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._orders)
                order = self._orders.popleft()
            self._order(order)

    def _order(self, order: StartTransfer) -> None:
        arguments = {"transfer_id": order.transfer_id, "attempt": order.attempt, "parameters": dict(order.parameters)}
        try:
            self._send(f"transfers.{order.task}", arguments)
        except Exception as error:  # any error of the broker's client; the station says it again
            if not self._failing:
                log.warning("the transfer worker could not be told: %s", error)
            self._failing = True
            return
        self._failing = False


def send_by_celery(name: str, arguments: Mapping[str, Any]) -> None:
    """Give the task to whoever works for the transfer queue; raises what the broker's client raises."""
    from celery import current_app

    task = current_app.tasks[name]
    task.apply_async(kwargs=dict(arguments))
