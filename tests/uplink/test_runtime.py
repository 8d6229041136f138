"""The shell around the station: one event at a time, and the commit before everything else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest

from station.domain.board import BoardSnapshot, Setpoint
from station.domain.effects import Answer, Call, Effect, Reboot, Reconnect, Remember, SetBoard, Stored
from station.domain.events import (
    CallFailed,
    CallReceived,
    ConnectionFailed,
    Event,
    LinkDown,
    LinkUp,
    SecurityObserved,
    Started,
    Tick,
)
from station.domain.moment import Moment
from station.domain.network import FailureCause, NetworkProfile
from station.ocpp.rpc import Rpc
from station.uplink.link import LinkRefused
from station.uplink.runtime import FRAMES_AHEAD, LAST_SLOT, REBOOT, SNAPSHOTS_AHEAD, CommitFailed, Runtime

SLOT_1 = NetworkProfile(1, "ws://csms", 1)
RESET = '[2,"r","Reset",{"type":"Immediate"}]'
HEARTBEAT = Call("h", "Heartbeat", {}, 30.0)
SETPOINT = Setpoint(1, ())


class Bed:
    """A runtime around a station that does what a test tells it; ``log`` has everything in the order it happened."""

    def __init__(self, react: Callable[[Event], list[Effect]] = lambda event: [], last_slot: int | None = 1) -> None:
        self.react = react
        self.log: list[object] = []
        self.monotonic = 100.0
        self.station_deadline: float | None = None
        self.commit_errors: list[Exception] = []
        self.runtime = Runtime(
            self,
            Rpc(strict=True),
            commit=self._commit,
            set_board=lambda setpoint: self.log.append(("board", setpoint)),
            changed=lambda: self.log.append("changed"),
            reconnect=lambda reason: self.log.append(("reconnect", reason)),
            errand=lambda errand: self.log.append(("errand", errand)),
            clock=lambda: Moment(datetime(2024, 5, 1, tzinfo=UTC), self.monotonic),
            last_slot=last_slot,
            commit_pauses=(0.0, 0.0),
        )

    # the station
    def step(self, event: Event, now: Moment) -> list[Effect]:
        assert now.monotonic == self.monotonic
        self.log.append(event)
        return self.react(event)

    def deadline(self) -> float | None:
        return self.station_deadline

    # the database
    async def _commit(self, effects: Iterable[Stored]) -> None:
        effects = list(effects)
        self.log.append(("commit begins", effects))
        await asyncio.sleep(0)
        if self.commit_errors:
            raise self.commit_errors.pop(0)
        self.log.append(("committed", effects))

    # the link
    def send(self, frame: str) -> None:
        self.log.append(json.loads(frame))

    def connect(self, profile: NetworkProfile = SLOT_1) -> None:
        self.runtime.link_opened(self, profile, False)

    def happened(self, *without: object) -> list[object]:
        """The log but for what is said after every step."""
        return [entry for entry in self.log if entry not in ("changed", Started(), *without)]

    def run(self, drive: Callable[[], object] = lambda: None) -> int:
        """Drive the runtime, let it come to rest, stop it; the exit status."""

        async def life() -> int:
            task = asyncio.create_task(self.runtime.run())
            outcome = drive()
            if asyncio.iscoroutine(outcome):
                await outcome
            await rest(task)
            self.runtime.stop()
            async with asyncio.timeout(5):
                return await task

        return asyncio.run(life())


async def rest(task: asyncio.Task) -> None:
    for _ in range(300):
        if task.done():
            return
        await asyncio.sleep(0)


def test_life_begins_with_started_and_ends_when_told():
    bed = Bed()
    assert bed.run() == 0
    assert bed.log == [Started(), "changed"]


def test_commit_comes_before_everything_else():
    keep = Remember("a", 1)

    def react(event: Event) -> list[Effect]:
        if isinstance(event, CallReceived):
            return [
                Answer(event.call_id, "Reset", {"status": "Accepted"}),
                SetBoard(SETPOINT),
                keep,
                HEARTBEAT,
                Reconnect("why"),
                Remember("b", 2),
            ]
        return []

    async def drive() -> None:
        bed.connect()
        await bed.runtime.frame_received(RESET.encode())

    bed = Bed(react)
    bed.run(drive)
    stored = [keep, Remember("b", 2)]
    assert bed.happened() == [
        LinkUp(1, 1),
        CallReceived("r", "Reset", {"type": "Immediate"}),
        ("commit begins", stored),
        ("committed", stored),
        ("board", SETPOINT),
        [3, "r", {"status": "Accepted"}],
        [2, "h", "Heartbeat", {}],
        ("reconnect", "why"),
    ]


def test_an_attempt_that_came_to_nothing_is_an_event():
    bed = Bed()
    refusal = LinkRefused("HTTP 401: no", FailureCause.CREDENTIALS)
    bed.run(lambda: bed.runtime.link_refused(NetworkProfile(2, "wss://csms", 2), refusal, True))
    assert bed.happened() == [ConnectionFailed(2, 2, FailureCause.CREDENTIALS, "HTTP 401: no", True)]


def test_nothing_stored_touches_no_database():
    bed = Bed(lambda event: [SetBoard(SETPOINT)])
    bed.run(lambda: bed.runtime.offer(BoardSnapshot(at=1.0)))
    assert not [entry for entry in bed.log if isinstance(entry, tuple) and str(entry[0]).startswith("commit")]


def test_next_event_waits_for_the_commit():
    first, second = BoardSnapshot(at=1.0), BoardSnapshot(at=2.0)
    bed = Bed(lambda event: [Remember("at", event.at)] if isinstance(event, BoardSnapshot) else [])

    def drive() -> None:
        bed.runtime.offer(first)
        bed.runtime.offer(second)

    bed.run(drive)
    names = [entry[0] if isinstance(entry, tuple) else entry for entry in bed.happened()]
    assert names == [first, "commit begins", "committed", second, "commit begins", "committed"]


def test_commit_that_fails_is_tried_again_before_anything_is_carried_out():
    bed = Bed(lambda event: [SetBoard(SETPOINT), Remember("a", 1)] if isinstance(event, BoardSnapshot) else [])
    bed.commit_errors = [OSError("disk full"), OSError("disk full")]
    bed.run(lambda: bed.runtime.offer(BoardSnapshot(at=1.0)))
    names = [entry[0] for entry in bed.happened() if isinstance(entry, tuple)]
    assert names == ["commit begins"] * 3 + ["committed", "board"]


def test_commit_that_never_succeeds_ends_the_life_with_nothing_carried_out():
    bed = Bed(lambda event: [SetBoard(SETPOINT), Remember("a", 1)] if isinstance(event, BoardSnapshot) else [])
    bed.commit_errors = [OSError("disk full")] * 3

    with pytest.raises(CommitFailed, match="disk full"):
        bed.run(lambda: bed.runtime.offer(BoardSnapshot(at=1.0)))
    assert ("board", SETPOINT) not in bed.log


def test_station_that_fails_ends_the_life():
    def react(event: Event) -> list[Effect]:
        if isinstance(event, BoardSnapshot):
            raise ZeroDivisionError
        return []

    bed = Bed(react)
    with pytest.raises(ZeroDivisionError):
        bed.run(lambda: bed.runtime.offer(BoardSnapshot(at=1.0)))


def test_bad_frames_are_answered_without_the_station():
    bed = Bed()

    async def drive() -> None:
        bed.connect()
        await bed.runtime.frame_received(b"\xff")
        await bed.runtime.frame_received(b'[2,"x","Fly",{}]')

    bed.run(drive)
    happened = bed.happened(LinkUp(1, 1))
    assert [entry[:3] for entry in happened if isinstance(entry, list)] == [
        [4, "-1", "RpcFrameworkError"],
        [4, "x", "NotImplemented"],
    ]
    # but for what it is to know of those that are no OCPP
    assert [entry.type for entry in happened if isinstance(entry, SecurityObserved)] == ["InvalidMessages"]


def test_lost_link_fails_the_call_and_then_tells_the_station():
    bed = Bed(lambda event: [HEARTBEAT] if isinstance(event, LinkUp) else [])

    def drive() -> None:
        bed.connect()
        bed.runtime.link_closed("gone")

    bed.run(drive)
    up, sent, failed, down = bed.happened()
    assert (up, sent, down) == (LinkUp(1, 1), [2, "h", "Heartbeat", {}], LinkDown("gone"))
    assert (failed.call_id, failed.code) == ("h", "LinkDown")


def test_call_without_a_link_fails_within_the_step():
    bed = Bed(lambda event: [HEARTBEAT] if isinstance(event, BoardSnapshot) else [])
    bed.run(lambda: bed.runtime.offer(BoardSnapshot(at=1.0)))
    assert isinstance(bed.happened()[1], CallFailed)


def test_timeout_of_a_call():
    bed = Bed(lambda event: [HEARTBEAT] if isinstance(event, LinkUp) else [])

    async def drive() -> None:
        bed.connect()
        while len(bed.happened()) < 2:  # noqa: ASYNC110 - only what happens is waited for, no time
            await asyncio.sleep(0)
        bed.monotonic += 30.0
        bed.runtime.wake()

    bed.run(drive)
    failed = bed.happened()[2]
    assert (failed.call_id, failed.code) == ("h", "Timeout")


def test_tick_at_the_deadline_and_not_before():
    bed = Bed()
    bed.station_deadline = 150.0

    def react(event: Event) -> list[Effect]:
        if isinstance(event, Tick):
            bed.station_deadline = None
        return []

    bed.react = react

    async def drive() -> None:
        bed.runtime.wake()
        await asyncio.sleep(0.01)
        assert Tick() not in bed.log
        bed.monotonic = 150.0
        bed.runtime.wake()

    bed.run(drive)
    assert bed.log.count(Tick()) == 1


def test_deadline_is_kept_without_being_told():
    """The timer of the loop wakes it: here the clock is the loop's own."""
    bed = Bed()

    async def drive() -> None:
        loop = asyncio.get_running_loop()
        bed.runtime._clock = lambda: Moment(datetime(2024, 5, 1, tzinfo=UTC), loop.time())
        ticked = asyncio.Event()

        def step(event: Event, now: Moment) -> list[Effect]:
            if isinstance(event, Tick):
                bed.station_deadline = None
                ticked.set()
            return []

        bed.step = step
        bed.station_deadline = loop.time() + 0.02
        bed.runtime.wake()
        async with asyncio.timeout(5):
            await ticked.wait()

    bed.run(drive)


