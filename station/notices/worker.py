"""The transfer worker's part: looks every few seconds, at once for somebody who wants a test; never waits for Redis."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connections
from django.utils import timezone

from station.notices import courier, telling
from station.notices.watch import Observer

logger = logging.getLogger(__name__)

EVERY = 10.0  # s
AGAIN = 60.0  # s after a look that failed
NUDGE = "notices.nudge"  # a file of the data folder; the web interface touches it


def nudge() -> None:
    """Somebody wants a look at once; raises OSError."""
    (Path(settings.DATA_DIR) / NUDGE).touch()


class Rounds:
    """Called once a second or so, on one thread; ``stopped`` ends a round early."""

    def __init__(self, stopped: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._stopped = stopped
        self._clock = clock
        self._due = clock() + EVERY  # when all else has started
        self._nudged = self._touched()
        self._observer = Observer()
        self._failing = False

    def turn(self) -> None:
        """Look where it is time to; no failure raises."""
        touched = self._touched()
        if self._clock() < self._due and touched == self._nudged:
            return
        self._nudged = touched
        try:
            self._observer.look(timezone.now())
            telling.decide(timezone.now())
            courier.send_due(timezone.now, self._stopped)
            self._due = self._clock() + EVERY
            self._failing = False
        except Exception as error:
            # Whatever it is (a database that is away, a row nobody foresaw): the worker has other things to do.
            if not self._failing:
                logger.error("notices: %s: %s", type(error).__name__, error)
            self._failing = True
            self._due = self._clock() + AGAIN
        finally:
            connections.close_all()  # its memory is worth more than the millisecond of opening it

    @staticmethod
    def _touched() -> float:
        try:
            return (Path(settings.DATA_DIR) / NUDGE).stat().st_mtime
        except OSError:
            return 0.0
