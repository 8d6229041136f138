"""L01 by itself: every step told once and in order, across reboots, lost links, a dead worker and power cuts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from station.domain.moment import rfc3339
from station.firmware import slots
from station.firmware.switch import SlotSwitch
from station.ocpp.blocks.l_firmware_management import update as block
from station.ocpp.blocks.l_firmware_management.record import HISTORY, LAST_TOLD, RUNNING
from tests.ocpp.blocks.firmware_rig import DOWNLOADED, URL, WHOLE, Rig, make
from tests.support.firmware import HandFile


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make(tmp_path)


def version(rig: Rig) -> str:
    return str(rig.sent("BootNotification")[-1]["chargingStation"]["firmwareVersion"])


def test_from_the_request_to_the_new_version(rig: Rig) -> None:
    assert rig.update() == {"status": "Accepted"}
    rig.reboot()
    rig.let(3)
    assert rig.told() == WHOLE
    assert version(rig) == "1.0.0"
    assert rig.security()[-1] == "FirmwareUpdated"
    assert slots.load(rig.hand.folder).good == "a"
    assert rig.disk.remembered[RUNNING] is None
    assert rig.history() == [(7, "Installed")]
    kinds = [entry.kind for entry in rig.disk.journal if entry.kind.startswith("firmware_")]
    assert kinds == ["firmware_requested", "firmware_installed"]
    assert not any("hunter2" in str(entry.data) for entry in rig.disk.journal)


def test_it_is_not_good_before_the_csms_has_accepted_it(rig: Rig) -> None:
    rig.update()
    rig.answers["BootNotification"] = {"status": "Pending", "interval": 10, "currentTime": rfc3339(rig.now.wall)}
    rig.reboot()
    rig.let(5)
    assert rig.told() == WHOLE[:-1]  # nothing goes out before the acceptance (B01.FR.08)
    assert slots.load(rig.hand.folder).trial is not None
    del rig.answers["BootNotification"]
    rig.let(20)
    assert rig.told() == WHOLE
    assert slots.load(rig.hand.folder).trial is None


def test_what_was_taken_back_is_told_by_the_old_one(rig: Rig) -> None:
    rig.update()
    rig.reboot(connect=False)
    slots.give_up(rig.hand.folder, "its processes end by themselves")
    rig.power_cut()
    rig.boot()
    rig.let(3)
    assert version(rig) == "0.1.0"
    assert rig.sent("BootNotification")[-1]["reason"] == "FirmwareUpdate"
    assert rig.told() == [*WHOLE[:-1], "InstallationFailed"]
    assert "FirmwareUpdated" not in rig.security()
    (entry,) = rig.disk.remembered[HISTORY]
    assert (entry["status"], entry["detail"], entry["version"]) == (
        "InstallationFailed",
        "its processes end by themselves",
        "1.0.0",
    )
    assert rig.update(request_id=8)["status"] == "Accepted"
    rig.reboot()
    rig.let(3)
    assert rig.told(8) == WHOLE


def test_three_power_cuts_before_it_was_accepted(rig: Rig) -> None:
    rig.update()
    rig.reboot(connect=False)
    for _ in range(3):
        rig.power_cut()
        rig.boot(connect=False)
    rig.connect()
    rig.let(3)
    assert version(rig) == "0.1.0"
    assert rig.told()[-1] == "InstallationFailed"


def test_times_of_the_request(rig: Rig) -> None:
    rig.update(retrieve=rig.after(100), install=rig.after(300))
    rig.let(99)
    assert rig.told() == ["DownloadScheduled"]
    rig.let(3)
    assert rig.told() == ["DownloadScheduled", *DOWNLOADED, "InstallScheduled"]
    assert rig.statuses(1)[-1] == "Available"
    rig.let(195)
    assert rig.told()[-1] == "InstallScheduled"
    rig.reboot()
    rig.let(3)
    assert rig.told() == ["DownloadScheduled", *DOWNLOADED, "InstallScheduled", *WHOLE[3:]]


def test_a_time_at_the_end_of_the_calendar(rig: Rig) -> None:
    assert rig.update(retrieve="9999-12-31T23:59:59-14:00")["status"] == "Accepted"
    rig.let(3)
    assert rig.told() == ["DownloadScheduled"]
    deadline = rig.station.deadline()
    assert deadline is not None
    assert deadline - rig.now.monotonic <= block.LOOK_AGAIN
    assert rig.update(request_id=8, install="0001-01-01T00:00:00+14:00")["status"] == "AcceptedCanceled"
    rig.reboot()


def test_a_clock_that_is_set_brings_the_time_nearer(rig: Rig) -> None:
    rig.update(retrieve=rig.after(86_400))
    rig.let(1)
    rig.answers["Heartbeat"] = {"currentTime": rig.after(86_500)}
    rig.let(310)
    assert rig.told() == ["DownloadScheduled", *DOWNLOADED, "Installing", "InstallRebooting"]


@pytest.mark.parametrize("during", ["waits_to_download", "downloads", "waits_to_install", "installs"])
def test_a_power_cut_at_every_stage(rig: Rig, during: str) -> None:
    rig.hand.files[URL].holds = during == "downloads"
    rig.hand.silent = during == "installs"
    rig.update(
        **({"retrieve": rig.after(20)} if during == "waits_to_download" else {}),
        **({"install": rig.after(20)} if during == "waits_to_install" else {}),
    )
    rig.let(5)
    assert rig.station.firmware.update is not None
    assert rig.station.firmware.update.phase == during
    rig.power_cut()
    rig.hand.files[URL].holds = rig.hand.silent = False
    rig.boot()
    rig.reboot()
    rig.let(3)
    scheduled = {"waits_to_download": "DownloadScheduled", "waits_to_install": "InstallScheduled"}.get(during)
    assert [status for status in rig.told() if status != scheduled] == WHOLE
    assert rig.told().count(scheduled or "") == (1 if scheduled else 0)


def test_what_is_said_offline_is_heard_later_and_in_order(rig: Rig) -> None:
    rig.update()
    rig.disconnect()
    rig.reboot(connect=False)
    rig.let(10)
    assert rig.told() == []
    rig.connect()
    rig.let(5)
    assert rig.told() == WHOLE


def test_a_csms_that_does_not_understand_the_steps_does_not_stop_them(rig: Rig) -> None:
    rig.answers["FirmwareStatusNotification"] = {"error": "NotImplemented"}
    rig.update()
    rig.reboot()
    rig.let(3)
    assert rig.told() == WHOLE
    assert rig.security()[-1] == "FirmwareUpdated"


def test_retries_and_what_is_told_of_them(rig: Rig) -> None:
    rig.hand.files[URL].failure = "the server answered 503"
    rig.update(retries=2, retryInterval=20)
    rig.let(39)
    assert rig.told() == ["Downloading"]
    rig.let(5)
    assert rig.told() == ["Downloading", "DownloadFailed"]
    orders = [order for order in rig.transfers.orders if order.task == block.DOWNLOAD]
    assert [order.attempt for order in orders] == [1, 2, 3]
    assert rig.history() == [(7, "DownloadFailed")]
    assert rig.disk.remembered[HISTORY][0]["detail"] == "the server answered 503"


def test_a_retry_may_succeed(rig: Rig) -> None:
    rig.hand.files[URL].failure = "the server answered 503"
    rig.update(retries=2, retryInterval=20)
    rig.let(10)
    rig.hand.files[URL].failure = ""
    rig.reboot()
    rig.let(3)
    assert rig.told() == WHOLE


def test_zero_retries_and_far_too_many(rig: Rig) -> None:
    rig.hand.files[URL].failure = "no"
    rig.update(retries=0)
    rig.let(3)
    assert rig.told() == ["Downloading", "DownloadFailed"]
    rig.update(request_id=8, retries=-5, retryInterval=-5)
    rig.let(3)
    assert rig.told(8) == ["Downloading", "DownloadFailed"]
    rig.update(request_id=9, retries=2_000_000_000, retryInterval=0)
    rig.let(300)
    assert rig.told(9) == ["Downloading", "DownloadFailed"]
    assert len(rig.transfers.orders) == 2 + 1 + block.MOST_RETRIES


def test_a_signature_that_is_not_the_files(rig: Rig) -> None:
    rig.hand.files[URL].content = rig.content[:-1] + b"x"
    rig.update(retries=3)
    rig.let(30)
    assert rig.told() == ["Downloading", "Downloaded", "InvalidSignature"]
    assert rig.security()[-1] == "InvalidFirmwareSignature"
    assert len(rig.transfers.orders) == 1
    assert rig.statuses(1)[-1] == "Available"


def test_a_worker_that_is_not_there_at_first(rig: Rig) -> None:
    rig.transfers.deaf = True
    rig.update()
    rig.let(40)
    assert rig.told() == []
    rig.transfers.deaf = False
    rig.reboot()
    rig.let(3)
    assert rig.told() == WHOLE


def test_a_worker_that_never_answers(rig: Rig) -> None:
    rig.transfers.deaf = True
    rig.update(retries=0)
    rig.let(block.GIVE_UP + 5)
    assert rig.told() == ["Downloading", "DownloadFailed"]


def test_a_worker_that_dies_in_the_installation(rig: Rig) -> None:
    rig.hand.silent = True
    rig.update()
    rig.let(5)
    rig.transfers.die()
    rig.hand.silent = False
    rig.reboot()
    rig.let(3)
    assert rig.told() == WHOLE


def test_an_installation_of_which_nothing_is_heard(rig: Rig) -> None:
    rig.hand.silent = True
    rig.update()
    rig.let(5)
    rig.transfers.deaf = True
    rig.let(block.INSTALLS_WITHIN + 5)
    assert rig.told() == [*DOWNLOADED, "Installing", "InstallationFailed"]
    assert rig.statuses(1)[-1] == "Available"


def test_a_new_request_takes_the_place_of_a_running_one(rig: Rig) -> None:
    rig.hand.files[URL].holds = True
    rig.update()
    rig.let(2)
    other = "https://files.example/other.img"
    rig.hand.files[other] = HandFile(rig.content)
    assert rig.update(request_id=8, url=other) == {"status": "AcceptedCanceled"}
    rig.reboot()
    rig.let(3)
    assert rig.told(7) == ["Downloading"]
    assert rig.told(8) == WHOLE
    assert rig.history() == [(7, "AcceptedCanceled"), (8, "Installed")]


@pytest.mark.parametrize("scheduled", ["retrieve", "install"])
def test_what_is_scheduled_is_canceled_by_a_request_that_leads_nowhere(rig: Rig, scheduled: str) -> None:
    rig.update(**{scheduled: rig.after(1000)})
    rig.let(5)
    assert rig.update(request_id=8, url="https://files.example/none", retries=0)["status"] == "AcceptedCanceled"
    rig.let(1100)
    assert rig.told(8) == ["Downloading", "DownloadFailed"]
    assert not rig.reboots


@pytest.mark.parametrize("reset", ["Immediate", "OnIdle"])
def test_nothing_disturbs_an_installation(rig: Rig, reset: str) -> None:
    rig.hand.silent = True
    rig.update()
    rig.let(5)
    answer = rig.update(request_id=8)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "FwUpdateInProgress")  # L01.FR.27
    assert rig.call("Reset", {"type": reset})["status"] == ("Scheduled" if reset == "OnIdle" else "Rejected")
    rig.let(5)
    assert not rig.reboots
    rig.transfers.die()
    rig.hand.silent = False
    rig.reboot()
    rig.let(3)
    assert rig.told() == WHOLE


def test_a_reset_does_not_wait_for_what_is_scheduled(rig: Rig) -> None:
    rig.update(retrieve=rig.after(86_400))
    rig.let(2)
    assert rig.call("Reset", {"type": "OnIdle"})["status"] == "Accepted"


def test_a_reset_during_the_download_only_interrupts_it(rig: Rig) -> None:
    rig.hand.files[URL].holds = True
    rig.update()
    rig.let(2)
    assert rig.call("Reset", {"type": "Immediate"})["status"] == "Accepted"
    rig.let(5)
    assert rig.reboots == ["RemoteReset"]
    rig.power_cut()
    rig.hand.files[URL].holds = False
    rig.boot()
    rig.reboot()
    rig.let(3)
    assert rig.told() == WHOLE


# ------------------------------------------------------------------ asked by a trigger


def trigger(rig: Rig) -> dict[str, Any]:
    assert rig.call("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})["status"] == "Accepted"
    rig.let(0.2)
    return rig.sent("FirmwareStatusNotification")[-1]


def test_what_a_trigger_hears(rig: Rig) -> None:
    assert trigger(rig) == {"status": "Idle"}
    rig.hand.files[URL].holds = True
    rig.update()
    rig.let(2)
    assert trigger(rig) == {"status": "Downloading", "requestId": 7}
    rig.hand.files[URL].holds = False
    rig.reboot()
    rig.let(3)
    assert trigger(rig) == {"status": "Idle"}  # L01.FR.25
    rig.hand.files[URL].failure = "no"
    rig.update(request_id=8, retries=0)
    rig.let(3)
    assert trigger(rig) == {"status": "DownloadFailed", "requestId": 8}  # L01.FR.26
    rig.power_cut()
    rig.boot()
    rig.let(1)
    assert trigger(rig) == {"status": "DownloadFailed", "requestId": 8}


# ------------------------------------------------------------------ what is remembered


@pytest.mark.parametrize("damaged", [1, [], {}, {"phase": "flies"}, {"request_id": 1, "phase": "downloads"}])
def test_a_damaged_memory_is_left_behind(rig: Rig, damaged: Any) -> None:
    rig.disk.remembered[RUNNING] = damaged
    rig.disk.remembered[HISTORY] = "what"
    rig.disk.remembered[LAST_TOLD] = 3
    rig.boot()
    assert trigger(rig) == {"status": "Idle"}
    rig.update()
    rig.reboot()
    rig.let(3)
    assert rig.history() == [(7, "Installed")]


def test_the_history_has_a_limit(rig: Rig) -> None:
    for number in range(30):
        rig.update(request_id=number, retrieve=rig.after(1000))
        rig.let(0.4)
    assert [number for number, _ in rig.history()] == list(range(9, 29))


def test_an_uplink_that_dies_instead_of_rebooting(rig: Rig) -> None:
    """It is started anew by the supervisor, with the code of before: the new one still waits for its turn."""
    rig.update()
    rig.let(10)
    assert rig.reboots == ["FirmwareUpdate"]
    rig.hand.slot = "factory"
    rig.firmware = lambda: SlotSwitch(rig.hand.folder, "0.1.0", "factory").running()
    rig.power_cut()
    rig.boot()
    rig.firmware = rig.hand.boot
    rig.reboot()
    rig.let(3)
    assert rig.told() == WHOLE


def test_a_restart_without_the_new_code_is_tried_again_and_then_told(rig: Rig) -> None:
    """The supervisor did not come back with other code, whatever the reason."""
    rig.update()
    rig.let(10)
    assert rig.reboots == ["FirmwareUpdate"]
    slots.forget(rig.hand.folder, "a")
    rig.power_cut()
    rig.boot()
    rig.let(3)
    assert rig.told()[-1] == "InstallationFailed"
    assert "came back" in rig.disk.remembered[HISTORY][0]["detail"]