def test_deadline_that_stays_in_the_past_does_not_spin():
    bed = Bed()
    bed.station_deadline = 50.0

    async def drive() -> None:
        for _ in range(50):
            bed.runtime.wake()
            await asyncio.sleep(0)

    bed.run(drive)
    assert bed.log.count(Tick()) == 1  # the clock stands still, and so does the next tick


def test_reboot_finishes_the_step_and_says_so():
    def react(event: Event) -> list[Effect]:
        if isinstance(event, CallReceived):
            return [
                Answer("r", "Reset", {"status": "Accepted"}),
                Reboot("RemoteReset"),
                Remember("boot", "RemoteReset"),
            ]
        return []

    async def drive() -> None:
        bed.connect()
        await bed.runtime.frame_received(RESET.encode())
        bed.runtime.offer(BoardSnapshot(at=1.0))

    bed = Bed(react)
    assert bed.run(drive) == REBOOT
    assert bed.happened()[-2:] == [("committed", [Remember("boot", "RemoteReset")]), [3, "r", {"status": "Accepted"}]]


def test_slot_is_remembered_once_it_is_another():
    bed = Bed(last_slot=2)

    def drive() -> None:
        bed.connect(SLOT_1)
        bed.runtime.link_closed("")
        bed.connect(SLOT_1)

    bed.run(drive)
    assert [entry for entry in bed.log if isinstance(entry, tuple) and entry[0] == "committed"] == [
        ("committed", [Remember(LAST_SLOT, 1)])
    ]


