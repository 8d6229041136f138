"""L01 by itself: every step told once and in order, across reboots, lost links, a dead worker and power cuts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.effects import SaveCertificate
from station.domain.moment import rfc3339
from station.firmware import slots
from station.ocpp.blocks.l_firmware_management import update as block
from station.ocpp.blocks.l_firmware_management.record import HISTORY, LAST_TOLD, RUNNING
from tests.support.firmware import HandFile, HandFirmware, small_image
from tests.support.manufacturer import Manufacturer
from tests.support.memory_rig import EPOCH, MemoryRig

URL = "https://cp:hunter2-secret@files.example/firmware.img"
MADE = Manufacturer()
SIGNER = MADE.signer()
DOWNLOADED = ["Downloading", "Downloaded", "SignatureVerified"]
WHOLE = [*DOWNLOADED, "Installing", "InstallRebooting", "Installed"]
CARD = "04A2B3C4D5E6F7"


class Rig(MemoryRig):
    """A station with a manufacturer; ``reboot`` does what the supervisor does."""

    hand: HandFirmware
    content: bytes

    def update(self, request_id: int = 7, **more: Any) -> dict[str, Any]:
        firmware = {
            "location": more.pop("url", URL),
            "retrieveDateTime": more.pop("retrieve", "2026-01-01T00:00:00Z"),
            "signingCertificate": SIGNER.pem,
            "signature": SIGNER.sign(self.content),
        }
        if "install" in more:
            firmware["installDateTime"] = more.pop("install")
        return self.call("UpdateFirmware", {"requestId": request_id, "firmware": firmware, **more})

    def after(self, seconds: float) -> str:
        return rfc3339(self.now.plus(seconds).wall)

    def told(self, request_id: int = 7) -> list[str]:
        return [one["status"] for one in self.sent("FirmwareStatusNotification") if one.get("requestId") == request_id]

    def reboot(self, seconds: float = 60, *, connect: bool = True) -> None:
        """Let time pass until the station reboots, and boot it."""
        known = len(self.reboots)
        for _ in range(int(seconds * 5)):
            if len(self.reboots) > known:
                break
            self.let(0.2)
        assert self.reboots[known:] == ["FirmwareUpdate"]
        self.online = False
        self.now = self.now.plus(2.0)
        self.boot(connect=connect)

    def security(self) -> list[str]:
        return [event["type"] for event in self.sent("SecurityEventNotification")]

    def events_of(self, transaction_id: str) -> list[dict[str, Any]]:
        return [event for event in self.sent("TransactionEvent") if _of(event) == transaction_id]

    def history(self) -> list[tuple[int, str]]:
        return [(entry["request_id"], entry["status"]) for entry in self.disk.remembered.get(HISTORY) or []]


def _of(event: dict[str, Any]) -> str:
    return str(event["transactionInfo"]["transactionId"])


def make(tmp_path: Path, **variables: str) -> Rig:
    rig = Rig(**variables)
    rig.hand = rig.with_firmware(tmp_path)
    rig.content = small_image(tmp_path, "1.0.0")
    rig.hand.files[URL] = HandFile(rig.content)
    rig.disk.commit([SaveCertificate(StoredCertificate("r", CertificateUse.MANUFACTURER_ROOT, (MADE.pem,), EPOCH))])
    rig.boot()
    rig.let(1)
    return rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
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


# ------------------------------------------------------------------ sessions


def charge(rig: Rig, evse: int = 1, card: str = CARD) -> None:
    rig.plug(evse)
    rig.card(card, evse=evse)
    rig.let(3)
    assert rig.station.context.evses[evse].transaction is not None


def test_it_waits_for_the_session_and_lets_nobody_else_in(rig: Rig) -> None:
    charge(rig)
    rig.update()
    rig.let(5)
    assert rig.told() == [*DOWNLOADED, "InstallScheduled"]
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Occupied", "Unavailable")  # L01.FR.07
    rig.card("04FFEEDDCCBBAA", evse=2)
    rig.plug(2)
    rig.let(3)
    assert rig.station.context.evses[2].transaction is None
    start = {"idToken": {"idToken": "X", "type": "Central"}, "remoteStartId": 1, "evseId": 2}
    assert rig.call("RequestStartTransaction", start)["status"] == "Rejected"
    rig.card(CARD, evse=1)
    rig.reboot()
    rig.let(3)
    assert rig.told() == [*DOWNLOADED, "InstallScheduled", *WHOLE[3:]]
    assert rig.security()[-1] == "FirmwareUpdated"
    assert rig.statuses(2)[-1] == "Occupied"


def test_sessions_may_begin_while_it_waits(tmp_path: Path) -> None:
    rig = make(tmp_path, **{"ChargingStation.AllowNewSessionsPendingFirmwareUpdate": "true"})
    charge(rig)
    rig.update()
    rig.let(5)
    assert "Unavailable" not in rig.statuses(2)
    charge(rig, 2, "04FFEEDDCCBBAA")
    rig.card(CARD, evse=1)
    rig.let(15)
    assert rig.told()[-1] == "InstallScheduled"
    rig.card("04FFEEDDCCBBAA", evse=2)
    rig.reboot()


def test_who_was_let_in_before_may_still_plug_in(rig: Rig) -> None:
    rig.card(CARD)
    rig.let(1)
    rig.update()
    rig.let(5)
    assert rig.told()[-1] == "InstallScheduled"
    assert "Unavailable" not in rig.statuses(1)
    rig.plug(1)
    rig.let(3)
    assert rig.station.context.evses[1].transaction is not None
    assert rig.statuses(2)[-1] == "Unavailable"


def test_a_cancel_gives_the_evses_back(rig: Rig) -> None:
    charge(rig)
    rig.update()
    rig.let(5)
    assert rig.statuses(2)[-1] == "Unavailable"
    rig.update(request_id=8, retrieve=rig.after(10_000))
    rig.let(2)
    assert rig.statuses(2)[-1] == "Available"


def test_an_evse_that_the_csms_took_out_of_service_stays_so(rig: Rig) -> None:
    rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2}})
    rig.update()
    rig.reboot()
    rig.let(3)
    assert (rig.statuses(1)[-1], rig.statuses(2)[-1]) == ("Available", "Unavailable")


def test_a_session_outlives_the_change_of_the_code(tmp_path: Path) -> None:
    rig = make(tmp_path, **{"FirmwareCtrlr.InstallDuringTransactions": "true"})
    charge(rig)
    transaction = rig.station.context.evses[1].transaction
    assert transaction is not None
    rig.update()
    rig.reboot()
    rig.let(10)
    assert rig.told() == WHOLE
    after = rig.station.context.evses[1].transaction
    assert after is not None
    assert after.transaction_id == transaction.transaction_id
    assert "Ended" not in [event["eventType"] for event in rig.events_of(transaction.transaction_id)]


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
