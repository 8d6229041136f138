"""The supervisor over dummy children, as a process of its own: what it does when they end, hang or do not listen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from station.project.supervisor.child import BACKOFF_MOST, HEALTHY_AFTER, Child, Spec, how

PROJECT = Path(__file__).resolve().parents[2]
QUICK = {"CHECK": 0.1, "SILENT": 1.0, "FIRST_BEAT": 5.0, "STOP": 1.0, "REBOOT_STOP": 1.0}


class Run:
    def __init__(self, folder: Path, children: list[dict[str, Any]], limits: dict[str, float], **more: Any) -> None:
        self.folder = folder
        self.log = folder / "log"
        plan = {"children": children, "limits": {**QUICK, **limits}, **more}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.project.dummies", str(folder), json.dumps(plan)],
                cwd=PROJECT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def pids(self, name: str) -> list[int]:
        path = self.folder / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def text(self) -> str:
        return self.log.read_text()

    def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.text()
            time.sleep(0.02)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(*children: dict[str, Any], **limits: float) -> Run:
        runs.append(Run(tmp_path, list(children), limits))
        return runs[-1]

    yield start
    for run in runs:
        run.process.kill()
        run.process.wait()


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_children_start_and_stop(start) -> None:
    run = start({"name": "a", "do": "run", "slot": "web"}, {"name": "b", "do": "run", "last": True})
    run.until(lambda: "ready" in run.text() and run.pids("b"))
    assert run.stop() == 0
    assert all(gone(pid) for pid in run.pids("a") + run.pids("b"))
    assert " a       a begins\n" in run.text()
    assert "WARNING" not in run.text()
    assert run.text().endswith("stopped\n")


def test_a_child_that_ends_starts_again(start) -> None:
    run = start({"name": "a", "do": "end"}, {"name": "b", "do": "run"})
    run.until(lambda: len(run.pids("a")) >= 2)
    assert "a ended with status 3; it starts again in 1 s" in run.text()
    assert len(run.pids("b")) == 1
    assert run.stop() == 0


def test_a_bug_is_told_with_its_traceback(start) -> None:
    run = start({"name": "a", "do": "raise"})
    run.until(lambda: "starts again" in run.text())
    assert "RuntimeError: a bug" in run.text()
    assert run.stop() == 0


def test_a_child_that_is_stuck_is_killed_and_starts_again(start) -> None:
    run = start({"name": "a", "do": "stuck-once", "slot": "web"})
    run.until(lambda: len(run.pids("a")) == 2)
    assert "a shows no sign of life" in run.text()
    assert gone(run.pids("a")[0])
    assert run.stop() == 0


def test_a_child_that_never_beats_is_killed(start) -> None:
    run = start({"name": "a", "do": "mute", "slot": "web"}, {"name": "b", "do": "mute"}, FIRST_BEAT=0.5)
    run.until(lambda: len(run.pids("a")) == 2)
    assert "a shows no sign of life (web); killed" in run.text()
    assert len(run.pids("b")) == 1  # without a slot nobody expects a beat
    assert run.stop() == 0


def test_a_stopped_process_counts_as_stuck(start) -> None:
    run = start({"name": "a", "do": "run", "slot": "web"})
    run.until(lambda: "ready" in run.text())
    os.kill(run.pids("a")[0], signal.SIGSTOP)
    run.until(lambda: len(run.pids("a")) == 2)
    assert run.stop() == 0


def test_a_reboot_restarts_the_station_and_nobody_else(start) -> None:
    run = start(
        {"name": "uplink", "do": "reboot-once", "station": True, "after": ["hardware", "web"]},
        {"name": "hardware", "do": "run", "station": True},
        {"name": "web", "do": "run"},
    )
    run.until(lambda: len(run.pids("uplink")) == 2 and len(run.pids("hardware")) == 2)
    assert len(run.pids("web")) == 1
    assert "the station reboots" in run.text()
    assert "starts again in" not in run.text()
    assert run.stop() == 0


def test_a_reboot_does_not_wait_for_one_that_does_not_listen(start) -> None:
    run = start(
        {"name": "transfers", "do": "deaf", "station": True},
        {"name": "uplink", "do": "reboot-once", "station": True, "after": ["transfers"]},
    )
    run.until(lambda: len(run.pids("uplink")) == 2 and len(run.pids("transfers")) == 2)
    assert run.stop() == 0


def test_a_child_that_does_not_listen_is_killed_at_the_stop(start) -> None:
    run = start({"name": "a", "do": "deaf"})
    run.until(lambda: run.pids("a"))
    time.sleep(0.1)  # until it is deaf
    assert run.stop() == 0
    assert "a does not stop; killed" in run.text()
    assert gone(run.pids("a")[0])


def test_grandchildren_end_as_well(start) -> None:
    run = start({"name": "a", "do": "grandchild"})
    run.until(lambda: run.pids("grandchild"))
    assert run.stop() == 0
    run.until(lambda: gone(run.pids("grandchild")[0]))


def test_no_orphan_survives_the_supervisor(start) -> None:
    run = start({"name": "a", "do": "run"}, {"name": "b", "do": "deaf"})
    run.until(lambda: run.pids("a") and run.pids("b"))
    run.process.kill()
    run.process.wait()
    run.until(lambda: all(gone(pid) for pid in run.pids("a") + run.pids("b")), 5)


def test_ctrl_c_stops_as_well(start) -> None:
    run = start({"name": "a", "do": "run"})
    run.until(lambda: run.pids("a"))
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(10) == 0


def test_pauses_double_up_to_a_limit_and_are_forgotten() -> None:
    child = Child(Spec("a", lambda: 0))
    now, pauses = 0.0, []
    for _ in range(7):
        child.started = now
        child.ended(now + 1)
        pauses.append(child.restart_at - now - 1)
        now += 100
    assert pauses == [1, 2, 4, 8, 16, BACKOFF_MOST, BACKOFF_MOST]
    child.started = now
    child.ended(now + HEALTHY_AFTER)
    assert child.restart_at == now + HEALTHY_AFTER + 1


def test_how_a_process_ended() -> None:
    assert how(3 << 8) == "ended with status 3"
    assert how(int(signal.SIGKILL)) == "was ended by SIGKILL"


# ---------------------------------------------------------------- firmware


REBOOTS = {"name": "uplink", "do": "reboot-once", "station": True}


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """A supervisor with a firmware that is on trial for ``patience`` seconds (None: is not)."""
    runs: list[Run] = []

    def trial(patience: float | None, *children: dict[str, Any]) -> Run:
        runs.append(Run(tmp_path, list(children), {}, patience=patience))
        return runs[-1]

    yield trial
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait(10)


def test_other_code_takes_over_at_a_reboot(trial: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "pending").touch()
    run = trial(None, REBOOTS, {"name": "web", "do": "run"})
    assert run.process.wait(20) == 0
    assert run.text().endswith("other code is started\n")
    assert len(run.pids("uplink")) == 1
    assert not any(psutil.pid_exists(pid) for pid in run.pids("web"))


def test_an_order_for_a_station_that_stands_still_starts_all_of_it_anew(start, tmp_path: Path) -> None:
    """Also the web server ends, for nothing may run while a backup is restored."""
    (tmp_path / "order").touch()
    run = start(REBOOTS, {"name": "web", "do": "run"})
    assert run.process.wait(20) == 0
    assert "the whole appliance starts anew" in run.text()
    assert run.text().endswith("other code is started\n")
    assert not any(psutil.pid_exists(pid) for pid in run.pids("web"))


def test_a_reboot_without_other_code_is_one_as_ever(trial: Callable[..., Run]) -> None:
    run = trial(None, REBOOTS)
    run.until(lambda: len(run.pids("uplink")) == 2)
    assert run.stop() == 0
    assert "other code" not in run.text()


def test_children_that_end_again_and_again_end_the_trial(trial: Callable[..., Run], tmp_path: Path) -> None:
    run = trial(600.0, {"name": "uplink", "do": "end"}, {"name": "web", "do": "end"})
    assert run.process.wait(30) == 0
    assert "other code is started" in run.text()
    assert "end by themselves" in (tmp_path / "given up").read_text()


def test_a_stop_on_trial_is_a_stop(trial: Callable[..., Run], tmp_path: Path) -> None:
    run = trial(600.0, {"name": "uplink", "do": "run"})
    run.until(lambda: run.pids("uplink"))
    assert run.stop() == 0
    assert "other code" not in run.text()
    assert not (tmp_path / "given up").exists()


def test_a_child_that_is_switched_on_and_off(start, tmp_path: Path) -> None:
    run = start({"name": "a", "do": "run"}, {"name": "b", "do": "run", "wanted": "on"})
    run.until(lambda: run.pids("a"))
    assert run.pids("b") == []
    (tmp_path / "on").touch()
    run.until(lambda: run.pids("b"))
    (tmp_path / "on").unlink()
    run.until(lambda: gone(run.pids("b")[0]))
    assert "b is switched off" in run.text()
    (tmp_path / "on").touch()
    run.until(lambda: len(run.pids("b")) == 2)
    assert "WARNING" not in run.text()
    assert len(run.pids("a")) == 1
    assert run.stop() == 0


def test_a_child_on_a_switch_may_ask_to_begin_anew(start, tmp_path: Path) -> None:
    (tmp_path / "on").touch()
    run = start({"name": "b", "do": "anew-once", "wanted": "on"})
    run.until(lambda: run.pids("b"))
    (tmp_path / "anew").touch()
    run.until(lambda: len(run.pids("b")) == 2)
    assert "WARNING" not in run.text()


def test_a_child_on_a_switch_that_crashes_is_said_to(start, tmp_path: Path) -> None:
    (tmp_path / "on").touch()
    run = start({"name": "b", "do": "end", "wanted": "on"})
    run.until(lambda: len(run.pids("b")) >= 2)
    assert "b ended with status 3" in run.text()
