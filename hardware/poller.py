"""The poll thread: five times a second the board's state upwards, the station's setpoint downwards.

It needs nothing but the board: no Redis, no Celery, no database. Whoever starts it hands in the board and a callback
for snapshots, and gives it the station's setpoints with ``want``.

When the board's watchdog is fed, and when not:

1. A heartbeat is written once a second from the poll loop itself, after a successful read and after the setpoint was
   dealt with. A loop that hangs, a line that is broken: no heartbeat.
2. It is written only while the station's setpoint is alive: given, or given again unchanged, within the last
   ``setpoint_life`` (300 s). The uplink gives it anew every 10 s when all is well. So Redis or the uplink may go for
   minutes and charging goes on; an uplink that is gone for longer lets the board fall back by itself.
3. While it is alive, the setpoint stands: a board that was reset, or that holds another one, gets it again (counted).
   Once it is no longer alive it is not written any more.
4. A self-test is begun once for each wish, and its outcome is told with the wish's serial number.
5. After a trip the heartbeat and the setpoint come back by themselves, the acknowledgement never: it is passed on only
   from a setpoint that was given after the trip was seen.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from hardware.board import Board, BoardReading, BoardRefusedError, BusError
from hardware.card_reads import CardReads
from hardware.pace import Pace
from station.domain.board import (
    BoardSnapshot,
    BusCounters,
    EvseSetpoint,
    EvseSnapshot,
    SelfTest,
    Setpoint,
    WatchdogState,
)

log = logging.getLogger(__name__)

Registers: TypeAlias = Mapping[int, tuple[Sequence[int], Sequence[int]]]

INTERVAL = 0.2  # s between polls
REPORT = 1.0  # s between snapshots when nothing changes
HEARTBEAT = 1.0  # s
BACKOFF = (0.2, 5.0)  # s, first and longest wait before the line is tried again; doubled in between
SETPOINT_LIFE = 300.0  # s
WATCHDOG_TIMEOUT = 30  # s: outlasts a restart of the hardware worker, not a dead one
FALLBACK_CURRENT = 0.0  # A: pause
LOOK = 5  # polls between two looks at all registers while somebody watches them


@dataclass(frozen=True, slots=True)
class PollStatistics:
    """How well the loop keeps its time: slots worked and missed; how late they began, in s, over two minutes."""

    ticks: int
    missed: int
    jitter_p95: float
    jitter_max: float


class Poller:
    """Polls ``board`` and calls ``on_snapshot`` from its own thread.

    ``on_snapshot`` gets a snapshot on every change of meaning and at least once a second, bus errors included; it must
    return at once. ``beat`` is called in every slot, whether the board answers or not. ``clock`` and ``sleep`` are the
    monotonic clock and how to wait; tests hand in their own.
    """

    def __init__(
        self,
        board: Board,
        on_snapshot: Callable[[BoardSnapshot], None],
        *,
        beat: Callable[[], None] | None = None,
        interval: float = INTERVAL,
        setpoint_life: float = SETPOINT_LIFE,
        watchdog_timeout: int = WATCHDOG_TIMEOUT,
        fallback_current: float = FALLBACK_CURRENT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._board = board
        self._on_snapshot = on_snapshot
        self._beat = beat
        self._interval = interval
        self._setpoint_life = setpoint_life
        self._watchdog = (watchdog_timeout, fallback_current)
        self._clock = clock
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait
        self._thread: threading.Thread | None = None
        self._pace = Pace(interval, clock())
        self._ticks = 0

        self._lock = threading.Lock()  # guards those below, set from other threads
        self._wanted: Setpoint | None = None
        self._wanted_at = 0.0
        self._watched_until = float("-inf")

        self._counters = BusCounters()
        self._snapshot = BoardSnapshot(at=clock())
        self._meaning: object = None
        self._reported_at = float("-inf")
        self._cards = CardReads()
        self._life: tuple[int, float] | None = None  # boot count and uptime of the board at the last read
        self._configured = False
        self._written: dict[int, tuple[int, EvseSetpoint]] = {}
        self._tripped_at: dict[int, float] = {}
        self._tests: dict[int, tuple[int, bool]] = {}  # EVSE id -> serial of the last wish, and whether it was refused
        self._registers: Registers | None = None
        self._fed_at = float("-inf")
        self._heartbeats = 0
        self._retry_at = float("-inf")
        self._backoff = BACKOFF[0]

    # ------------------------------------------------------------------ from other threads

    def start(self) -> None:
        """Start the thread."""
        self._pace = Pace(self._interval, self._clock())
        self._thread = threading.Thread(target=self.run, name="poller", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Ask the loop to end and wait for it up to ``timeout`` s; the watchdog is then no longer fed."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout)

    def want(self, setpoint: Setpoint) -> None:
        """From now on this is what the station wants; given again unchanged, it stays alive.

        Raises ValueError for what no board could be told.
        """
        _check(setpoint)
        with self._lock:
            self._wanted, self._wanted_at = setpoint, self._clock()

    def watch(self, seconds: float) -> None:
        """For so long, somebody looks at the registers: they are read once a second (``registers``)."""
        with self._lock:
            self._watched_until = self._clock() + seconds

    def registers(self) -> Registers | None:
        """Every register's words, by EVSE id: input and holding; None while nobody looks."""
        return self._registers

    def snapshot(self) -> BoardSnapshot:
        """The last one."""
        return self._snapshot

    def statistics(self) -> PollStatistics:
        """How well the loop keeps its time."""
        p95, worst = self._pace.jitter()
        return PollStatistics(self._ticks, self._pace.missed, p95, worst)

    # ------------------------------------------------------------------ the loop

    def run(self) -> None:
        """Poll until ``stop``; nothing that a board or a callback does ends it."""
        while not self._stopping.is_set():
            wait = self._pace.due - self._clock()
            if wait > 0:
                self._sleep(wait)
                continue
            self._pace.begin(self._clock())
            self.tick()
            self._pace.done(self._clock())
        self._board.close()

    def tick(self) -> None:
        """One slot: read, report, write."""
        self._ticks += 1
        now = self._clock()
        try:
            if now >= self._retry_at:
                self._poll(now)
            else:
                self._report(replace(self._snapshot, at=now))
        except BusError as error:
            self._bus_failed(str(error), now)
        except Exception as error:  # a driver that breaks its promise must not end the thread
            log.exception("poller")
            self._bus_failed(f"internal error: {type(error).__name__}", now)
        if self._beat:
            self._call(self._beat)

    def _poll(self, now: float) -> None:
        self._count(polls=1)
        reading = self._board.read()
        now = self._clock()
        self._count(retries=reading.retries)
        self._backoff = BACKOFF[0]
        if self._was_reset(reading):
            self._cards.forget()
            self._configured = False
            self._written.clear()
            self._tripped_at.clear()
            self._tests.clear()
        self._cards.take(reading, now)
        self._note_trips(reading, now)
        error = ""
        begun: set[int] = set()
        try:
            self._command(reading, now, begun)
            self._look_at_registers(now)
        except BoardRefusedError as refused:
            self._count(errors=1, refusals=1)
            error = str(refused)
        finally:
            self._report(self._seen(reading, now, error, begun))

    def _look_at_registers(self, now: float) -> None:
        """Once a second while somebody watches; nothing is kept for nobody."""
        with self._lock:
            watched = now < self._watched_until
        if not watched:
            self._registers = None
        elif self._registers is None or self._ticks % LOOK == 0:
            self._registers = self._board.dump()

    def _command(self, reading: BoardReading, now: float, begun: set[int]) -> None:
        """Everything that is written to the board, in the order in which it has to arrive.

        ``begun`` gets the EVSEs whose self-test was asked for just now, which ``reading`` knows nothing of.
        """
        with self._lock:
            wanted, wanted_at = self._wanted, self._wanted_at
        if not self._configured:
            for evse in reading.evses:
                self._board.configure(evse.evse_id, *self._watchdog)
            self._configured = True
        if wanted is None or now - wanted_at > self._setpoint_life:
            return
        self._feed(reading, now)
        setpoints = {setpoint.evse_id: setpoint for setpoint in wanted.evses}
        for evse in reading.evses:
            if setpoint := setpoints.get(evse.evse_id):
                self._apply(evse, wanted.sequence, setpoint)
            acknowledged = wanted.acknowledge_watchdog and wanted_at > self._tripped_at.get(evse.evse_id, now)
            if acknowledged and evse.watchdog is WatchdogState.RESTORED:
                self._board.acknowledge_watchdog(evse.evse_id)
        for evse_id, serial in wanted.self_tests:
            if evse_id in self._known(reading) and self._tests.get(evse_id, (0, False))[0] != serial:
                self._test(evse_id, serial)
                begun.add(evse_id)

    @staticmethod
    def _known(reading: BoardReading) -> set[int]:
        return {evse.evse_id for evse in reading.evses}

    def _test(self, evse_id: int, serial: int) -> None:
        try:
            self._board.start_self_test(evse_id)
        except BoardRefusedError:
            self._tests[evse_id] = serial, True
        else:
            self._tests[evse_id] = serial, False

    def _feed(self, reading: BoardReading, now: float) -> None:
        waiting = any(evse.watchdog in (WatchdogState.DISARMED, WatchdogState.TRIPPED) for evse in reading.evses)
        if now - self._fed_at < HEARTBEAT and not waiting:
            return
        self._heartbeats += 1
        for evse in reading.evses:
            self._board.feed(evse.evse_id, self._heartbeats)
        self._fed_at = now

    def _apply(self, evse: EvseSnapshot, sequence: int, setpoint: EvseSetpoint) -> None:
        """Write a setpoint that is new, or that the board does not hold (any more), and read it back."""
        written = self._written.get(evse.evse_id)
        if written == (sequence, setpoint):
            if evse.setpoint_sequence == sequence:
                return
            self._count(setpoints_reapplied=1)
        self._written.pop(evse.evse_id, None)
        self._board.write_setpoint(sequence, setpoint)
        held = self._board.read_setpoint(evse.evse_id)
        if held != (sequence, _as_held(setpoint)):
            raise BoardRefusedError(f"EVSE {evse.evse_id}: the board holds another setpoint than was written")
        self._written[evse.evse_id] = (sequence, setpoint)

    # ------------------------------------------------------------------ what was seen

    def _was_reset(self, reading: BoardReading) -> bool:
        """By the boot counter, or by an uptime that went back; also True at the first read."""
        before, self._life = self._life, (reading.boot_count, reading.uptime)
        if before is None:
            return True
        reset = before[0] != reading.boot_count or reading.uptime < before[1]
        self._count(board_resets=int(reset))
        return reset

    def _note_trips(self, reading: BoardReading, now: float) -> None:
        for evse in reading.evses:
            if evse.watchdog in (WatchdogState.TRIPPED, WatchdogState.RESTORED):
                if evse.evse_id not in self._tripped_at:
                    self._count(watchdog_trips=1)
                self._tripped_at.setdefault(evse.evse_id, now)
            else:
                self._tripped_at.pop(evse.evse_id, None)

    def _tested(self, evse: EvseSnapshot, *, begun: bool) -> EvseSnapshot:
        serial, refused = self._tests.get(evse.evse_id, (0, False))
        if not serial:
            return evse
        outcome = SelfTest.REFUSED if refused else SelfTest.RUNNING if begun else evse.self_test
        return replace(evse, self_test=outcome, self_test_serial=serial)

    def _seen(self, reading: BoardReading, now: float, error: str, begun: set[int]) -> BoardSnapshot:
        return BoardSnapshot(
            at=now,
            error=error,
            map_version=reading.map_version,
            firmware=reading.firmware,
            boot_count=reading.boot_count,
            reset_cause=reading.reset_cause,
            uptime=reading.uptime,
            door_open=reading.door_open,
            evses=tuple(self._tested(evse, begun=evse.evse_id in begun) for evse in reading.evses),
            card_reads=self._cards.reads,
            bus=self._counters,
        )

    def _bus_failed(self, error: str, now: float) -> None:
        self._board.close()
        self._count(errors=1)
        self._configured = False  # what hangs on the line may be another board now
        self._retry_at = now + self._backoff
        self._backoff = min(2 * self._backoff, BACKOFF[1])
        if self._snapshot.error != error or self._snapshot.online:
            log.warning("board: %s", error)
        self._report(replace(self._snapshot, at=now, online=False, error=error, bus=self._counters))

    def _report(self, snapshot: BoardSnapshot) -> None:
        """Hand it on when it says something new, or when the last one is a second old."""
        if snapshot.online and not self._snapshot.online:
            log.info("board: back on the line")
        self._snapshot = snapshot
        meaning = _meaning(snapshot)
        # Half a slot early rather than a slot late: slots do not fall on whole seconds of the last report.
        if meaning == self._meaning and snapshot.at - self._reported_at < REPORT - self._interval / 2:
            return
        self._meaning, self._reported_at = meaning, snapshot.at
        self._call(lambda: self._on_snapshot(snapshot))

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:
            log.exception("poller: a callback failed")

    def _count(self, **more: int) -> None:
        counters = self._counters
        self._counters = replace(counters, **{name: getattr(counters, name) + count for name, count in more.items()})


