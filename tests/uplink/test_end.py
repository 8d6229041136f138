"""The end of the uplink does not wait for tasks that do not hear of it the first time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from station.uplink import process


async def deaf(times: int) -> None:
    for _ in range(times):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(60)


@pytest.mark.parametrize(("times", "ends"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_task_that_swallows_its_end_hears_it_again(
    times: int, ends: bool, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(process, "ENDS_WITHIN", 0.02)

    async def live() -> bool:
        tasks = [asyncio.create_task(deaf(times), name="deaf"), asyncio.create_task(deaf(0), name="good")]
        await asyncio.sleep(0)
        await process._end(tasks)
        done = all(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        return done

    assert asyncio.run(live()) is ends
    assert ("deaf" in caplog.text) is (times > 0)
    assert "good" not in caplog.text
