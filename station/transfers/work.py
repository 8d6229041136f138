"""Long work that the web interface has filed: done by a process that is started for it and ends with it.

What it loads (a maker of PDFs, above all) is gone afterwards, and this worker is free for the station's orders
meanwhile: only a thread waits for the end, and none where nothing runs.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading

from django.conf import settings

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "django", "work", "--parent")
MOST = 2 * 3600.0  # s

_lock = threading.Lock()
_wanted = False
_thread: threading.Thread | None = None


def begin() -> str:
    """Have what waits be done; returns a word for what happens."""
    global _wanted, _thread
    with _lock:
        _wanted = True
        if _thread is not None:
            return "running"
        _thread = threading.Thread(target=_run, name="work", daemon=True)
        _thread.start()
    return "begun"


def _run() -> None:
    global _wanted, _thread
    while True:
        with _lock:
            if not _wanted:
                _thread = None
                return
            _wanted = False
        run_once()


def run_once() -> int:
    """Start the process and wait for its end; its exit status, negative where a signal ended it."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [*COMMAND, str(os.getpid())], cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL
    )
    try:
        status = process.wait(MOST)
    except subprocess.TimeoutExpired:
        log.error("long work took more than %.0f s and was ended", MOST)
        process.kill()
        status = process.wait()
    if status:
        log.error("the process for long work ended with %s", status)
    return status
