"""Security events go through the durable queue and into the security log (A04)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from station.domain import security
from station.domain.events import SecurityObserved
from station.domain.moment import rfc3339
from station.domain.signals import SecurityEvent
from tests.support.memory_rig import MemoryRig


def kinds(rig: MemoryRig) -> list[str]:
    return [one["type"] for one in rig.sent("SecurityEventNotification")]


def test_a_start_is_a_security_event() -> None:
    rig = MemoryRig().boot()
    assert kinds(rig) == ["StartupOfTheDevice"]
    assert rig.sent("SecurityEventNotification")[0]["techInfo"] == "boot reason PowerUp"


def test_a_reset_is_another() -> None:
    rig = MemoryRig().boot()
    rig.call("Reset", {"type": "Immediate"})
    rig.power_cut()
    rig.boot()
    assert kinds(rig)[-1] == "ResetOrReboot"
    rig.power_cut()
    rig.boot()
    assert kinds(rig)[-1] == "StartupOfTheDevice"


def test_the_door_is_told_once_for_each_opening() -> None:
    """A04.FR.01."""
    rig = MemoryRig().boot()
    for open_ in (True, True, False, True):
        rig.board.door_open = open_
        rig.poll()
    assert kinds(rig)[1:] == ["TamperDetectionActivated"] * 2
    assert [one.kind for one in rig.disk.journal].count("door_closed") == 1


def test_a_door_that_was_open_before_the_restart_is_no_news() -> None:
    rig = MemoryRig().boot()
    rig.board.door_open = True
    rig.poll()
    rig.power_cut()
    rig.boot()
    assert kinds(rig).count("TamperDetectionActivated") == 1


def test_an_opening_offline_is_delivered_later() -> None:
    """A04.FR.02; over a power cut too."""
    rig = MemoryRig().boot()
    rig.disconnect()
    rig.board.door_open = True
    rig.poll()
    assert kinds(rig) == ["StartupOfTheDevice"]
    rig.power_cut()
    rig.boot()
    assert kinds(rig)[1] == "TamperDetectionActivated"


def log(rig: MemoryRig) -> list[str]:
    return [one.type for one in rig.disk.security_log]


def test_every_security_event_is_in_the_security_log() -> None:
    """A04.FR.04; also those that no CSMS has heard of yet."""
    rig = MemoryRig().boot(connect=False)
    rig.board.door_open = True
    rig.poll()
    assert log(rig) == ["StartupOfTheDevice", "TamperDetectionActivated"]
    assert all(one.critical for one in rig.disk.security_log)
    assert [one.kind for one in rig.disk.journal].count("door_opened") == 1


def test_starts_that_no_csms_has_seen_are_all_told() -> None:
    """A04.FR.02."""
    rig = MemoryRig()
    for _ in range(3):
        rig.boot(connect=False)
        rig.power_cut()
    rig.boot()
    assert kinds(rig) == ["StartupOfTheDevice"] * 4


def test_the_table_says_what_is_critical() -> None:
    rig = MemoryRig().boot()
    for name in security.KINDS:
        rig.step(SecurityObserved(name, "x"))
    critical = {name for name, kind in security.KINDS.items() if kind.critical}
    assert set(kinds(rig)) == critical
    assert set(log(rig)) == set(security.KINDS)
    assert {one.type for one in rig.disk.security_log if one.critical} == critical


def test_the_table_is_that_of_the_appendix() -> None:
    names = {name for name, kind in security.KINDS.items() if not kind.own}
    assert len(names) == 20 + 1  # and DiscardedRenewedClientCertificate of the errata
    assert {name for name in names if not security.KINDS[name].critical} == {
        "FailedToAuthenticateAtCsms",
        "CsmsFailedToAuthenticate",
        "ReconfigurationOfSecurityParameters",
        "InvalidMessages",
        "AttemptedReplayAttacks",
    }
    assert security.kind_of("SomethingElse").critical


def test_who_raises_an_event_may_say_how_much_it_weighs() -> None:
    rig = MemoryRig().boot()
    rig.station.context.raise_signal(SecurityEvent("TamperDetectionActivated", "x", critical=False))
    rig.poll()
    assert kinds(rig) == ["StartupOfTheDevice"]
    assert log(rig)[-1] == "TamperDetectionActivated"


def test_what_is_told_again_and_again_is_counted() -> None:
    rig = MemoryRig().boot()
    for _ in range(5):
        rig.step(SecurityObserved("InvalidTLSVersion", "TLS 1.1"))
    assert log(rig).count("InvalidTLSVersion") == 1
    rig.skip(3599)
    assert log(rig).count("InvalidTLSVersion") == 1
    rig.skip(2)
    assert rig.disk.security_log[-1].tech_info == "4 more like those before"
    rig.step(SecurityObserved("InvalidTLSVersion", "TLS 1.1"))
    assert log(rig).count("InvalidTLSVersion") == 3
    assert kinds(rig).count("InvalidTLSVersion") == 2


def test_a_flood_of_different_ones_is_counted_too() -> None:
    rig = MemoryRig().boot()
    for number in range(500):
        rig.step(SecurityObserved("InvalidMessages", f"flaw {number}"))
    assert log(rig).count("InvalidMessages") == 10
    rig.skip(3601)
    assert rig.disk.security_log[-1].tech_info == "490 more like those before"


def test_a_refusal_after_a_connection_is_news() -> None:
    rig = MemoryRig().boot()
    for _ in range(2):
        rig.disconnect()
        rig.step(SecurityObserved("InvalidCsmsCertificate", "expired"))
        rig.step(SecurityObserved("InvalidCsmsCertificate", "expired"))
        rig.connect()
    assert kinds(rig).count("InvalidCsmsCertificate") == 2
    told = [one.tech_info for one in rig.disk.security_log if one.type == "CsmsFailedToAuthenticate"]
    assert told == ["expired", "expired"]


def test_frames_that_are_no_ocpp_are_noted() -> None:
    rig = MemoryRig().boot()
    rig.hear("nonsense")
    rig.hear('[2, "1", "Reset", {"type": "Now"}]')
    rig.hear('[2, "2", "Reset", {"type": "Immediate", "more": "0123456789abcdef"}]')
    rig.hear('[2, "3", "NoSuchAction", {}]')  # valid OCPP, of another version perhaps
    told = [one.tech_info for one in rig.disk.security_log if one.type == "InvalidMessages"]
    assert len(told) == 3
    assert "0123456789abcdef" not in str(told)
    assert "InvalidMessages" not in kinds(rig)


def test_a_call_that_comes_again_is_noted_and_answered() -> None:
    rig = MemoryRig().boot()
    call = '[2, "one", "GetVariables", {"getVariableData": []}]'.replace(
        "[]", '[{"component": {"name": "ClockCtrlr"}, "variable": {"name": "DateTime"}}]'
    )
    for _ in range(2):
        assert rig.hear(call)[0][0] == 3
    assert log(rig).count("AttemptedReplayAttacks") == 1
    rig.disconnect()
    rig.connect()
    rig.hear(call)
    assert log(rig).count("AttemptedReplayAttacks") == 1  # a CSMS that lost its link may say it again


@pytest.mark.parametrize(("seconds", "told"), [(20, 0), (-20, 0), (21, 1), (-3600, 1), (10 * 365 * 86_400, 1)])
def test_a_jump_of_the_machines_clock_where_that_is_followed(seconds: int, told: int) -> None:
    rig = MemoryRig(**{"ClockCtrlr.TimeSource": "NTP,Heartbeat"}).boot()
    rig.jump_wall_clock(timedelta(seconds=seconds))
    rig.poll()
    assert kinds(rig).count("SettingSystemTime") == told


def test_a_jump_that_nobody_follows_is_none() -> None:
    rig = MemoryRig().boot()
    rig.jump_wall_clock(timedelta(days=400))
    rig.poll()
    assert "SettingSystemTime" not in log(rig)


def test_how_much_of_an_adjustment_is_reported() -> None:
    rig = MemoryRig().boot()
    assert rig.set_variable("ClockCtrlr.TimeAdjustmentReportingThreshold", "3600") == "Accepted"
    for hours, count in ((0.9, 0), (1.2, 1)):
        rig.answers["Heartbeat"] = {"currentTime": rfc3339(rig.station.clock.utc(rig.now) + timedelta(hours=hours))}
        rig.skip(301)
        assert kinds(rig).count("SettingSystemTime") == count


def test_logins_are_told_with_user_and_origin() -> None:
    rig = MemoryRig().boot()
    rig.operator("login", 1, accepted=True, user="admin", origin="192.0.2.7")
    rig.operator("login", 2, accepted=False, user="", origin="192.0.2.7")
    rig.operator("login", 3, accepted=False, user="", origin="192.0.2.7")
    rig.operator("login", 4, accepted=False, user="x'}\n", origin="192.0.2.7", locked=60)
    assert [one.status for one in rig.disk.finished.values()] == ["Accepted"] * 4
    assert [(one["type"], one["techInfo"]) for one in rig.sent("SecurityEventNotification")[1:]] == [
        ("MaintenanceLoginAccepted", "{'user': 'admin', 'origin': '192.0.2.7'}"),
        ("MaintenanceLoginFailed", "{'user': '', 'origin': '192.0.2.7'}"),
        ("MaintenanceLoginFailed", "{'user': 'x???', 'origin': '192.0.2.7'} locked out for 60 s"),
    ]


def test_what_an_administrator_changed_of_the_web_interface_is_logged() -> None:
    rig = MemoryRig().boot()
    done = rig.operator("web_security", what="set_access_rules", administrator=["vpn"])
    assert done is not None
    assert done.status == "Accepted"
    last = rig.disk.security_log[-1]
    assert (last.type, last.tech_info) == ("ReconfigurationOfSecurityParameters", "set_access_rules by owner")


def test_a_log_that_is_cleared_says_so() -> None:
    rig = MemoryRig().boot()
    done = rig.operator("clear_security_log")
    assert done is not None
    assert done.status == "Accepted"
    assert [(one.type, one.tech_info) for one in rig.disk.security_log] == [("SecurityLogWasCleared", "by owner")]
    assert kinds(rig)[-1] == "SecurityLogWasCleared"


def test_the_log_is_of_limited_length() -> None:
    rig = MemoryRig().boot()
    assert rig.set_variable("SecurityCtrlr.SecurityLogEntries", "500") == "Accepted"
    for number in range(1500):
        rig.station.context.raise_signal(SecurityEvent("ReconfigurationOfSecurityParameters", str(number)))
        rig.poll()
    assert 500 <= len(rig.disk.security_log) <= 550
    assert rig.disk.security_log[-1].tech_info == "1499"


def test_a_queue_that_is_full_leaves_the_rest_to_the_log() -> None:
    rig = MemoryRig().boot(connect=False)
    for number in range(1100):
        rig.step(SecurityObserved("FirmwareUpdated", str(number)))
    assert len(rig.disk.queue) == 1000
    assert len(rig.disk.security_log) == 1101


def test_nothing_is_written_where_nothing_happens() -> None:
    rig = MemoryRig().boot()
    before = len(rig.disk.security_log)
    rig.skip(86_400)
    assert len(rig.disk.security_log) == before


def test_a_board_that_is_not_heard_opens_no_door() -> None:
    rig = MemoryRig().boot()
    rig.board.online, rig.board.door_open = False, True
    rig.poll()
    assert kinds(rig) == ["StartupOfTheDevice"]
