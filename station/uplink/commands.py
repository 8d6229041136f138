"""Operators' commands on their way from the table to the station."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from station.domain.events import OperatorCommand

log = logging.getLogger(__name__)

LOOK = 10.0  # s between two looks without a nudge, which Redis may lose


class CommandWatch:
    """Reads what is filed at the start, after every nudge and every ``look`` seconds; offers each command once.

    ``read`` gets an id and returns the filed commands above it.
    """

    def __init__(
        self,
        read: Callable[[int], Awaitable[Sequence[OperatorCommand]]],
        offer: Callable[[OperatorCommand], None],
        *,
        look: float = LOOK,
    ) -> None:
        self._read = read
        self._offer = offer
        self._look = look
        self._highest = 0
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Something was filed; returns at once."""
        self._nudged.set()

    async def run(self) -> None:
        """Watch until cancelled; a database that is away for a while does not end it."""
        while True:
            self._nudged.clear()
            try:
                for command in await self._read(self._highest):
                    self._highest = max(self._highest, command.command_id)
                    self._offer(command)
            except Exception as error:
                log.error("commands cannot be read: %s", error)
            try:
                async with asyncio.timeout(self._look):
                    await self._nudged.wait()
            except TimeoutError:
                continue
