"""The poll loop on its own clock, with a board that does as it is told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hardware.board import BoardReading, BoardRefusedError, BusError
from hardware.drivers import open_board
from hardware.poller import Poller
from station.domain.board import (
    BoardSnapshot,
    CardRead,
    CPState,
    EvseSetpoint,
    EvseSnapshot,
    MeterReading,
    SelfTest,
    Setpoint,
    WatchdogState,
)
from tests.hardware.support import live_simulator


@dataclass
class FakeBoard:
    """A board at the protocol's boundary; ``log`` has all that was written."""

    reading: BoardReading = field(
        default_factory=lambda: BoardReading(1, "1.0", 7, "PowerOn", 10.0, False, (EvseSnapshot(1), EvseSnapshot(2)))
    )
    log: list[tuple[object, ...]] = field(default_factory=list)
    held: dict[int, tuple[int, EvseSetpoint]] = field(default_factory=dict)
    failure: Exception | None = None
    takes_setpoints: bool = True
    reads: int = 0
    closed: int = 0

    def read(self) -> BoardReading:
        self.reads += 1
        if self.failure:
            raise self.failure
        self.reading = replace(self.reading, uptime=self.reading.uptime + 0.2)
        return self.reading

    def configure(self, evse_id: int, watchdog_timeout: int, fallback_current: float) -> None:
        self.log.append(("configure", evse_id, watchdog_timeout, fallback_current))

    def feed(self, evse_id: int, beat: int) -> None:
        self.log.append(("feed", evse_id))
        if self[evse_id].watchdog is WatchdogState.DISARMED:
            self.change(evse_id, watchdog=WatchdogState.OK)

    def write_setpoint(self, sequence: int, setpoint: EvseSetpoint) -> None:
        self.log.append(("setpoint", setpoint.evse_id, sequence))
        if self.takes_setpoints:
            self.held[setpoint.evse_id] = (sequence, setpoint)
            self.change(setpoint.evse_id, setpoint_sequence=sequence)

    def read_setpoint(self, evse_id: int) -> tuple[int, EvseSetpoint]:
        return self.held.get(evse_id, (0, EvseSetpoint(evse_id)))

    def acknowledge_watchdog(self, evse_id: int) -> None:
        self.log.append(("acknowledge", evse_id))

    def start_self_test(self, evse_id: int) -> None:
        self.log.append(("test", evse_id))
        if self[evse_id].contactor_closed:
            raise BoardRefusedError("busy")
        self.change(evse_id, self_test=SelfTest.RUNNING)

    def dump(self) -> dict[int, tuple[list[int], list[int]]]:
        self.log.append(("dump",))
        return {evse.evse_id: ([1, 2], [3]) for evse in self.reading.evses}

    def close(self) -> None:
        self.closed += 1

    # what a test does with it

    def __getitem__(self, evse_id: int) -> EvseSnapshot:
        return self.reading.evses[evse_id - 1]

    def change(self, evse_id: int, **values: object) -> None:
        evses = list(self.reading.evses)
        evses[evse_id - 1] = replace(evses[evse_id - 1], **values)  # type: ignore[arg-type]
        self.reading = replace(self.reading, evses=tuple(evses))

    def card(self, count: int, uid: str = "04A2B3C4") -> None:
        self.reading = replace(self.reading, card_count=count, card=CardRead(count, uid, "ISO14443"))

    def did(self, what: str) -> int:
        return sum(entry[0] == what for entry in self.log)


class Bed:
    """A poller, its clock, its board, and what it told."""

    def __init__(self, on_snapshot: Callable[[BoardSnapshot], None] | None = None) -> None:
        self.now = 1000.0
        self.board = FakeBoard()
        self.told: list[BoardSnapshot] = []
        self.beats = 0
        self.poller = Poller(
            self.board, on_snapshot or self.told.append, beat=self.beat, clock=lambda: self.now, sleep=self.sleep
        )

    def beat(self) -> None:
        self.beats += 1

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def ticks(self, count: int = 1) -> None:
        for _ in range(count):
            self.poller.tick()
            self.now += 0.2

    def want(self, sequence: int = 1, acknowledge: bool = False, current: float = 16.0) -> None:
        self.poller.want(
            Setpoint(sequence, (EvseSetpoint(1, True, current), EvseSetpoint(2)), acknowledge_watchdog=acknowledge)
        )


@pytest.fixture
def bed() -> Bed:
    return Bed()


# ------------------------------------------------------------------ snapshots