def _meaning(snapshot: BoardSnapshot) -> object:
    """What of a snapshot is worth telling at once: all but times, counters of the line and measured values."""
    evses = tuple(
        (
            evse.evse_id,
            evse.cp_state,
            evse.contactor_commanded,
            evse.contactor_closed,
            evse.connector_locked,
            evse.current_offered,
            evse.cable_limit,
            evse.phases,
            evse.faults,
            evse.warnings,
            evse.fault_latches,
            evse.watchdog,
            evse.setpoint_sequence,
            evse.bay_occupied,
            evse.meter.ok,
            evse.soc is None,
            evse.self_test,
            evse.self_test_serial,
        )
        for evse in snapshot.evses
    )
    return (
        snapshot.online,
        snapshot.error,
        snapshot.firmware,
        snapshot.boot_count,
        snapshot.door_open,
        snapshot.card_reads,
        evses,
    )


def _as_held(setpoint: EvseSetpoint) -> EvseSetpoint:
    """A setpoint as registers can hold it."""
    return replace(
        setpoint, current=round(setpoint.current * 10) / 10, fault_acknowledged=setpoint.fault_acknowledged & 0xFFFF
    )


def _check(setpoint: Setpoint) -> None:
    if not 1 <= setpoint.sequence <= 0xFFFF:
        raise ValueError(f"setpoint: sequence {setpoint.sequence} is outside 1 … 65535")
    for evse in setpoint.evses:
        if not 0.0 <= evse.current <= 1000.0:
            raise ValueError(f"setpoint of EVSE {evse.evse_id}: current {evse.current} A is outside 0 … 1000")
        if evse.phases not in (1, 3):
            raise ValueError(f"setpoint of EVSE {evse.evse_id}: phases {evse.phases} is neither 1 nor 3")
