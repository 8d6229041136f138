"""What goes out, in which order, and what happens when it is not taken (E04, E11, E12, E13)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig

ATTEMPTS = "OCPPCommCtrlr.MessageAttempts[TransactionEvent]"
INTERVAL = "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"


def station(**variables: str) -> MemoryRig:
    quiet = {"SampledDataCtrlr.TxUpdatedInterval": "0", "AlignedDataCtrlr.Interval": "0"}
    return MemoryRig(evses=1, **quiet, **variables).boot()


def times(rig: MemoryRig) -> list[float]:
    """When each TransactionEvent went out, in seconds since now; collected from here on."""
    began, seen = rig.now.monotonic, []

    def note(frame: list[Any]) -> None:
        if frame[0] == 2 and frame[2] == "TransactionEvent":
            seen.append(round(rig.now.monotonic - began, 3))

    rig.on_frame = note
    return seen


def numbers(rig: MemoryRig) -> list[int]:
    return [event["seqNo"] for event in rig.events()]


def test_a_refused_event_is_sent_again_after_the_interval_times_the_attempts() -> None:
    """E13.FR.02, E13.FR.03."""
    rig = station(**{ATTEMPTS: "4", INTERVAL: "10"})
    rig.answers["TransactionEvent"] = {"error": "InternalError"}
    sent = times(rig)
    rig.plug()
    rig.skip(200)
    assert sent == [0.0, 10.0, 30.0, 60.0]


def test_after_the_last_attempt_it_is_given_up_and_the_next_one_sent() -> None:
    """E13.FR.04."""
    rig = station(**{ATTEMPTS: "2", INTERVAL: "10"})
    rig.answers["TransactionEvent"] = lambda event: {"error": "InternalError"} if event["seqNo"] == 0 else {}
    rig.plug()
    rig.card()
    rig.skip(11)
    assert numbers(rig) == [0, 0, 1]
    assert [one.given_up for one in rig.disk.given_up] == ["InternalError"]
    assert not rig.disk.queue


@pytest.mark.parametrize("answer", [{"error": "NoSuchErrorCode"}, {"error": "NotSupported"}, {"totalCost": "much"}])
def test_every_bad_answer_counts_as_an_attempt(answer: dict[str, Any]) -> None:
    rig = station(**{ATTEMPTS: "3", INTERVAL: "1"})
    rig.answers["TransactionEvent"] = answer
    rig.plug()
    rig.skip(60)
    assert numbers(rig) == [0, 0, 0]


def test_no_answer_is_a_failure_after_the_message_timeout() -> None:
    rig = station(**{ATTEMPTS: "2", INTERVAL: "10", "OCPPCommCtrlr.MessageTimeout[Default]": "7"})
    rig.answers["TransactionEvent"] = None
    sent = times(rig)
    rig.plug()
    rig.skip(100)
    assert sent == [0.0, 17.0]
    assert [one.given_up.split()[0] for one in rig.disk.given_up] == ["Timeout"]


def test_interval_0_sends_again_at_once() -> None:
    rig = station(**{ATTEMPTS: "3", INTERVAL: "0"})
    rig.answers["TransactionEvent"] = {"error": "InternalError"}
    rig.plug()
    assert numbers(rig) == [0, 0, 0]


def test_an_answer_that_comes_late_is_an_answer() -> None:
    """After MessageTimeout and before the next attempt: nothing is sent twice."""
    rig = station(**{INTERVAL: "60"})
    rig.answers["TransactionEvent"] = None
    rig.plug()
    rig.skip(40)
    rig.release()
    rig.skip(300)
    assert numbers(rig) == [0]
    assert not rig.disk.queue
    assert not rig.disk.given_up


def test_an_answer_that_comes_late_during_the_next_attempt_settles_both() -> None:
    rig = station(**{INTERVAL: "10"})
    rig.answers["TransactionEvent"] = None
    rig.plug()
    rig.skip(41)
    assert numbers(rig) == [0, 0]
    rig.answers.clear()
    rig.card()
    rig.release()
    rig.skip(1)
    rig.let(3)
    assert numbers(rig) == [0, 0, 1, 2]
    assert not rig.disk.queue
    check(rig)


def test_a_transaction_s_events_wait_for_the_one_before() -> None:
    rig = station(**{INTERVAL: "60"})
    rig.answers["TransactionEvent"] = {"error": "InternalError"}
    rig.plug()
    rig.answers.clear()
    rig.card()
    rig.let(10)
    assert numbers(rig) == [0]
    rig.skip(60)
    assert numbers(rig) == [0, 0, 1, 2]
    check(rig)


def test_what_is_only_worth_saying_now_goes_before_what_waits() -> None:
    rig = station(**{INTERVAL: "600"})
    rig.answers["TransactionEvent"] = {"error": "InternalError"}
    rig.plug()
    rig.card()
    assert len(rig.sent("Authorize")) == 1
    assert rig.statuses()[-1] == "Occupied"


def test_a_whole_session_offline_is_delivered_in_order() -> None:
    """E04.FR.01..03, E11.FR.01, E11.FR.02, E12.FR.01, E12.FR.02."""
    rig = station()
    rig.disconnect()
    rig.plug()
    rig.card()
    rig.let(5)
    rig.card()
    rig.let(2)
    rig.unplug()
    assert rig.events() == []
    rig.connect()
    assert numbers(rig) == [0, 1, 2, 3]
    assert all(event["offline"] is True for event in rig.events())
    (told,) = check(rig)
    assert told.ended
    (record,) = rig.disk.transactions.values()
    assert record.started_offline


def test_what_was_not_delivered_online_counts_as_offline() -> None:
    """E11.FR.07."""
    rig = station()
    rig.answers["TransactionEvent"] = None
    rig.plug()
    rig.card()
    rig.disconnect()
    rig.answers.clear()
    rig.let(1)
    rig.connect()
    assert [(event["seqNo"], event.get("offline")) for event in rig.events()] == [(0, None), (0, True), (1, True)]
    check(rig)


def test_what_happens_after_the_link_is_back_is_online() -> None:
    rig = station()
    rig.plug()
    rig.disconnect()
    rig.card()
    rig.connect()
    rig.let(2)
    assert [event.get("offline") for event in rig.events()] == [None, True, None]


def test_the_queue_outlasts_a_power_cut() -> None:
    """E12.FR.02; the attempts already made count on."""
    rig = station(**{ATTEMPTS: "3", INTERVAL: "10"})
    rig.answers["TransactionEvent"] = {"error": "InternalError"}
    rig.plug()
    rig.skip(11)
    assert numbers(rig) == [0, 0]
    rig.power_cut()
    rig.boot()
    assert numbers(rig) == [0, 0, 0]
    assert rig.events()[-1]["offline"] is True
    assert len(rig.disk.given_up) == 1


def test_a_link_that_breaks_with_a_full_queue_is_not_hammered() -> None:
    """CallFailed(LinkDown) comes before LinkDown: nothing more goes out on the dead link in between."""
    rig = station()
    rig.answers["TransactionEvent"] = None
    rig.answers["StatusNotification"] = None
    rig.plug()
    rig.card()
    before = len(rig.trace)
    rig.disconnect()
    assert len(rig.trace) == before
    assert rig.disk.queue
    assert all(call.attempts == 0 for call in rig.disk.queue.values())


def test_a_lost_link_is_no_attempt() -> None:
    rig = station(**{ATTEMPTS: "1"})
    rig.answers["TransactionEvent"] = None
    rig.plug()
    for _ in range(5):
        rig.disconnect()
        rig.connect()
    assert not rig.disk.given_up
    rig.answers.clear()
    rig.disconnect()
    rig.connect()
    assert not rig.disk.queue


def test_a_security_event_that_the_csms_does_not_know_holds_nobody_up() -> None:
    rig = station(**{INTERVAL: "600"})
    rig.answers["SecurityEventNotification"] = {"error": "NotImplemented"}
    rig.board.door_open = True
    rig.poll()
    rig.plug()
    assert numbers(rig) == [0]
    assert len(rig.disk.given_up) == 1


def test_one_call_at_a_time() -> None:
    """Part 4, section 4.1.1."""
    rig = station()
    open_calls: set[str] = set()
    most = 0

    def note(frame: list[Any]) -> None:
        nonlocal most
        if frame[0] == 2:
            open_calls.add(frame[1])
            answered = {one[1] for way, one in rig.trace if way == "<" and one[0] in (3, 4)}
            most = max(most, len(open_calls - answered))

    rig.on_frame = note
    rig.plug()
    rig.card()
    rig.let(70)
    rig.card()
    rig.unplug()
    assert most == 1


def test_a_security_event_that_is_refused_holds_no_transaction_up_and_is_never_given_up() -> None:
    """A04.FR.02: it is tried until it is taken; E13 speaks of transaction-related messages only."""
    rig = MemoryRig()
    rig.answers["SecurityEventNotification"] = {"error": "InternalError"}
    rig.boot()
    rig.plug()
    rig.card()
    rig.let(5)
    assert [event["seqNo"] for event in rig.events()] == [0, 1, 2]
    tried = len(rig.sent("SecurityEventNotification"))
    rig.skip(3600)
    assert tried < len(rig.sent("SecurityEventNotification")) < tried + 40, "neither given up nor tried without a pause"
    del rig.answers["SecurityEventNotification"]
    rig.skip(3600)
    assert not rig.disk.queue
    assert not rig.disk.given_up
