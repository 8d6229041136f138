"""A firmware on trial under the supervisor's eyes."""

from __future__ import annotations

import pytest

from station.domain.firmware import RunningFirmware
from station.project.supervisor import probation
from station.project.supervisor.probation import Probation


class Switch:
    def __init__(self, patience: float | None) -> None:
        self.patience = patience
        self.why = ""
        self.asked = 0

    def on_trial(self) -> float | None:
        self.asked += 1
        return self.patience

    def give_up(self, why: str) -> None:
        self.why = why

    def pending(self) -> bool:
        return bool(self.why)

    def running(self) -> RunningFirmware:
        return RunningFirmware("1")

    def restart(self) -> None:
        raise AssertionError


def watch(switch: Switch, until: float) -> str:
    trial = Probation(switch, now=1000.0)
    for second in range(int(until)):
        if why := trial.verdict(1000.0 + second):
            return why
    return ""


def test_nothing_is_asked_where_nothing_is_on_trial() -> None:
    switch = Switch(None)
    assert watch(switch, 10_000) == ""
    assert switch.asked == 1


def test_not_confirmed_in_time() -> None:
    switch = Switch(60.0)
    assert watch(switch, 61) == ""
    assert "60 s" in watch(switch, 63)
    assert "60 s" in switch.why


def test_confirmed() -> None:
    switch = Switch(60.0)
    trial = Probation(switch, now=0.0)
    assert trial.verdict(59.0) == ""
    switch.patience = None
    assert trial.verdict(61.0) == ""
    switch.patience = 60.0
    for _ in range(10):
        trial.ended("uplink")
    assert trial.verdict(10_000.0) == ""


@pytest.mark.parametrize(("ends", "left"), [(probation.MOST_ENDS - 1, False), (probation.MOST_ENDS, True)])
def test_processes_that_end_by_themselves(ends: int, left: bool) -> None:
    switch = Switch(600.0)
    trial = Probation(switch, now=0.0)
    for _ in range(ends):
        trial.ended("uplink")
    assert bool(trial.verdict(5.0)) is left
    assert ("uplink" in switch.why) is left
    assert trial.verdict(5.5) == ""