def test_snapshots_do_not_pile_up():
    bed = Bed()

    async def drive() -> None:
        for number in range(2 * SNAPSHOTS_AHEAD):
            bed.runtime.offer(BoardSnapshot(at=float(number)))
        while len(bed.happened()) < SNAPSHOTS_AHEAD:  # noqa: ASYNC110 - only what happens is waited for, no time
            await asyncio.sleep(0)
        bed.runtime.offer(BoardSnapshot(at=999.0))

    bed.run(drive)
    assert [snapshot.at for snapshot in bed.happened()] == [*range(SNAPSHOTS_AHEAD), 999.0]


def test_frames_wait_at_the_socket_when_too_many_wait_here():
    bed = Bed()

    async def drive() -> None:
        bed.connect()
        for _ in range(FRAMES_AHEAD):
            await bed.runtime.frame_received(b"x")
        late = asyncio.create_task(bed.runtime.frame_received(b"x"))
        await asyncio.sleep(0)
        blocked = not late.done()
        await late
        bed.log.append(("blocked", blocked))

    bed.run(drive)
    assert len([entry for entry in bed.log if isinstance(entry, list)]) == FRAMES_AHEAD + 1


def test_busy_for_is_the_age_of_the_running_step():
    bed = Bed(lambda event: [Remember("a", 1)] if isinstance(event, BoardSnapshot) else [])
    ages = []

    async def slow(effects: Iterable[Stored]) -> None:
        bed.monotonic += 25.0
        ages.append(bed.runtime.busy_for())
        bed.monotonic -= 25.0

    bed.runtime._commit = slow
    assert bed.runtime.busy_for() == 0.0
    bed.run(lambda: bed.runtime.offer(BoardSnapshot(at=1.0)))
    assert ages == [25.0]
    assert bed.runtime.busy_for() == 0.0


def test_a_link_that_was_opened_before_a_reconnect_is_not_heard_of():
    before, after = BoardSnapshot(at=1.0), BoardSnapshot(at=2.0)
    bed = Bed(lambda event: [Reconnect("other settings")] if event == before else [])

    def drive() -> None:
        bed.runtime.offer(before)
        bed.connect()
        bed.runtime.link_closed("the station connects anew")
        bed.runtime.offer(after)

    bed.run(drive)
    assert LinkUp(1, 1) not in bed.happened()
    assert [entry for entry in bed.happened() if isinstance(entry, LinkDown | BoardSnapshot)] == [
        before,
        LinkDown("the station connects anew"),
        after,
    ]
