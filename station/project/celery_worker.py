"""A Celery worker as a child of the supervisor, and the rule by which one that is stuck is told from one that waits.

The rule. A worker with one thread shows no sign of life of its own while it runs a task, nor while Redis is away and
it waits to connect again; neither is a fault. So a small thread beside it beats for it, and stops to beat (upon which
the supervisor kills and restarts the worker) only where nothing excuses the silence:

- no task is running, or the running one has taken longer than ``TASK_LIMIT``;
- and Redis has answered without a break for ``PATIENCE``, time enough to connect again (Celery waits up to 30 s);
- and the worker's event loop has not turned for ``PATIENCE``.

Other loops of the process (the hardware worker's bus) are watched by ``Sign``s of their own, which nothing excuses.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis
from celery import bootsteps, signals
from celery.worker import WorkController, state
from django.conf import settings

from station.project import health
from station.project.celery import app

logger = logging.getLogger(__name__)

BEAT = 1.0  # s
PULSE = 2.0  # s
PATIENCE = 60.0  # s
TASK_LIMIT = 6 * 3600.0  # s; a firmware download over a slow line
SIGN_LIMIT = 15.0  # s


class Sign:
    """The time at which something last showed that it lives."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock()

    def show(self) -> None:
        self._at = self._clock()

    def age(self) -> float:
        """Seconds since it last showed."""
        return self._clock() - self._at


@dataclass
class Watch:
    """The rule above. ``excused`` is asked once a second with what is known at that time."""

    pulse: Sign
    redis: Callable[[], bool]
    clock: Callable[[], float] = time.monotonic
    others: list[Sign] = field(default_factory=list)
    task_since: float | None = None
    redis_since: float | None = None
    redis_missed: bool = False

    def alive(self) -> bool:
        """Whether the worker may count as alive now."""
        now = self.clock()
        if not self.redis():
            if self.redis_since is not None:
                logger.warning("Redis does not answer; no task is taken until it does")
            self.redis_since = None
        elif self.redis_since is None:
            if self.redis_missed:
                logger.info("Redis answers again")
            self.redis_since = now
        self.redis_missed = self.redis_since is None
        if any(sign.age() > SIGN_LIMIT for sign in self.others):
            return False
        if self.task_since is not None:
            return now - self.task_since <= TASK_LIMIT
        redis_away = self.redis_since is None or now - self.redis_since < PATIENCE
        return redis_away or self.pulse.age() <= PATIENCE


class _PulseStep(bootsteps.StartStopStep):
    """Turns with the consumer's event loop, anew with every connection to Redis."""

    requires = ("celery.worker.consumer.events:Events",)
    sign: Sign | None = None

    def start(self, consumer: Any) -> None:
        self.show()
        self.entry = consumer.timer.call_repeatedly(PULSE, self.show)

    def stop(self, consumer: Any) -> None:
        entry = getattr(self, "entry", None)
        if entry is not None:
            entry.cancel()

    def show(self) -> None:
        if self.sign is not None:
            self.sign.show()


def run(slot: str, queue: str, steps: tuple[type, ...] = (), others: tuple[Sign, ...] = ()) -> int:
    """Run a worker for ``queue`` until SIGTERM, beating in ``slot``; ``steps`` are bootsteps of the worker."""
    pulse = Sign()
    _PulseStep.sign = pulse
    app.steps["consumer"].add(_PulseStep)
    for step in steps:
        app.steps["worker"].add(step)
    watch = Watch(pulse=pulse, redis=_redis_answers(), others=list(others))

    def started(**_: Any) -> None:
        watch.task_since = time.monotonic()

    def ended(**_: Any) -> None:
        watch.task_since = None
        pulse.show()

    signals.task_prerun.connect(started, weak=False)
    signals.task_postrun.connect(ended, weak=False)
    # Warm: the running task may end within the supervisor's patience. Installed by hand, as WorkController has none.
    signal.signal(signal.SIGTERM, lambda *_: setattr(state, "should_stop", 0))
    threading.Thread(target=_beat, args=(slot, watch), name="beat", daemon=True).start()
    worker: WorkController = app.WorkController(
        pool="solo",
        concurrency=1,
        queues=queue,
        hostname=f"{queue}@station",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        task_events=False,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _beat(slot: str, watch: Watch) -> None:
    told = False
    while True:
        alive = watch.alive()
        if alive:
            health.beat(slot)
        elif not told:
            logger.error("the worker's loop stands still although Redis answers; it will be restarted")
        told = not alive
        time.sleep(BEAT)


def _redis_answers() -> Callable[[], bool]:
    client = redis.Redis.from_url(
        settings.ENVIRONMENT.redis, socket_connect_timeout=1, socket_timeout=1, driver_info=None
    )

    def answers() -> bool:
        try:
            return bool(client.ping())
        except (redis.RedisError, OSError):
            return False

    return answers
