"""The repositories on one thread of their own: the event loop never waits for the disk, and one connection suffices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

from station.domain.effects import Stored
from station.domain.events import OperatorCommand
from station.domain.memory import Memory
from station.domain.transaction import IdToken
from station.store import customers, repositories

R = TypeVar("R")


class Database:
    """What the uplink asks of the store; each method raises what its namesake in ``repositories`` raises."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")

    async def load(self) -> Memory:
        """All that lasted."""
        return await self._run(repositories.load)

    async def commit(self, effects: Iterable[Stored]) -> None:
        """One step in one database transaction."""
        await self._run(lambda: repositories.commit(effects))

    async def filed_commands(self, after: int) -> list[OperatorCommand]:
        """Commands with an id above ``after`` that wait to be done."""
        return await self._run(lambda: repositories.filed_commands(after=after))

    async def look_up_customer(self, tokens: tuple[IdToken, ...]) -> tuple[str, ...]:
        """What is stored about a customer, a line for each fact."""
        return await self._run(lambda: customers.look_up(tokens))

    def close(self) -> None:
        """Finish what runs and end the thread with its connection."""
        self._thread.submit(connection.close)
        self._thread.shutdown()

    async def _run(self, task: Callable[[], R]) -> R:
        def guarded() -> R:
            try:
                return task()
            except Exception:
                # A connection that broke (or a database that was away) is opened anew at the next use.
                connection.close_if_unusable_or_obsolete()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)
