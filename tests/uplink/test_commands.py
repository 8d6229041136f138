"""Operators' commands reach the station once, nudge or no nudge."""

import asyncio

from station.domain.events import OperatorCommand
from station.uplink.commands import CommandWatch


class Table:
    """The rows that are filed and not finished."""

    def __init__(self, *ids: int) -> None:
        self.ids = list(ids)
        self.failures = 0
        self.offered: list[int] = []
        self.reads = asyncio.Semaphore(0)

    async def read(self, after: int) -> list[OperatorCommand]:
        self.reads.release()
        if self.failures:
            self.failures -= 1
            raise OSError("locked")
        return [OperatorCommand(command_id, "ada", "start") for command_id in self.ids if command_id > after]

    def offer(self, command: OperatorCommand) -> None:
        self.offered.append(command.command_id)


async def watching(table: Table, look: float = 60.0) -> tuple[CommandWatch, asyncio.Task]:
    watch = CommandWatch(table.read, table.offer, look=look)
    task = asyncio.create_task(watch.run())
    await table.reads.acquire()
    await asyncio.sleep(0)
    return watch, task


def test_at_the_start_and_after_a_nudge_each_once():
    async def test() -> None:
        table = Table(3, 4)
        watch, task = await watching(table)
        assert table.offered == [3, 4]
        table.ids.append(5)
        watch.nudge()
        await table.reads.acquire()
        await asyncio.sleep(0)
        assert table.offered == [3, 4, 5]
        task.cancel()

    asyncio.run(test())


def test_lost_nudges_and_a_database_that_is_away():
    async def test() -> None:
        table = Table(7)
        table.failures = 2
        _, task = await watching(table, look=0.001)
        async with asyncio.timeout(5):
            while table.offered != [7]:
                await table.reads.acquire()
        for _ in range(3):
            await table.reads.acquire()
        assert table.offered == [7]
        task.cancel()

    asyncio.run(test())
