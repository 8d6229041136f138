"""Security events go through the durable queue and into the journal (A04)."""

from __future__ import annotations

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


def test_every_security_event_is_in_the_journal() -> None:
    """A04.FR.04."""
    rig = MemoryRig().boot(connect=False)
    rig.board.door_open = True
    rig.poll()
    assert [one.data["type"] for one in rig.disk.journal if one.kind == "security_event"] == [
        "TamperDetectionActivated"
    ]


def test_a_board_that_is_not_heard_opens_no_door() -> None:
    rig = MemoryRig().boot()
    rig.board.online, rig.board.door_open = False, True
    rig.poll()
    assert kinds(rig) == ["StartupOfTheDevice"]
