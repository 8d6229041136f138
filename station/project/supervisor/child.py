"""One child of the supervisor: how it is forked, and what is known of it while it runs."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from station.project.log import become_structured
from station.project.supervisor import sharing
from station.project.supervisor.output import Lines

logger = logging.getLogger(__name__)

BACKOFF_FIRST = 1.0  # s
BACKOFF_MOST = 30.0  # s
SETTLED = 5.0  # s of life after which it has loaded what it needs
HEALTHY_AFTER = 60.0  # s of life after which an earlier end is forgotten

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Spec:
    """What a child is.

    ``run`` is its whole life and returns its exit status; it is called in the child, with SIGTERM at its default and
    SIGINT ignored (a Ctrl-C is the supervisor's business). ``slots`` are its slots on the health board, each of which
    must be beaten. ``station`` tells whether a reboot of the station restarts it. ``last`` stops it after the others,
    who still need it. ``keep`` are file descriptors of the supervisor that it needs. ``probe`` is called
    about once a second while it runs, by the supervisor, to beat for a child that cannot. ``wanted`` is asked about
    once a second: it runs only while that is so, and one that ends with status 0 asks for a fresh start. None: always.
    """

    name: str
    run: Callable[[], int]
    slots: tuple[str, ...] = ()
    station: bool = False
    last: bool = False
    keep: tuple[int, ...] = ()
    probe: Callable[[], None] | None = None
    wanted: Callable[[], bool] | None = None
    translate: Callable[[str], str] = field(default=str)  # of its log lines; an empty one is dropped


class Child:
    """A spec and the process that lives by it at the moment, if any."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.pid = 0
        self.pipe = -1
        self.lines = Lines()
        self.started = 0.0
        self.restart_at: float | None = None
        self.kill_at: float | None = None
        self.backoff = 0.0

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def wanted(self) -> bool:
        return self.spec.wanted is None or self.spec.wanted()

    @property
    def running(self) -> bool:
        return self.pid != 0

    def start(self, close: tuple[int, ...]) -> None:
        """Fork it. ``close`` are descriptors that no child may keep, but for those in ``spec.keep``."""
        read, write = os.pipe()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError:
            os.close(read)
            os.close(write)
            raise
        if pid == 0:
            _live(self.spec, parent, write, close)  # never returns
        os.close(write)
        os.set_blocking(read, False)
        self.pid, self.pipe, self.lines = pid, read, Lines()
        self.started = time.monotonic()
        self.restart_at = self.kill_at = None

    def ended(self, now: float) -> None:
        """It has ended by itself: restart later, and the later the oftener it does."""
        lived = now - self.started
        self.pid = 0
        self.kill_at = None
        self.backoff = BACKOFF_FIRST if lived >= HEALTHY_AFTER or not self.backoff else self.backoff * 2
        self.backoff = min(self.backoff, BACKOFF_MOST)
        self.restart_at = now + self.backoff

    def signal(self, number: int) -> None:
        """Send a signal to it and to all that it started."""
        if not self.pid:
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            # Between the fork and its setpgid, or already a zombie.
            os.kill(self.pid, number)


def _live(spec: Spec, parent: int, output: int, close: tuple[int, ...]) -> None:
    status = 1
    try:
        os.setpgid(0, 0)  # a Ctrl-C at the terminal reaches the supervisor alone
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)
        _libc.prctl(_PR_SET_NAME, f"st:{spec.name}"[:15].encode(), 0, 0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _own_streams(output)
        for descriptor in close:
            if descriptor not in spec.keep:
                os.close(descriptor)
        gc.enable()
        threading.Timer(SETTLED, sharing.tidy).start()
        status = spec.run()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        logger.exception("%s ends by an error", spec.name)
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def _own_streams(output: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    # New objects, as the old ones may believe that they write to a file. Nothing waits in them.
    sys.stdout = open(1, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)
    become_structured()


def how(status: int) -> str:
    """The way a process ended, for people; ``status`` is that of waitpid."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
