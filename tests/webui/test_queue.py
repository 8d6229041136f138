"""What waits for the operator's system (webui.queue)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from station.domain.effects import Enqueue, Remember, SaveVariable, UpdateQueued
from station.live.payloads import LaneLive, QueueLive, StationLive
from station.store import repositories
from tests.webui.looking import Looking, look
from tests.webui.making import NOON, TRANSACTION, station
from webui.dashboard import latest
from webui.queue import live
from webui.queue.drawing import draw
from webui.queue.line import one_line

LANE = LaneLive("transactions", 3, "2025-06-01T11:20:00Z", "TransactionEvent", 2, "2025-06-01T12:01:00Z")


def page(client: Client, status: int = 200) -> Looking:
    answer = client.get("/queue/")
    assert answer.status_code == status
    return look(answer.content)


def queued(number: int, action: str = "TransactionEvent", **payload: Any) -> Enqueue:
    return Enqueue(number, action, payload, NOON + timedelta(seconds=number))


def event(number: int, kind: str = "Updated", trigger: str = "ChargingStateChanged") -> Enqueue:
    return queued(number, eventType=kind, triggerReason=trigger, transactionInfo={"transactionId": TRANSACTION})


def away(*lanes: LaneLive, **changes: Any) -> StationLive:
    told = {"connected": False, "registration": None, "queue_length": sum(lane.waiting for lane in lanes), **changes}
    return station(queue=QueueLive(lanes), **told)


def test_only_an_installer_sees_it(browser: Client) -> None:
    page(browser, 403)


def test_nothing_waits_and_nothing_was_lost(installer: Client) -> None:
    words = page(installer).words
    assert "0 messages wait for the operator's system" in words
    assert "Everything has been delivered." in words
    assert "No. Everything that had to be told was delivered, or waits here." in words
    assert "Nothing has waited lately." in words
    assert "Room for 4000 more of 4000." in words


def test_what_waits_in_its_order(installer: Client) -> None:
    repositories.commit(
        [
            event(1, "Started"),
            event(2, trigger="MeterValuePeriodic"),
            event(3, "Ended"),
            queued(4, "NotifyEvent"),
            queued(5, "<b>odd</b>", transactionInfo="?"),
        ]
    )
    repositories.commit([UpdateQueued(1, 2)])
    found = page(installer)
    assert (
        "1 Jun, 12:00:01 The beginning of a session TransactionEvent not taken 2 times so far "
        "1 Jun, 12:00:02 Meter values of a session TransactionEvent "
        "1 Jun, 12:00:03 The end of a session TransactionEvent "
        "1 Jun, 12:00:04 A fault, or the end of one NotifyEvent "
        "1 Jun, 12:00:05 <b>odd</b>"
    ) in found.words
    assert f"/sessions/{TRANSACTION}/" in found.links
    assert "5 messages wait for the operator's system The oldest since 1 Jun, 12:00:01" in found.words
    assert "Room for 3995 more of 4000." in found.words


def test_a_long_queue_is_cut_for_the_page(installer: Client) -> None:
    repositories.commit([event(number) for number in range(1, 101)])
    words = page(installer).words
    assert "and 60 more" in words
    assert words.count("News of a session") == 40


def test_the_rules_are_those_of_the_device_model(installer: Client) -> None:
    words = page(installer).words
    assert "sent 3 times, with 30 s for the answer and a pause of 60 s, twice that" in words
    assert "after 4 min at most" in words
    assert "QueueAllMessages is off" in words
    repositories.commit(
        [
            SaveVariable("OCPPCommCtrlr", "MessageAttempts", "1", variable_instance="TransactionEvent"),
            SaveVariable("OCPPCommCtrlr", "MessageTimeout", "7", variable_instance="Default"),
            SaveVariable("OCPPCommCtrlr", "QueueAllMessages", "true"),
        ]
    )
    words = page(installer).words
    assert "sent 1 time, with 7 s for the answer; then it is given up." in words
    assert "QueueAllMessages is on" in words


def test_what_was_lost_is_said(installer: Client) -> None:
    given_up = {"count": 2, "at": "2025-06-01T12:00:00Z", "action": "TransactionEvent", "why": "<i>no</i>"}
    no_room = {"count": 1, "at": "2025-06-01T12:00:00Z", "action": "MeterValues", "why": ""}
    repositories.commit([Remember("queue_losses", {"given_up": given_up, "no_room": no_room})])
    words = page(installer).words
    assert "2 messages were given up, because the operator's system did not take them" in words
    assert "TransactionEvent : <i>no</i>" in words
    assert "1 message was dropped for want of room" in words
    assert "No. Everything that had to be told" not in words


@pytest.mark.parametrize("kept", [1, [], {"given_up": 1}, {"given_up": {"count": "x"}}, {"no_room": {"count": 3}}])
def test_losses_that_cannot_be_read_are_left_out(installer: Client, kept: Any) -> None:
    repositories.commit([Remember("queue_losses", kept)])
    assert "No. Everything" in page(installer).words


def test_the_live_view_is_on_the_page_at_once(installer: Client) -> None:
    latest.remember(away(LANE, link_note="slot 1: HTTP 401"))
    words = page(installer).words
    assert "3 messages wait for the operator's system The oldest since 1 Jun, 11:20:00" in words
    assert "No connection to the operator What waits is kept, also across a power cut" in words
    assert "slot 1: HTTP 401" in words


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "First: News of a session, since 1 Jun, 11:20:00 next attempt at 12:01:00 · not taken 2 times so far"),
        ({"next_at": "2025-06-01T11:59:00Z"}, "goes as soon as the operator's system is back"),
        ({"sending": True}, "is being sent now"),
        ({"next_at": "soon", "since": "never", "attempts": 0}, "First: News of a session, since"),
        ({"kind": "novelties", "action": "<b>"}, "novelties 3 First: <b>"),
    ],
)
def test_how_a_lane_fares(changes: dict[str, Any], said: str) -> None:
    assert said in look(live.now(away(replace(LANE, **changes)))).words


def test_a_lane_whose_turn_comes_next() -> None:
    told = station(queue=QueueLive((replace(LANE, next_at=""),)), queue_length=3)
    assert "goes next" in look(live.now(told)).words


# ------------------------------------------------------------------ the drawing


def test_steps() -> None:
    noon = NOON.timestamp()
    drawn = draw([(noon - 100, 0), (noon - 50, 4), (noon - 25, 2)], NOON)
    assert drawn.line == "M0.0 200.0H500.0V0.0H750.0V100.0H1000"
    assert drawn.area == drawn.line + "V200H0.0Z"
    assert [row.value for row in drawn.rows] == [0, 1, 2, 3, 4]
    assert [column.label for column in drawn.columns] == ["11:58:30", "11:59:00", "11:59:30"]
    assert (drawn.most, drawn.now) == (4, 50.0)


@pytest.mark.parametrize("points", [[], [(float("nan"), 3)], [(float("inf"), 3)], [(NOON.timestamp() + 5, 3)]])
def test_nothing_to_draw(points: Any) -> None:
    assert draw(points, NOON).line == ""


def test_a_moment_ago_and_a_great_many() -> None:
    drawn = draw([(NOON.timestamp() - 1, 3900), (NOON.timestamp(), -3)], NOON)
    assert drawn.line.startswith("M983.3 ")
    assert drawn.rows[-1].value == 4000
    assert "nan" not in drawn.line


def test_the_picture_of_a_live_queue() -> None:
    points = ((NOON.timestamp() - 300, 0), (NOON.timestamp() - 200, 40), (NOON.timestamp() - 10, 0))
    assert "At most 40 waited." in look(live.curve(station(queue=QueueLive((), points)))).words


# ------------------------------------------------------------------ in a sentence, for owners


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (None, ""),
        (station(), ""),
        (station(queue_length=3), ""),
        (away(), ""),
        (away(LANE), "3 messages wait for the operator's system, the oldest since 1 Jun, 11:20, and are kept"),
        (away(replace(LANE, waiting=1)), "1 message waits for the operator's system since 1 Jun, 11:20 and is kept"),
        (away(replace(LANE, since="?")), "3 messages wait for the operator's system and are kept until"),
        (station(queue_length=21), "21 messages wait for the operator's system and are kept until"),
    ],
)
def test_one_line(told: StationLive | None, said: str) -> None:
    line = one_line(told)
    assert line.startswith(said)
    assert bool(line) == bool(said)


def test_of_today_the_hour_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.queue.line.timezone.localdate", lambda: NOON.date())
    assert "since 11:20 and" in one_line(away(replace(LANE, waiting=1)))