def test_a_snapshot_each_second_and_on_every_change(bed: Bed) -> None:
    bed.ticks(50)
    assert len(bed.told) == 10
    assert [round(b.at - a.at, 3) for a, b in zip(bed.told, bed.told[1:], strict=False)] == [1.0] * 9
    bed.board.change(1, cp_state=CPState.B1)
    bed.ticks()
    assert bed.told[-1].evses[0].cp_state is CPState.B1
    assert bed.told[-1].bus.polls == 51


def test_measured_values_alone_wait_for_their_second(bed: Bed) -> None:
    bed.ticks()
    for power in range(4):
        bed.board.change(1, meter=MeterReading(total_power=float(power)))
        bed.ticks()
    assert len(bed.told) == 1
    bed.ticks()
    assert bed.told[-1].evses[0].meter.total_power == 3.0


def test_a_callback_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: BoardSnapshot) -> None:
        raise RuntimeError("layer gone")

    bed = Bed(fail)
    bed.want()
    bed.ticks(10)
    assert bed.board.did("feed") == 4
    assert bed.beats == 10
    assert "layer gone" in caplog.text


# ------------------------------------------------------------------ the line


def test_a_broken_line_is_told_once_and_each_second_and_tried_ever_less(
    bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    bed.ticks(3)
    bed.board.failure = BusError("no answer")
    told = len(bed.told)
    with caplog.at_level(logging.INFO):
        bed.ticks(150)
    offline = bed.told[told:]
    assert {(snapshot.online, snapshot.error) for snapshot in offline} == {(False, "no answer")}
    assert 30 <= len(offline) <= 32
    assert offline[-1].evses == bed.told[0].evses, "the last that was read"
    assert bed.board.reads < 20
    assert bed.board.closed == offline[-1].bus.errors
    assert bed.beats == 153
    bed.board.failure = None
    with caplog.at_level(logging.INFO):
        bed.ticks(30)
    assert bed.told[-1].online
    assert bed.told[-1].error == ""
    assert [record.message for record in caplog.records] == ["board: no answer", "board: back on the line"]


def test_a_line_that_never_answers_has_no_evses(bed: Bed) -> None:
    bed.board.failure = BusError("no connection")
    bed.ticks()
    assert (bed.told[0].online, bed.told[0].evses) == (False, ())


def test_a_driver_that_breaks_its_promise_ends_nothing(bed: Bed) -> None:
    bed.board.failure = ZeroDivisionError()
    bed.ticks(2)
    assert bed.told[0].error == "internal error: ZeroDivisionError"


def test_what_the_board_refuses_is_told_while_it_stays_online(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise BoardRefusedError("the board refuses: illegal value")

    monkeypatch.setattr(bed.board, "write_setpoint", refuse)
    bed.want()
    bed.ticks(2)
    assert (bed.told[-1].online, bed.told[-1].error) == (True, "the board refuses: illegal value")
    assert bed.board.did("feed"), "it is fed nevertheless"


# ------------------------------------------------------------------ setpoint


def test_a_setpoint_is_written_once_and_again_when_the_board_lost_it(bed: Bed) -> None:
    bed.want(5)
    bed.ticks(10)
    assert bed.board.log.count(("setpoint", 1, 5)) == 1
    assert bed.board.log.count(("setpoint", 2, 5)) == 1
    bed.board.change(1, setpoint_sequence=0)
    bed.ticks(10)
    assert bed.board.log.count(("setpoint", 1, 5)) == 2
    assert bed.board.log.count(("setpoint", 2, 5)) == 1
    assert bed.told[-1].bus.setpoints_reapplied == 1


def test_the_same_sequence_with_another_content_is_written(bed: Bed) -> None:
    bed.want(1)
    bed.ticks(2)
    bed.want(1, current=10.0)  # the uplink began to count anew
    bed.ticks(2)
    assert bed.board.held[1][1].current == 10.0
    assert bed.told[-1].bus.setpoints_reapplied == 0


def test_a_board_that_holds_something_else_is_told(bed: Bed) -> None:
    bed.board.takes_setpoints = False
    bed.want()
    bed.ticks(2)
    assert "holds another setpoint" in bed.told[-1].error


def test_a_setpoint_for_an_evse_that_is_not_there_is_left(bed: Bed) -> None:
    bed.poller.want(Setpoint(1, (EvseSetpoint(3, True, 16.0),)))
    bed.ticks(2)
    assert bed.board.did("setpoint") == 0


@pytest.mark.parametrize(
    ("setpoint", "named"),
    [
        (Setpoint(0, ()), "sequence"),
        (Setpoint(65536, ()), "sequence"),
        (Setpoint(1, (EvseSetpoint(1, current=-1.0),)), "current"),
        (Setpoint(1, (EvseSetpoint(1, current=float("nan")),)), "current"),
        (Setpoint(1, (EvseSetpoint(1, phases=2),)), "phases"),
    ],
)
def test_a_setpoint_that_no_board_could_be_told_is_refused(bed: Bed, setpoint: Setpoint, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        bed.poller.want(setpoint)
    bed.ticks()
    assert bed.board.did("setpoint") == 0


# ------------------------------------------------------------------ the watchdog


def test_no_heartbeat_without_a_setpoint(bed: Bed) -> None:
    bed.ticks(50)
    assert bed.board.did("feed") == 0
    assert bed.board.log == [("configure", 1, 30, 0.0), ("configure", 2, 30, 0.0)]


def test_a_heartbeat_each_second_while_the_setpoint_is_alive(bed: Bed) -> None:
    bed.want()
    bed.ticks(5 * 299)
    assert bed.board.log.count(("feed", 1)) == 299
    assert bed.board.log.count(("feed", 2)) == 299
    bed.want()  # unchanged, and so alive again
    bed.ticks(5 * 299)
    assert bed.board.log.count(("feed", 1)) == 598
    bed.ticks(5 * 60)
    assert bed.board.log.count(("feed", 1)) <= 601
    bed.board.change(1, setpoint_sequence=0)
    before = bed.board.did("setpoint")
    bed.ticks(10)
    assert bed.board.did("setpoint") == before, "a setpoint that is not alive is not written"


def test_no_heartbeat_over_a_broken_line(bed: Bed) -> None:
    bed.want()
    bed.ticks(2)
    fed = bed.board.did("feed")
    bed.board.failure = BusError("no answer")
    bed.ticks(20)
    assert bed.board.did("feed") == fed


def test_a_trip_is_acknowledged_only_by_a_setpoint_given_after_it(bed: Bed) -> None:
    bed.want(1, acknowledge=True)
    bed.ticks(3)
    for evse_id in (1, 2):
        bed.board.change(evse_id, watchdog=WatchdogState.TRIPPED, setpoint_sequence=0)
    before = bed.board.did("feed")
    bed.ticks()
    assert bed.board.did("feed") == before + 2, "a tripped watchdog is fed at once"
    bed.board.change(1, watchdog=WatchdogState.RESTORED)
    bed.board.change(2, watchdog=WatchdogState.RESTORED)
    bed.ticks(10)
    assert bed.board.did("acknowledge") == 0
    assert bed.board[1].setpoint_sequence == 1, "the setpoint came back"
    bed.want(2)
    bed.ticks(2)
    assert bed.board.did("acknowledge") == 0
    bed.want(3, acknowledge=True)
    bed.ticks()
    assert bed.board.log.count(("acknowledge", 1)) == 1


def test_a_board_that_was_reset_is_set_up_anew(bed: Bed) -> None:
    bed.want(1)
    bed.ticks(5)
    bed.board.log.clear()
    bed.board.reading = BoardReading(1, "1.0", 8, "BrownOut", 0.1, False, (EvseSnapshot(1), EvseSnapshot(2)))
    bed.ticks()
    assert bed.board.log == [
        ("configure", 1, 30, 0.0), ("configure", 2, 30, 0.0), ("feed", 1), ("feed", 2),
        ("setpoint", 1, 1), ("setpoint", 2, 1),
    ]  # fmt: skip


# ------------------------------------------------------------------ cards


def test_a_card_gets_the_time_at_which_it_was_seen(bed: Bed) -> None:
    bed.ticks()
    bed.board.card(1)
    at = bed.now
    bed.ticks(5)
    assert bed.told[1].card_reads == (CardRead(1, "04A2B3C4", "ISO14443", None, at),)
    assert bed.told[-1].card_reads == bed.told[1].card_reads
    bed.board.card(2, "04A2B3C5")
    bed.ticks()
    assert [(read.count, read.uid) for read in bed.told[-1].card_reads] == [(1, "04A2B3C4"), (2, "04A2B3C5")]


def test_a_card_that_was_there_before_has_no_time(bed: Bed) -> None:
    bed.board.card(4)
    bed.ticks()
    assert bed.told[0].card_reads[0].at is None


def test_of_a_leap_the_last_card_is_known_and_the_counter_wraps(bed: Bed) -> None:
    bed.board.card(65534)
    bed.ticks()
    bed.board.card(1, "04000001")
    bed.ticks()
    assert [read.count for read in bed.told[-1].card_reads] == [65534, 1]


def test_the_last_eight_are_kept(bed: Bed) -> None:
    bed.ticks()
    for count in range(1, 13):
        bed.board.card(count)
        bed.ticks()
    assert [read.count for read in bed.told[-1].card_reads] == list(range(5, 13))


def test_after_a_reset_the_same_count_is_a_new_card(bed: Bed) -> None:
    bed.ticks()
    bed.board.card(1, "04000001")
    bed.ticks()
    bed.board.card(1, "04000002")
    bed.board.reading = replace(bed.board.reading, uptime=0.0)  # the reset shows in the uptime alone
    at = bed.now
    bed.ticks()
    assert bed.told[-1].card_reads == (CardRead(1, "04000002", "ISO14443", None, at),)


# ------------------------------------------------------------------ the loop


def test_the_loop_keeps_its_slots_and_ends(bed: Bed) -> None:
    slow = iter([0.01] * 5 + [0.7] + [0.01] * 44)

    def beat() -> None:
        bed.now += next(slow)
        bed.beats += 1
        if bed.beats == 50:
            bed.poller._stopping.set()

    bed.poller._beat = beat
    bed.poller.run()
    statistics = bed.poller.statistics()
    assert (statistics.ticks, statistics.missed) == (50, 3)
    assert statistics.jitter_max < 1e-6
    assert bed.now == pytest.approx(1000.0 + 52 * 0.2 + 0.01)
    assert bed.board.closed == 1


def test_against_a_live_board(tmp_path: Path) -> None:
    """Thread, driver and simulator together: plug in, be offered current, be told."""
    charging, told = threading.Event(), []

    def take(snapshot: BoardSnapshot) -> None:
        told.append(snapshot)
        if snapshot.evses and snapshot.evses[0].cp_state is CPState.C2:
            charging.set()

    with live_simulator(tmp_path) as live:
        poller = Poller(open_board(live.modbus), take)
        poller.want(Setpoint(1, (EvseSetpoint(1, True, 16.0), EvseSetpoint(2))))
        poller.start()
        live.ask("/evse/1/plug", {})
        assert charging.wait(20)
        poller.stop()
        assert poller.statistics().ticks > 5
        assert told[-1].evses[0].contactor_closed
        assert told[-1].error == ""


# ------------------------------------------------------------------ self-test and registers


def wishing(serial: int, evse_id: int = 1) -> Setpoint:
    return Setpoint(3, (EvseSetpoint(1), EvseSetpoint(2)), self_tests=((evse_id, serial),))


def test_a_self_test_is_begun_once_for_each_wish_and_told_with_its_number() -> None:
    bed = Bed()
    bed.board.change(1, self_test=SelfTest.PASSED)  # of somebody before
    bed.poller.want(wishing(1))
    bed.ticks(3)
    assert bed.board.did("test") == 1
    assert {one.evses[0].self_test for one in bed.told} == {SelfTest.RUNNING}, "never the outcome of the last one"
    bed.board.change(1, self_test=SelfTest.FAILED)
    bed.ticks()
    assert (bed.told[-1].evses[0].self_test, bed.told[-1].evses[0].self_test_serial) == (SelfTest.FAILED, 1)
    assert (bed.told[-1].evses[1].self_test, bed.told[-1].evses[1].self_test_serial) == (SelfTest.NOT_RUN, 0)
    bed.poller.want(wishing(2))
    bed.ticks(2)
    assert bed.board.did("test") == 2


def test_a_self_test_that_the_board_refuses_is_told_and_charging_goes_on() -> None:
    bed = Bed()
    bed.board.change(1, contactor_closed=True)
    bed.poller.want(wishing(5))
    bed.ticks(2)
    told = bed.told[-1]
    assert (told.evses[0].self_test, told.evses[0].self_test_serial, told.error) == (SelfTest.REFUSED, 5, "")
    assert bed.board.did("test") == 1


def test_a_self_test_of_an_evse_that_is_not_there_asks_nobody() -> None:
    bed = Bed()
    bed.poller.want(wishing(1, evse_id=9))
    bed.ticks(2)
    assert bed.board.did("test") == 0


def test_registers_are_read_once_a_second_and_only_while_somebody_looks() -> None:
    bed = Bed()
    bed.ticks(10)
    assert (bed.board.did("dump"), bed.poller.registers()) == (0, None)
    bed.poller.watch(2.0)
    for _ in range(20):
        bed.ticks()
        bed.now += 0.2
    assert 2 <= bed.board.did("dump") <= 3
    assert bed.poller.registers() is None, "nothing is kept for nobody"


def test_trips_and_resets_are_counted() -> None:
    bed = Bed()
    bed.ticks(2)
    bed.board.change(1, watchdog=WatchdogState.TRIPPED)
    bed.ticks(3)
    bed.board.change(1, watchdog=WatchdogState.OK)
    bed.board.reading = replace(bed.board.reading, boot_count=8)
    bed.ticks()
    assert (bed.told[-1].bus.watchdog_trips, bed.told[-1].bus.board_resets) == (1, 1)
