"""Long answers at the pace of who reads them.

Daphne takes whatever an application gives it, and keeps what a slow line has not taken yet in memory: a large export to
a phone would be in it whole. And it ends an answer that takes longer than its limit as if it were complete, so that
half a file would pass for the whole. Here the application waits for the line, the limit is for a line that stands
still, and what cannot be sent to its end is cut off so that the browser sees it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

STALLED = 60.0  # s in which a reader takes nothing
LOOK = 1.0  # s between two looks whether there still is a reader


class Gate:
    """Open while the line takes more; Twisted's idea of a producer, of which it closes and opens the tap."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's names
        self._open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._open.set()

    stopProducing = resumeProducing  # noqa: N815 - the connection is gone, and nobody is to wait for it

    async def opens(self, within: float) -> bool:
        """Whether it is open, or opens within so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._open.wait()
        except TimeoutError:
            return False
        return True


class Paced:
    """To be mixed into ``daphne.server.Server``, before it."""

    connections: dict[Any, dict[str, Any]]

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """As Daphne's; returns when the line takes more."""
        body = message["type"] == "http.response.body"
        more = body and message.get("more_body", False)
        gate: Gate | None = getattr(protocol, "station_gate", None)
        if body and not more and gate is not None:
            protocol.station_gate = None
            if protocol.channel is not None:
                protocol.unregisterProducer()
        await super().handle_reply(protocol, message)  # type: ignore[misc]
        if not more or not self._is_there(protocol):
            return
        if gate is None:
            gate = protocol.station_gate = Gate()
            protocol.registerProducer(gate, True)
        await self._line_takes_more(protocol, gate)

    async def _line_takes_more(self, protocol: Any, gate: Gate) -> None:
        waited = 0.0
        while not await gate.opens(within=LOOK):
            waited += LOOK
            if not self._is_there(protocol):
                return
            if waited >= STALLED:
                protocol.channel.forceAbortClient()
                return
        protocol.request_start = time.time()  # Daphne's limit begins anew

    def _is_there(self, protocol: Any) -> bool:
        known = self.connections.get(protocol)
        return known is not None and not known.get("disconnected") and protocol.channel is not None
