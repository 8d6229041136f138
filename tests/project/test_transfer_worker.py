"""What the transfer worker orders from time to time."""

from __future__ import annotations

import threading

import pytest

from station.project import transfer_worker
from station.project.celery import app
from station.transfers.tasks import keep_house
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
