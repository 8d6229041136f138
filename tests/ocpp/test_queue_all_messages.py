"""OCPPCommCtrlr.QueueAllMessages (part 2, 2.1.9): nothing that the station says is lost, and the queue has a limit."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from station.domain.memory import QueuedCall
from station.ocpp import outbox, queue_room
from station.ocpp.queue_room import dispensable
from tests.support.invariants import check
from tests.support.memory_rig import MemoryRig

ALL = "OCPPCommCtrlr.QueueAllMessages"
ATTEMPTS = "OCPPCommCtrlr.MessageAttempts[TransactionEvent]"
INTERVAL = "OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]"
TIMEOUT = "OCPPCommCtrlr.MessageTimeout[Default]"


def station(**variables: str) -> MemoryRig:
    quiet = {"SampledDataCtrlr.TxUpdatedInterval": "0", "AlignedDataCtrlr.Interval": "0", ALL: "true"}
    rig = MemoryRig(evses=1, **{**quiet, **variables}).boot()
    rig.skip(1)
    return rig


def since(rig: MemoryRig, mark: int) -> list[str]:
    """The actions that went out from ``mark`` in the trace on."""
    return [frame[2] for way, frame in rig.trace[mark:] if way == ">" and frame[0] == 2]


def offline(rig: MemoryRig, seconds: float = 10) -> int:
    """Lose the link, plug and unplug a car, with the time between; returns where the trace stood."""
    rig.disconnect()
    mark = len(rig.trace)
    rig.plug()
    rig.let(seconds)
    rig.unplug()
    return mark


def test_as_shipped_only_what_must_not_be_lost_is_queued() -> None:
    rig = station(**{ALL: "false"})
    mark = offline(rig)
    rig.connect()
    assert since(rig, mark).count("TransactionEvent") == 2
    assert "StatusNotification" not in since(rig, mark), "it is Available as before"


def test_the_csms_switches_it() -> None:
    rig = station(**{ALL: "false"})
    assert rig.set_variable(ALL, "true") == "Accepted"
    mark = offline(rig)
    rig.connect()
    assert since(rig, mark).count("StatusNotification") == 2
    assert rig.set_variable(ALL, "false") == "Accepted"
    mark = offline(rig)
    rig.connect()
    assert since(rig, mark).count("StatusNotification") == 0


def test_what_was_said_offline_comes_in_the_order_of_events_with_its_own_time() -> None:
    rig = station()
    before = len(rig.statuses())
    began = rig.now.wall
    mark = offline(rig, 30)
    rig.let(5)
    rig.connect()
    assert since(rig, mark) == ["StatusNotification", "TransactionEvent", "StatusNotification", "TransactionEvent"]
    told = rig.sent("StatusNotification")[before:]
    assert [one["connectorStatus"] for one in told] == ["Occupied", "Available"]
    ages = [(datetime.fromisoformat(one["timestamp"]) - began).total_seconds() for one in told]
    assert ages == pytest.approx([0, 30], abs=0.5)
    assert not rig.disk.queue
    check(rig)


def test_clock_aligned_values_of_an_idle_station_are_kept() -> None:
    rig = station(**{"AlignedDataCtrlr.Interval": "60"})
    rig.disconnect()
    mark = len(rig.sent("MeterValues"))
    rig.skip(300)
    rig.connect()
    stamps = [one["meterValue"][0]["timestamp"] for one in rig.sent("MeterValues")[mark:]]
    assert len(stamps) == 5
    assert stamps == sorted(stamps)


def test_it_outlasts_a_power_cut() -> None:
    rig = station()
    mark = offline(rig)
    rig.power_cut()
    rig.boot()
    told = [action for action in since(rig, mark) if action in ("StatusNotification", "TransactionEvent")]
    assert told[:4] == ["StatusNotification", "TransactionEvent", "StatusNotification", "TransactionEvent"]
    assert told[4:] == ["StatusNotification"], "B01.FR.05, behind what is older"
    assert not rig.disk.queue


def test_a_link_that_breaks_before_the_answer_takes_nothing_with_it() -> None:
    rig = station()
    rig.answers["StatusNotification"] = None
    rig.answers["TransactionEvent"] = None
    rig.plug()
    rig.disconnect()
    rig.answers.clear()
    mark = len(rig.trace)
    rig.connect()
    assert since(rig, mark) == ["StatusNotification", "TransactionEvent"]


def test_a_report_goes_on_where_the_link_broke() -> None:
    rig = station(**{"DeviceDataCtrlr.BytesPerMessage[GetReport]": "2000"})
    rig.answers["NotifyReport"] = lambda part: None if part["seqNo"] == 2 else {}
    assert rig.call("GetBaseReport", {"requestId": 7, "reportBase": "FullInventory"}) == {"status": "Accepted"}
    rig.disconnect()
    rig.answers.clear()
    rig.connect()
    parts = rig.sent("NotifyReport")
    assert [part["seqNo"] for part in parts] == [0, 1, 2, *range(2, parts[-1]["seqNo"] + 1)]
    assert [part for part in parts if not part.get("tbc")] == [parts[-1]]


def test_what_was_asked_for_is_said_when_the_link_is_back() -> None:
    rig = station()
    rig.answers["StatusNotification"] = None
    rig.call("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}})
    rig.disconnect()
    rig.answers.clear()
    before = len(rig.sent("StatusNotification"))
    rig.connect()
    assert len(rig.sent("StatusNotification")) == before + 1


def test_a_question_is_not_kept() -> None:
    """Nobody waits at the station for the answer to an old Authorize or Heartbeat."""
    rig = station(**{"AuthCtrlr.OfflineTxForUnknownIdEnabled": "false"})
    rig.answers["Authorize"] = None
    rig.card()
    rig.disconnect()
    rig.answers.clear()
    before = len(rig.sent("Authorize"))
    rig.connect()
    rig.skip(5)
    assert len(rig.sent("Authorize")) == before
    assert not rig.disk.queue


def test_a_status_that_is_answered_with_an_error_was_delivered() -> None:
    rig = station()
    rig.answers["StatusNotification"] = {"error": "InternalError"}
    before = len(rig.statuses())
    rig.plug()
    rig.skip(600)
    assert len(rig.statuses()) == before + 1
    assert not rig.disk.queue
    assert not rig.disk.given_up


def test_no_answer_is_tried_again_as_often_as_for_a_transaction() -> None:
    rig = station(**{ATTEMPTS: "3", INTERVAL: "5", TIMEOUT: "5"})
    rig.answers["StatusNotification"] = None
    before = len(rig.statuses())
    rig.plug()
    rig.skip(600)
    assert len(rig.statuses()) == before + 3
    assert not rig.disk.queue


def test_it_holds_no_transaction_up() -> None:
    """E13 is as before: the TransactionEvents have a lane of their own."""
    rig = station(**{ATTEMPTS: "100", INTERVAL: "600", TIMEOUT: "5"})
    rig.answers["StatusNotification"] = None
    rig.plug()
    rig.card()
    rig.skip(6)
    rig.let(5)
    assert [event["seqNo"] for event in rig.events()] == [0, 1, 2]


# ------------------------------------------------------------------ no room


def queued(sequence: int, action: str, **payload: Any) -> QueuedCall:
    return QueuedCall(sequence, action, payload, datetime(2026, 1, 1, tzinfo=UTC))


def event(sequence: int, trigger: str, kind: str = "Updated", **more: Any) -> QueuedCall:
    return queued(sequence, "TransactionEvent", eventType=kind, triggerReason=trigger, **more)


def numbers(calls: list[QueuedCall]) -> list[int]:
    return [call.sequence for call in calls]


def test_meter_values_go_first_and_every_second_one() -> None:
    values = [queued(number, "MeterValues") for number in range(1, 6)]
    others = [queued(6, "StatusNotification"), event(7, "MeterValuePeriodic"), event(8, "MeterValuePeriodic")]
    assert numbers(dispensable([*values, *others])) == [1, 3]


def test_then_other_notices_and_events_of_transactions_last() -> None:
    events = [event(number, "MeterValueClock") for number in (3, 4, 5)]
    statuses = [queued(number, "StatusNotification") for number in (1, 2)]
    assert numbers(dispensable([*statuses, *events])) == [1]
    assert numbers(dispensable([statuses[0], *events])) == [3]


def test_what_cannot_be_spared_stays() -> None:
    kept = [
        event(1, "CablePluggedIn", "Started"),
        event(2, "MeterValuePeriodic", idToken={"idToken": "1", "type": "ISO14443"}),
        event(3, "ChargingStateChanged"),
        event(4, "MeterValuePeriodic", "Ended"),
        queued(5, "SecurityEventNotification"),
        queued(6, "NotifyEvent"),
        queued(7, "NotifyEvent"),
    ]
    assert dispensable(kept) == []


def test_a_long_time_offline_keeps_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """E04.FR.07, E04.FR.08: what is left of the values still spans the whole time."""
    monkeypatch.setattr(outbox, "AT_MOST", 40)
    rig = station(**{"SampledDataCtrlr.TxUpdatedInterval": "60", "AlignedDataCtrlr.Interval": "60"})
    rig.plug()
    rig.card()
    rig.let(5)
    rig.disconnect()
    mark = len(rig.events())
    for _ in range(60):
        rig.skip(60)
        rig.poll()
        assert len(rig.disk.queue) <= 40
    rig.card()
    rig.let(5)
    rig.connect()
    told = rig.events()[mark:]
    assert told[-1]["eventType"] == "Ended"
    stamps = [datetime.fromisoformat(one["timestamp"]) for one in told]
    assert stamps == sorted(stamps)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(stamps)]
    assert max(gaps) < 1200, "it is thinned out, not cut off"
    assert [entry.kind for entry in rig.disk.journal].count("queue_full") >= 1


def test_the_limit_is_one() -> None:
    assert queue_room.AT_MOST == outbox.AT_MOST == 4000
