"""The queue's last hour, and the queue in the live view."""

from __future__ import annotations

from station.uplink.presenter import Presenter
from station.uplink.queue_curve import POINTS, SPAN, QueueCurve
from tests.support.memory_rig import MemoryRig
from tests.uplink.test_presenter import look

START = 1_780_000_000.0


def test_an_empty_queue_is_no_story() -> None:
    curve = QueueCurve()
    assert curve.after(START, 0) == ()
    assert curve.after(START + 10, 2) == ((START + 9, 0), (START + 10, 2))
    assert curve.after(START + 20, 2) == ((START + 9, 0), (START + 10, 2))
    assert curve.after(START + 30, 0)[-1] == (START + 30, 0)
    assert len(curve.after(START + 600, 0)) == 3
    assert curve.after(START + 631, 0) == ()


def test_much_at_once_is_one_point() -> None:
    curve = QueueCurve()
    for tenth in range(10):
        curve.after(START + tenth / 10, tenth + 1)
    assert curve.after(START + 0.95, 10) == ((START - 1, 0), (START, 10))


def test_a_long_time_takes_few_points_and_forgets_what_was_before() -> None:
    curve = QueueCurve()
    for second in range(0, 3 * int(SPAN), 3):
        points = curve.after(START + second, 1 + second)
        assert len(points) <= POINTS
    assert points[-1] == (START + 3 * SPAN - 3, 3 * SPAN - 2)
    assert points[1][0] >= START + 2 * SPAN - 3
    assert points[2][0] - points[0][0] > 3


def test_a_clock_that_was_set_back_begins_anew() -> None:
    curve = QueueCurve()
    curve.after(START, 3)
    assert curve.after(START - 1000, 4)[-1] == (START - 1000, 4)


def test_the_live_view_tells_what_waits_and_when_it_goes() -> None:
    rig = MemoryRig(**{"OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]": "10"}).boot()
    presenter = Presenter("life", identity="CP-1", csms_url="ws://127.0.0.1")
    queue = look(rig, presenter).queue
    assert queue is not None
    assert (queue.lanes, queue.curve) == ((), ())
    rig.answers["TransactionEvent"] = {"error": "InternalError"}
    rig.plug()
    rig.let(0.4)
    first = look(rig, presenter).queue
    assert first is not None
    (lane,) = first.lanes
    assert (lane.kind, lane.waiting, lane.attempts, lane.sending) == ("transactions", 1, 1, False)
    assert lane.next_at[:19] == "2026-03-01T12:00:10"
    rig.let(0.4)
    assert look(rig, presenter).queue == first, "time alone changes nothing"
    rig.answers.pop("TransactionEvent")
    rig.let(12)
    emptied = look(rig, presenter).queue
    assert emptied is not None
    assert emptied.lanes == ()
    assert [waiting for _, waiting in emptied.curve] == [0, 1, 0]
