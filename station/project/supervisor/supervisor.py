"""The loop: starts children, hears what they say, restarts those that end or are stuck, stops all of them."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from station.project import health
from station.project.supervisor.child import Child, Spec, how
from station.project.supervisor.output import Output
from station.project.supervisor.probation import Probation

SELF = "station"
REBOOT = 75  # exit status by which the uplink asks for a reboot of the station (EX_TEMPFAIL of sysexits.h)

CHECK = 1.0  # s between two looks at the heartbeats
SILENT = 15.0  # s without a beat until a child counts as dead
FIRST_BEAT = 20.0  # s from its start
STOP = 6.0  # s from SIGTERM to SIGKILL
STOP_LAST = 2.0  # s, for those that stop last
REBOOT_STOP = 2.5  # s from SIGTERM to SIGKILL where the station reboots


class Supervisor:
    """Runs ``specs`` until SIGTERM or SIGINT. ``close`` are descriptors that children do not inherit.

    ``on_reboot`` is asked before the station's processes start again and may drop children that are no longer wanted
    by their name. ``ready`` is called once, when every child with a slot has beaten. ``probation`` watches a firmware
    on trial; where it gives up, or other code is to run after a reboot, ``run`` stops everything and returns True. So
    it does where ``anew`` says at a reboot that the whole appliance is to start again.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        output: Output,
        *,
        close: tuple[int, ...] = (),
        on_reboot: Callable[[], set[str]] = set,
        ready: Callable[[], None] = lambda: None,
        probation: Probation | None = None,
        anew: Callable[[], bool] = lambda: False,
    ) -> None:
        self.children = [Child(spec) for spec in specs]
        self.output = output
        self._close = close
        self._on_reboot = on_reboot
        self._ready: Callable[[], None] | None = ready
        self._probation = probation
        self._anew = anew
        self._other_code = False  # what runs next is not what runs now
        self._whole = False  # or it is, but all of it starts again
        self._selector = selectors.PollSelector()  # epoll would refuse a log that goes into a file
        self._wake = os.pipe()
        self._asked_to_stop = 0
        self._stopping = False
        self._rebooting = False
        self._checked = 0.0
        self._grace_until = 0.0

    def run(self) -> bool:
        """Supervise; returns when everything has stopped, and whether other code is to be started."""
        self._listen_to_signals()
        now = time.monotonic()
        self._checked = now
        for child in self.children:
            if child.wanted:
                self._start(child)
        while True:
            self._wait()
            self._reap()
            now = time.monotonic()
            if self._asked_to_stop and not self._stopping:
                self._begin_to_stop(now)
            elif not self._stopping:
                self._look_at_probation(now)
            if self._stopping and not any(child.running for child in self.children):
                break
            self._kill_late(now)
            if not self._stopping:
                self._look_at_wishes(now)
                self._look_at_beats(now)
                self._start_due(now)
        ended = "the whole appliance starts anew" if self._whole else "other code takes over"
        self._say(ended if self._other_code else "stopped")
        self.output.finish(1.0)
        return self._other_code and not self._asked_to_stop

    # ------------------------------------------------------------------ signals and waiting

    def _listen_to_signals(self) -> None:
        for descriptor in self._wake:
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_stop)  # its terminal has gone
        self._selector.register(self._wake[0], selectors.EVENT_READ)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop += 1

    def _wait(self) -> None:
        now = time.monotonic()
        due = [self._checked + CHECK]
        for child in self.children:
            due += [at for at in (child.restart_at, child.kill_at) if at is not None]
        out = self.output
        if out.waits:
            self._selector.register(out.stream, selectors.EVENT_WRITE)
        try:
            ready = self._selector.select(max(0.0, min(due) - now))
        finally:
            if out.waits:
                self._selector.unregister(out.stream)
        for key, _ in ready:
            if key.fd == out.stream:
                out.write()
            elif key.fd == self._wake[0]:
                self._drain_wake()
            else:
                self._hear(key.data)

    def _drain_wake(self) -> None:
        try:
            while os.read(self._wake[0], 512):
                pass
        except BlockingIOError:
            pass

    # ------------------------------------------------------------------ life and death of children

    def _start(self, child: Child) -> None:
        for slot in child.spec.slots:
            health.clear(slot)
        try:
            child.start((*self._close, *self._wake, *(other.pipe for other in self.children if other.pipe >= 0)))
        except OSError as error:  # no memory, no process left: both may pass
            now = time.monotonic()
            child.started = now
            child.ended(now)
            self._say(f"ERROR {child.name} cannot be started: {error.strerror}; again in {child.backoff:.0f} s")
            return
        self._selector.register(child.pipe, selectors.EVENT_READ, child)

    def _start_due(self, now: float) -> None:
        if self._rebooting:
            if any(child.running for child in self.children if child.spec.station):
                return
            self._rebooting = False
            self._whole = self._anew()
            if self._whole or (self._probation is not None and self._probation.other_code()):
                self._make_way(now)
                return
            self._drop(self._on_reboot())
            for child in self.children:
                if child.spec.station:
                    self._start(child)
        for child in self.children:
            if child.restart_at is not None and child.restart_at <= now and not child.running:
                self._start(child)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = next((child for child in self.children if child.pid == pid), None)
            if child is not None:
                self._bury(child, status)

    def _bury(self, child: Child, status: int) -> None:
        self._hear(child, last=True)
        child.ended(time.monotonic())
        code = os.waitstatus_to_exitcode(status)
        if self._stopping:
            child.restart_at = None
        elif self._rebooting and child.spec.station:
            child.restart_at, child.backoff = None, 0.0
        elif child.spec.station and code == REBOOT:
            self._reboot(child)
        elif child.spec.wanted is not None and (code == 0 or not child.wanted):
            child.restart_at, child.backoff = (child.restart_at if child.wanted else None), 0.0
        else:
            self._say(f"WARNING {child.name} {how(status)}; it starts again in {child.backoff:.0f} s")
            if self._probation is not None:
                self._probation.ended(child.name)

    def _reboot(self, child: Child) -> None:
        self._say("the station reboots")
        self._rebooting = True
        child.restart_at, child.backoff = None, 0.0
        now = time.monotonic()
        for other in self.children:
            if other.spec.station:
                other.restart_at, other.backoff = None, 0.0
                self._ask_to_end(other, now + REBOOT_STOP)

    def _drop(self, names: set[str]) -> None:
        for child in [child for child in self.children if child.name in names]:
            self._say(f"{child.name} is no longer needed")
            child.signal(signal.SIGKILL)
            if child.running:
                os.waitpid(child.pid, 0)
            self._hear(child, last=True)
            self.children.remove(child)

    def _ask_to_end(self, child: Child, kill_at: float) -> None:
        if child.running:
            child.signal(signal.SIGTERM)
            child.kill_at = kill_at

    def _kill_late(self, now: float) -> None:
        for child in self.children:
            if child.running and child.kill_at is not None and child.kill_at <= now:
                self._say(f"WARNING {child.name} does not stop; killed")
                child.signal(signal.SIGKILL)
                child.kill_at = now + 1.0
        if self._stopping and not any(child.running for child in self.children if not child.spec.last):
            for child in self.children:
                if child.running and child.kill_at is None:
                    self._ask_to_end(child, now + STOP_LAST)

    def _begin_to_stop(self, now: float) -> None:
        self._stopping = True
        self._say("stopping …")
        for child in self.children:
            child.restart_at = None
            if not child.spec.last:
                self._ask_to_end(child, now + STOP)

    # ------------------------------------------------------------------ firmware

    def _look_at_probation(self, now: float) -> None:
        why = self._probation.verdict(now) if self._probation is not None else ""
        if why:
            self._say(f"ERROR the firmware on trial is taken back: {why}")
            self._make_way(now)

    def _make_way(self, now: float) -> None:
        self._other_code = True
        self._begin_to_stop(now)

    # ------------------------------------------------------------------ children that are switched on and off

    def _look_at_wishes(self, now: float) -> None:
        if now - self._checked < CHECK:
            return
        for child in self.children:
            if child.spec.wanted is None:
                continue
            if not child.wanted:
                child.restart_at = None
                if child.running and child.kill_at is None:
                    self._say(f"{child.name} is switched off")
                    self._ask_to_end(child, now + STOP)
            elif not child.running and child.restart_at is None:
                self._say(f"{child.name} is switched on")
                child.restart_at = now

    # ------------------------------------------------------------------ heartbeats

    def _look_at_beats(self, now: float) -> None:
        if now - self._checked < CHECK:
            return
        if now - self._checked > 3 * CHECK:
            # The supervisor itself was held up (a stopped terminal, a debugger): so were the others.
            self._grace_until = now + SILENT
        self._checked = now
        for child in self.children:
            if child.running and child.spec.probe is not None:
                child.spec.probe()
        beats = health.read()
        waiting = False
        for child in self.children:
            if not child.running:
                continue
            lived = now - child.started
            for slot in child.spec.slots:
                age = beats[slot][0]
                never = age == float("inf")
                waiting = waiting or never
                silent = lived > FIRST_BEAT if never else age > SILENT
                if silent and child.kill_at is None and now >= self._grace_until:
                    self._say(f"ERROR {child.name} shows no sign of life ({slot}); killed")
                    child.signal(signal.SIGKILL)
                    child.kill_at = now + 1.0
        if self._ready and not waiting:
            self._ready()
            self._ready = None

    # ------------------------------------------------------------------ what is said

    def _hear(self, child: Child, *, last: bool = False) -> None:
        """Log what came through the child's pipe; ``last`` closes it."""
        if child.pipe < 0:
            return
        closed = False
        lines: list[str] = []
        for _ in range(16):  # a child that never stops talking must not keep the loop
            try:
                data = os.read(child.pipe, 65536)
            except BlockingIOError:
                break
            if not data:
                closed = True
                break
            lines += child.lines.feed(data)
        if last or closed:
            lines += child.lines.end()
            self._selector.unregister(child.pipe)
            os.close(child.pipe)
            child.pipe = -1
        for line in lines:
            self.output.line(child.name, child.spec.translate(line))

    def _say(self, text: str) -> None:
        self.output.line(SELF, text)
