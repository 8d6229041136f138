"""When a worker counts as stuck, and when its silence is excused."""

from __future__ import annotations

import pytest

from station.project.celery_worker import PATIENCE, SIGN_LIMIT, TASK_LIMIT, Sign, Watch


class World:
    """A clock and a Redis that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.redis = True

    def clock(self) -> float:
        return self.now

    def answers(self) -> bool:
        return self.redis


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def watch(world: World) -> Watch:
    return Watch(pulse=Sign(world.clock), redis=world.answers, clock=world.clock)


def alive_throughout(watch: Watch, world: World, seconds: float) -> bool:
    end = world.now + seconds
    while world.now < end:
        world.now += 1.0
        if not watch.alive():
            return False
    return True


def test_a_loop_that_turns_is_alive(watch: Watch, world: World) -> None:
    for _ in range(10):
        watch.pulse.show()
        assert alive_throughout(watch, world, 2.0)


def test_a_loop_that_stands_still_is_not(watch: Watch, world: World) -> None:
    assert alive_throughout(watch, world, PATIENCE)
    assert not alive_throughout(watch, world, 2.0)


def test_an_absent_redis_excuses_any_time(watch: Watch, world: World) -> None:
    world.redis = False
    assert alive_throughout(watch, world, 100 * PATIENCE)


def test_once_redis_is_back_there_is_time_to_connect(watch: Watch, world: World) -> None:
    world.redis = False
    assert alive_throughout(watch, world, 10 * PATIENCE)
    world.redis = True
    assert alive_throughout(watch, world, PATIENCE - 1)
    assert not alive_throughout(watch, world, 5.0)


def test_a_redis_that_comes_and_goes_excuses_too(watch: Watch, world: World) -> None:
    for _ in range(5):
        world.redis = True
        assert alive_throughout(watch, world, PATIENCE / 2)
        world.redis = False
        assert alive_throughout(watch, world, 5.0)


def test_a_long_task_is_no_fault_up_to_a_limit(watch: Watch, world: World) -> None:
    assert watch.alive()
    watch.task_since = world.now
    assert alive_throughout(watch, world, TASK_LIMIT)
    assert not alive_throughout(watch, world, 2.0)


def test_nothing_excuses_another_loop(watch: Watch, world: World) -> None:
    watch.others = [Sign(world.clock)]
    world.redis = False
    assert alive_throughout(watch, world, SIGN_LIMIT)
    assert not alive_throughout(watch, world, 2.0)
    watch.others[0].show()
    assert watch.alive()


def test_redis_going_and_coming_is_told_once_each(watch: Watch, world: World, caplog) -> None:
    caplog.set_level("INFO")
    watch.pulse.show()
    watch.alive()
    world.redis = False
    watch.alive()
    watch.alive()
    world.redis = True
    watch.alive()
    watch.alive()
    assert [record.message for record in caplog.records] == [
        "Redis does not answer; no task is taken until it does",
        "Redis answers again",
    ]
