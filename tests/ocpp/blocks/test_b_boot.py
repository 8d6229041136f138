"""Booting in all its forms, what may be said in each, coming back online, and the clock (B01 to B04)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from station.domain.events import LinkUp
from station.domain.moment import rfc3339
from tests.support.memory_rig import EPOCH, MemoryRig

REMOTE_START = {"evseId": 1, "remoteStartId": 7, "idToken": {"idToken": "04AA", "type": "ISO14443"}}


def answered(status: str, interval: int = 0, **variables: str) -> MemoryRig:
    """A station whose BootNotification was just answered."""
    rig = MemoryRig(**variables)
    rig.answers["BootNotification"] = {"status": status, "interval": interval, "currentTime": rfc3339(EPOCH)}
    return rig.boot()


def actions(rig: MemoryRig) -> list[str]:
    return [frame[2] for way, frame in rig.trace if way == ">" and frame[0] == 2]


# ------------------------------------------------------------------ Accepted


def test_accepted() -> None:
    """B01.FR.01, .05, .09."""
    rig = answered("Accepted", 120)
    (boot,) = rig.sent("BootNotification")
    assert boot["reason"] == "PowerUp"
    assert boot["chargingStation"]["firmwareVersion"] == "test"
    assert actions(rig)[0] == "BootNotification"
    assert [(one["evseId"], one["connectorStatus"]) for one in rig.sent("StatusNotification")] == [
        (1, "Available"),
        (2, "Available"),
    ]


@pytest.mark.parametrize(("interval", "beats"), [(120, 5), (0, 2)])
def test_the_interval_is_the_heartbeat_s(interval: int, beats: int) -> None:
    """B01.FR.04, G02.FR.01, G02.FR.02: 0 keeps the interval that was set."""
    rig = answered("Accepted", interval)
    rig.skip(650)
    assert len(rig.sent("Heartbeat")) == beats


def test_nothing_is_said_before_the_answer() -> None:
    """B01.FR.08."""
    rig = MemoryRig()
    rig.answers["BootNotification"] = None
    rig.boot()
    rig.plug()
    rig.card()
    rig.let(20)
    assert actions(rig) == ["BootNotification"]
    rig.answers.clear()
    rig.release()
    rig.let(1)
    assert {"StatusNotification", "TransactionEvent"} <= set(actions(rig))


def test_calls_are_answered_before_the_answer() -> None:
    rig = MemoryRig()
    rig.answers["BootNotification"] = None
    rig.boot()
    assert rig.call("GetBaseReport", {"requestId": 1, "reportBase": "ConfigurationInventory"})["status"] == "Accepted"
    assert rig.call("RequestStartTransaction", REMOTE_START)["status"] == "Rejected"


def test_each_boot_registers_anew_but_a_reconnection_does_not() -> None:
    """B01.FR.03."""
    rig = answered("Accepted", 300)
    rig.disconnect()
    rig.let(5)
    rig.connect()
    assert len(rig.sent("BootNotification")) == 1
    rig.power_cut()
    rig.boot()
    assert len(rig.sent("BootNotification")) == 2


# ------------------------------------------------------------------ Pending


@pytest.mark.parametrize(("interval", "waits"), [(25, 25), (0, 60)])
def test_pending_tries_again_after_the_interval(interval: int, waits: float) -> None:
    """B02.FR.04, B02.FR.07, B02.FR.08."""
    rig = answered("Pending", interval)
    rig.skip(waits - 1)
    assert len(rig.sent("BootNotification")) == 1
    rig.skip(1.1)
    assert len(rig.sent("BootNotification")) == 2
    rig.answers.clear()
    rig.skip(waits + 1)
    assert len(rig.sent("StatusNotification")) == 2


def test_pending_says_nothing_that_was_not_asked_for() -> None:
    """B02.FR.02, B02.FR.03."""
    rig = answered("Pending", 1000)
    rig.board.door_open = True
    rig.plug()
    rig.card()
    rig.let(30)
    assert actions(rig) == ["BootNotification"]
    assert rig.board.evses[1].power == 0
    assert not rig.disk.transactions


def test_pending_answers_and_does_what_it_is_asked_for() -> None:
    """B02.FR.01, B02.FR.02, B02.FR.05."""
    rig = answered("Pending", 1000)
    assert rig.set_variable("OCPPCommCtrlr.OfflineThreshold", "30") == "Accepted"
    assert rig.call("RequestStartTransaction", REMOTE_START)["status"] == "Rejected"
    assert rig.call("RequestStopTransaction", {"transactionId": "x"})["status"] == "Rejected"
    assert rig.call("GetBaseReport", {"requestId": 1, "reportBase": "ConfigurationInventory"})["status"] == "Accepted"
    rig.let(1)
    assert "NotifyReport" in actions(rig)
    for message in ("Heartbeat", "StatusNotification", "MeterValues"):
        request = {"requestedMessage": message, "evse": {"id": 1, "connectorId": 1}}
        assert rig.call("TriggerMessage", request)["status"] == "Accepted"
        assert message in actions(rig)


def test_a_triggered_heartbeat_while_pending_starts_no_series() -> None:
    """B02.FR.02."""
    rig = answered("Pending", 100_000)
    rig.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
    rig.skip(2000)
    assert len(rig.sent("Heartbeat")) == 1


def test_a_triggered_boot_notification_may_come_early() -> None:
    """B02.FR.04, F06.FR.17."""
    rig = answered("Pending", 1000)
    assert rig.call("TriggerMessage", {"requestedMessage": "BootNotification"})["status"] == "Accepted"
    assert [boot["reason"] for boot in rig.sent("BootNotification")] == ["PowerUp", "Triggered"]


def test_charging_before_being_accepted_is_queued_where_it_is_configured() -> None:
    """B02.FR.03, B03.FR.01."""
    rig = answered("Pending", 100, **{"TxCtrlr.TxBeforeAcceptedEnabled": "true"})
    rig.plug()
    rig.card()
    rig.let(5)
    assert rig.board.evses[1].power > 0
    assert not rig.events()
    rig.answers.clear()
    rig.skip(100)
    assert [event["seqNo"] for event in rig.events()][:3] == [0, 1, 2]


def test_without_authorization_nobody_charges_before_acceptance() -> None:
    """B02.FR.03 holds for AuthCtrlr.Enabled false too."""
    rig = answered("Pending", 1000, **{"AuthCtrlr.Enabled": "false"})
    rig.plug()
    rig.let(5)
    assert rig.board.evses[1].power == 0
    rig.answers.clear()
    rig.skip(1000)
    rig.let(5)
    assert rig.board.evses[1].power > 0


def test_the_interval_holds_over_a_reconnection() -> None:
    """B02.FR.04."""
    rig = answered("Pending", 100)
    rig.disconnect()
    rig.let(10)
    rig.connect()
    rig.skip(80)
    assert len(rig.sent("BootNotification")) == 1
    rig.skip(15)
    assert len(rig.sent("BootNotification")) == 2


def test_an_interval_that_passed_offline_is_over() -> None:
    rig = answered("Pending", 100)
    rig.disconnect()
    rig.skip(150)
    rig.connect()
    assert len(rig.sent("BootNotification")) == 2


# ------------------------------------------------------------------ Rejected


@pytest.mark.parametrize(("interval", "waits"), [(25, 25), (0, 60)])
def test_rejected_is_silent_until_the_interval_is_over(interval: int, waits: float) -> None:
    """B03.FR.02, B03.FR.05, B03.FR.06."""
    rig = answered("Rejected", interval)
    rig.plug()
    rig.card()
    rig.let(waits - 1)
    assert actions(rig) == ["BootNotification"]
    assert rig.board.evses[1].power == 0
    rig.let(1.2)
    assert actions(rig) == ["BootNotification", "BootNotification"]


def test_rejected_answers_every_call_with_security_error() -> None:
    """B03.FR.08."""
    rig = answered("Rejected", 1000)
    assert rig.call("TriggerMessage", {"requestedMessage": "BootNotification"}) == {"error": "SecurityError"}
    assert rig.call("Reset", {"type": "Immediate"}) == {"error": "SecurityError"}
    assert not rig.reboots


def test_rejected_then_accepted() -> None:
    rig = answered("Rejected", 30)
    rig.answers.clear()
    rig.skip(31)
    assert rig.call("GetTransactionStatus") == {"messagesInQueue": False}


# ------------------------------------------------------------------ no usable answer


@pytest.mark.parametrize("answer", [{"error": "InternalError"}, {"status": "Maybe"}, None])
def test_no_usable_answer_is_asked_for_again(answer: dict[str, Any] | None) -> None:
    rig = MemoryRig()
    rig.answers["BootNotification"] = answer
    rig.boot()
    rig.skip(95)
    assert actions(rig) == ["BootNotification"] * 2
    rig.answers.clear()
    rig.skip(95)
    assert rig.statuses() == ["Available"]


def test_a_link_lost_before_the_answer_is_asked_over_the_next() -> None:
    rig = MemoryRig()
    rig.answers["BootNotification"] = None
    rig.boot()
    rig.disconnect()
    rig.connect()
    assert actions(rig) == ["BootNotification"] * 2


# ------------------------------------------------------------------ B04, back online


@pytest.mark.parametrize(("offline", "statuses"), [(50.0, 0), (70.0, 1)])
def test_statuses_after_a_time_offline(offline: float, statuses: int) -> None:
    """B04.FR.01, B04.FR.02: only what changed, or all."""
    rig = MemoryRig().boot()
    before = len(rig.statuses())
    rig.disconnect()
    rig.plug(2)
    rig.skip(offline)
    rig.connect()
    rig.let(1)
    assert len(rig.statuses()) - before == statuses
    assert rig.statuses(2)[-1] == "Occupied"


def test_what_changed_and_changed_back_is_no_news() -> None:
    """B04.FR.02."""
    rig = MemoryRig().boot()
    rig.disconnect()
    rig.plug()
    rig.unplug()
    rig.connect()
    assert rig.statuses() == ["Available"]


def test_a_status_that_got_lost_with_the_link_is_told_again() -> None:
    rig = MemoryRig().boot()
    rig.answers["StatusNotification"] = None
    rig.plug()
    rig.disconnect()
    rig.answers.clear()
    rig.connect()
    assert rig.statuses() == ["Available", "Occupied", "Occupied"]


def test_the_active_network_profile_is_the_link_s() -> None:
    rig = MemoryRig().boot(connect=False)
    rig.online = True
    rig.rpc.link_up()
    rig.step(LinkUp(2, 2))
    answer = rig.call(
        "GetVariables",
        {"getVariableData": [{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "ActiveNetworkProfile"}}]},
    )
    assert answer["getVariableResult"][0]["attributeValue"] == "2"


# ------------------------------------------------------------------ the clock


def test_the_csms_sets_the_clock() -> None:
    """B01.FR.06."""
    rig = MemoryRig()
    told = EPOCH + timedelta(days=400)
    rig.answers["BootNotification"] = {"status": "Accepted", "interval": 300, "currentTime": rfc3339(told)}
    rig.boot()
    rig.plug()
    assert rig.events()[0]["timestamp"] == rfc3339(told)
    kinds = [one["type"] for one in rig.sent("SecurityEventNotification")]
    assert kinds == ["StartupOfTheDevice", "SettingSystemTime"]


def test_a_heartbeat_sets_the_clock() -> None:
    """G02.FR.06."""
    rig = MemoryRig().boot()
    told = EPOCH + timedelta(hours=2)
    rig.answers["Heartbeat"] = {"currentTime": rfc3339(told)}
    rig.skip(300)
    rig.plug()
    assert rig.events()[0]["timestamp"] == rfc3339(told)
    assert rig.sent("SecurityEventNotification")[-1]["type"] == "SettingSystemTime"


@pytest.mark.parametrize("nonsense", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_meant_is_not_taken(nonsense: str) -> None:
    rig = MemoryRig()
    rig.answers["BootNotification"] = {"status": "Accepted", "interval": 300, "currentTime": nonsense}
    rig.answers["Heartbeat"] = {"currentTime": nonsense}
    rig.boot()
    rig.skip(300)
    rig.plug()
    assert rig.events()[0]["timestamp"] == rfc3339(EPOCH + timedelta(seconds=300))


@pytest.mark.parametrize("days", [-20_000, 20_000])
def test_a_jump_of_the_machine_s_clock_harms_nothing(days: int) -> None:
    rig = MemoryRig().boot()
    rig.plug()
    rig.card()
    rig.let(5)
    rig.jump_wall_clock(timedelta(days=days))
    rig.answers["Heartbeat"] = lambda _: {"currentTime": rfc3339(rig.station.clock.utc(rig.now))}
    rig.skip(1000)
    rig.let(5)
    assert rig.board.evses[1].power > 0
    stamps = [event["timestamp"] for event in rig.events()]
    assert stamps == sorted(stamps)
    assert stamps[-1] < rfc3339(EPOCH + timedelta(hours=1))
    assert len(rig.events()) == 3 + 1000 // 60 + 1, "one event a minute and one at the quarter of an hour"


def test_the_next_life_knows_the_time_after_a_jump() -> None:
    rig = MemoryRig().boot()
    rig.let(1)
    rig.jump_wall_clock(timedelta(days=-20_000))
    rig.let(1)
    rig.power_cut()
    rig.boot(connect=False)
    assert abs(rig.station.clock.utc(rig.now) - EPOCH) < timedelta(seconds=5)


def test_a_machine_that_keeps_its_own_time_is_followed() -> None:
    rig = MemoryRig(**{"ClockCtrlr.TimeSource": "NTP,Heartbeat"}).boot()
    rig.jump_wall_clock(timedelta(days=365))
    rig.plug()
    assert rig.events()[0]["timestamp"] == rfc3339(EPOCH + timedelta(days=365))


def test_clock_set_back_by_years_does_not_silence_the_aligned_values() -> None:
    rig = MemoryRig().boot()
    rig.answers["Heartbeat"] = {"currentTime": rfc3339(EPOCH - timedelta(days=1000))}
    rig.skip(301)
    rig.answers["Heartbeat"] = lambda _: {"currentTime": rfc3339(rig.station.clock.utc(rig.now))}
    before = len(rig.sent("MeterValues"))
    rig.skip(1800)
    assert len(rig.sent("MeterValues")) == before + 4
