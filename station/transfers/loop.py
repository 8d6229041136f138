"""One event loop for all that the transfer worker does on the network, on a thread of its own.

It stays for as long as the process: the channel layer keeps its connection, and a task that is canceled need not wait
for a name server that does not answer.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

from channels.layers import get_channel_layer

from station.domain.events import TransferReport
from station.domain.wire import pack_report
from station.live import bus

log = logging.getLogger(__name__)

T = TypeVar("T")

REPORT_PATIENCE = 5.0  # s


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end on the loop's thread, and return or raise what comes of it."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop()).result()


def start(coroutine: Coroutine[Any, Any, None]) -> None:
    """Begin on the loop's thread, and leave it to itself; it must not raise."""
    asyncio.run_coroutine_threadsafe(coroutine, _loop())


async def report(told: TransferReport) -> None:
    """Tell the uplink. Where it cannot be told it asks again by itself."""
    try:
        async with asyncio.timeout(REPORT_PATIENCE):
            await get_channel_layer().send(bus.UPLINK, {"type": bus.TRANSFER_REPORT, "report": pack_report(told)})
    except Exception as error:  # whatever the layer's driver raises
        log.debug("the uplink could not be told: %s", error)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="transfers", daemon=True).start()
    return loop
