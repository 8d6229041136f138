"""The process for long work: started once at a time, again for what came meanwhile, and gone with its parent."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import pytest

from station.transfers import work
from station.transfers.tasks import work as task
from tests.support.waiting import wait_until


def test_what_comes_while_it_runs_is_done_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def run_once() -> int:
        started.release()
        go_on.acquire()
        return 0

    monkeypatch.setattr(work, "run_once", run_once)
    assert task() == "begun"
    assert started.acquire(timeout=10)
    assert task() == task() == "running"
    go_on.release()
    assert started.acquire(timeout=10)  # once more, for both
    go_on.release()
    wait_until(lambda: work._thread is None, "the thread is gone")
    assert not started.acquire(blocking=False)


def test_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    file = tmp_path / "said"
    command = (sys.executable, "-c", f"import sys; open({str(file)!r}, 'w').write(sys.argv[1])")
    monkeypatch.setattr(work, "COMMAND", command)
    assert work.run_once() == 0
    assert file.read_text() == str(os.getpid())


def test_one_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    monkeypatch.setattr(work, "MOST", 0.1)
    assert work.run_once() < 0


def test_the_command_ends_without_its_parent() -> None:
    """Whose parent is another process than it was told has outlived it."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "station.project.settings"}
    done = subprocess.run(
        [*work.COMMAND, "1"], env=environment, cwd=work.settings.BASE_DIR, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, b"")
