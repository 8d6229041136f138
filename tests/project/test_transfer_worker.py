"""What the transfer worker orders from time to time."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from station.project import transfer_worker
from station.project.celery import app
from station.transfers.tasks import keep_house
from tests.support.waiting import wait_until
from webui.tariff.tasks import settle_costs


def test_both_tasks_are_ordered_and_known_to_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    ordered: list[str] = []
    done = threading.Event()
    monkeypatch.setattr(transfer_worker, "FIRST", 0.0)
    monkeypatch.setattr(keep_house, "delay", lambda: ordered.append(keep_house.name))
    monkeypatch.setattr(settle_costs, "delay", lambda: (ordered.append(settle_costs.name), done.set()))
    step = transfer_worker.HousekeepingStep(None)
    step.start(None)
    try:
        assert done.wait(10)
    finally:
        step.stop(None)
    assert ordered == ["transfers.housekeeping", "webui.settle_costs"]
    app.loader.import_default_modules()
    assert set(ordered) <= set(app.tasks)


class Rounds:
    def __init__(self, stopped: Any) -> None:
        self.turns = 0
        rounds.append(self)

    def turn(self) -> None:
        self.turns += 1


rounds: list[Rounds] = []


@pytest.mark.parametrize("redis_away", [False, True])
def test_housekeeping_and_notices_go_on_whatever_becomes_of_redis(
    monkeypatch: pytest.MonkeyPatch, redis_away: bool
) -> None:
    ordered: list[int] = []

    def order() -> None:
        ordered.append(rounds[0].turns)
        if redis_away:
            raise ConnectionError("no broker")

    rounds.clear()
    monkeypatch.setattr("station.notices.worker.Rounds", Rounds)
    monkeypatch.setattr(keep_house, "delay", order)
    monkeypatch.setattr(settle_costs, "delay", lambda: None)
    for name, value in (("TURN", 0.001), ("FIRST", 0.0), ("EVERY", 0.01), ("AGAIN", 0.01)):
        monkeypatch.setattr(transfer_worker, name, value)
    step = transfer_worker.HousekeepingStep(None)
    step.start(None)
    try:
        wait_until(lambda: len(ordered) >= 3 and rounds[0].turns > 5, "several of both")
    finally:
        step.stop(None)
    assert ordered[0] >= 1
