"""The transfer worker: logs up, firmware down, and housekeeping."""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import Any

from celery import bootsteps

from station.project import celery_worker, health
from station.project.celery import TRANSFER_QUEUE
from station.transfers import log_upload

logger = logging.getLogger(__name__)

FIRST = 120.0  # s after the start, when all else has settled
EVERY = 6 * 3600.0  # s
AGAIN = 60.0  # s, where Redis did not take the task
TURN = 1.0  # s


class HousekeepingStep(bootsteps.StartStopStep):
    """Orders the housekeeping from time to time, and makes the rounds of the notices, which need no Redis.

    A beat process would cost 60 MB for it.
    """

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._stopped = threading.Event()

    def start(self, worker: Any) -> None:
        threading.Thread(target=self._run, name="housekeeping", daemon=True).start()

    def stop(self, worker: Any) -> None:
        self._stopped.set()

    terminate = stop

    def _run(self) -> None:
        from station.notices.worker import Rounds
        from station.transfers.tasks import keep_house
        from webui.tariff.tasks import settle_costs

        due = time.monotonic() + FIRST
        rounds = Rounds(self._stopped.is_set)
        while not self._stopped.wait(TURN):
            rounds.turn()
            if time.monotonic() < due:
                continue
            try:
                keep_house.delay()
                settle_costs.delay()
                due = time.monotonic() + EVERY
            except Exception as error:  # any error of the broker's client; the next try repairs it
                logger.debug("housekeeping was not ordered: %s", error)
                due = time.monotonic() + AGAIN


def _health() -> dict[str, str]:
    """A word for each process, for the diagnostics file."""
    ages = {name: age for name, (age, _) in health.read().items()}
    return {
        f"process {name}": "never seen" if math.isinf(age) else f"seen {age:.1f} s ago" for name, age in ages.items()
    }


def run() -> int:
    """Run the transfer worker until SIGTERM."""
    log_upload.health = _health
    return celery_worker.run(health.TRANSFERS, TRANSFER_QUEUE, steps=(HousekeepingStep,))
