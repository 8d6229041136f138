"""N01 by itself: every status, replaced, retried, and nothing lost by restarts, a dead worker or a lost link."""

from __future__ import annotations

from typing import Any

import pytest

from station.domain.events import TransferReport
from station.ocpp.blocks.n_diagnostics import logs
from tests.support.memory_rig import MemoryRig
from tests.support.transfers import HandServer

URL = "http://logs.example/upload"
SECRET_URL = "https://station:hunter2-secret@logs.example/upload"


@pytest.fixture
def rig() -> MemoryRig:
    rig = MemoryRig().boot()
    rig.transfers.servers[URL] = HandServer()
    rig.let(1)
    return rig


def get_log(rig: MemoryRig, url: str = URL, request_id: int = 1, log_type: str = "DiagnosticsLog", **more: Any) -> Any:
    log = {"remoteLocation": url, **{key: more.pop(key) for key in list(more) if key.endswith("Timestamp")}}
    return rig.call("GetLog", {"logType": log_type, "requestId": request_id, "log": log, **more})


def told(rig: MemoryRig) -> list[tuple[str, int | None]]:
    return [(one["status"], one.get("requestId")) for one in rig.sent("LogStatusNotification")]


def trigger(rig: MemoryRig) -> tuple[str, int | None]:
    before = len(told(rig))
    assert rig.call("TriggerMessage", {"requestedMessage": "LogStatusNotification"})["status"] == "Accepted"
    rig.let(0.2)
    return told(rig)[before]


def test_a_log_is_uploaded(rig: MemoryRig) -> None:
    answer = get_log(rig, request_id=7)
    assert answer["status"] == "Accepted"
    rig.let(5)
    assert told(rig) == [("Uploading", 7), ("Uploaded", 7)]
    assert rig.transfers.servers[URL].taken == [answer["filename"]]
    assert rig.disk.remembered[logs.RUNNING] is None
    kinds = [entry.kind for entry in rig.disk.journal if entry.kind.startswith("log_")]
    assert kinds == ["log_requested", "log_uploaded"]


@pytest.mark.parametrize(("log_type", "prefix"), [("DiagnosticsLog", "diagnostics_"), ("SecurityLog", "security_")])
def test_the_name_tells_what_it_is_and_harms_no_file_system(log_type: str, prefix: str) -> None:
    rig = MemoryRig(**{"SecurityCtrlr.Identity": "CP.1_a-b"}).boot()
    name = get_log(rig, log_type=log_type, request_id=3)["filename"]
    assert name == f"{prefix}CP-1_a-b_20260301T120000Z_3.log.gz"


def test_the_device_model_goes_with_diagnostics_and_no_secret_with_it() -> None:
    rig = MemoryRig(**{"SecurityCtrlr.BasicAuthPassword": "0123456789abcdef"}).boot()
    get_log(rig)
    get_log(rig, log_type="SecurityLog", request_id=2)
    diagnostics, security = rig.transfers.orders
    model = diagnostics.parameters["facts"]["device_model"]
    assert model["OCPPCommCtrlr.OfflineThreshold"] == "60"
    assert "Connector@1.1.AvailabilityState" in model
    assert not any("Password" in name for name in model)
    assert "0123456789abcdef" not in str(diagnostics.parameters)
    assert "facts" not in security.parameters


@pytest.mark.parametrize(
    "url", ["ftp://logs.example/x", "logs.example", "http://", "http://host:99999/", "http://a b/", "http://h/\x7f", ""]
)
def test_a_url_that_cannot_be_used_is_refused_and_disturbs_nothing(rig: MemoryRig, url: str) -> None:
    rig.transfers.servers[URL].holds = True
    get_log(rig, request_id=1)
    rig.let(1)
    answer = get_log(rig, url, request_id=2)
    assert answer["status"] == "Rejected"
    assert answer["statusInfo"]["reasonCode"] == "InvalidURL"
    rig.transfers.servers[URL].holds = False
    rig.let(2)
    assert told(rig) == [("Uploading", 1), ("Uploaded", 1)]


@pytest.mark.parametrize(
    ("oldest", "latest", "status"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", "Accepted"),
        ("2026-03-01T11:00:00+02:00", "2026-03-01T10:00:00Z", "Accepted"),
        ("2026-03-01T12:02:00Z", None, "Accepted"),  # the CSMS's clock is a little ahead
        ("2026-03-01T11:00:00Z", "2026-03-01T10:00:00Z", "Rejected"),
        ("2027-01-01T00:00:00Z", None, "Rejected"),
    ],
)
def test_the_time_asked_for(rig: MemoryRig, oldest: str, latest: str | None, status: str) -> None:
    answer = get_log(rig, oldestTimestamp=oldest, **({"latestTimestamp": latest} if latest else {}))
    assert answer["status"] == status
    if status == "Accepted":
        assert rig.transfers.orders[0].parameters["oldest"] == oldest
        assert rig.transfers.orders[0].parameters["latest"] == (latest or "")


@pytest.mark.parametrize("status", logs.FAILURES)
def test_the_last_failure_is_told_when_all_attempts_failed(rig: MemoryRig, status: str) -> None:
    rig.transfers.servers[URL].status = status
    get_log(rig, retries=2, retryInterval=10)
    rig.let(19)
    assert told(rig) == [("Uploading", 1)]
    rig.let(3)
    assert told(rig) == [("Uploading", 1), (status, 1)]
    assert rig.transfers.servers[URL].tries == 3
    rig.let(60)
    assert rig.transfers.servers[URL].tries == 3


def test_a_retry_may_succeed(rig: MemoryRig) -> None:
    server = rig.transfers.servers[URL]
    server.status = "UploadFailure"
    get_log(rig, retries=5, retryInterval=10)
    rig.let(12)
    server.status = "Uploaded"
    rig.let(10)
    assert told(rig) == [("Uploading", 1), ("Uploaded", 1)]
    assert server.tries == 3


@pytest.mark.parametrize("retries", [0, -1])
def test_no_retries(rig: MemoryRig, retries: int) -> None:
    rig.transfers.servers[URL].status = "UploadFailure"
    get_log(rig, retries=retries, retryInterval=0)
    rig.let(5)
    assert told(rig) == [("Uploading", 1), ("UploadFailure", 1)]
    assert rig.transfers.servers[URL].tries == 1


def test_an_immoderate_csms_is_kept_within_bounds(rig: MemoryRig) -> None:
    rig.transfers.servers[URL].status = "UploadFailure"
    get_log(rig, retries=2_000_000_000, retryInterval=0)
    rig.let(200)
    assert rig.transfers.servers[URL].tries == logs.MOST_RETRIES + 1
    assert told(rig)[-1] == ("UploadFailure", 1)


def test_a_new_request_replaces_the_running_one(rig: MemoryRig) -> None:
    rig.transfers.servers[URL].holds = True
    get_log(rig, request_id=1)
    rig.let(1)
    answer = get_log(rig, request_id=2)
    assert answer["status"] == "AcceptedCanceled"
    rig.transfers.servers[URL].holds = False
    rig.let(3)
    assert told(rig) == [("Uploading", 1), ("AcceptedCanceled", 1), ("Uploading", 2), ("Uploaded", 2)]
    assert rig.transfers.servers[URL].taken == [answer["filename"]]


def test_a_new_request_replaces_one_that_waits_for_its_retry(rig: MemoryRig) -> None:
    rig.transfers.servers[URL].status = "UploadFailure"
    get_log(rig, request_id=1, retries=1, retryInterval=60)
    rig.let(5)
    rig.transfers.servers[URL].status = "Uploaded"
    assert get_log(rig, request_id=2)["status"] == "AcceptedCanceled"
    rig.let(90)
    assert told(rig) == [("Uploading", 1), ("AcceptedCanceled", 1), ("Uploading", 2), ("Uploaded", 2)]
    assert get_log(rig, request_id=3)["status"] == "Accepted"


def test_triggered_while_idle_uploading_and_waiting(rig: MemoryRig) -> None:
    assert trigger(rig) == ("Idle", None)
    server = rig.transfers.servers[URL]
    server.holds, server.status = True, "UploadFailure"
    get_log(rig, request_id=9, retries=1, retryInterval=30)
    rig.let(2)
    assert trigger(rig) == ("Uploading", 9)
    server.holds = False
    rig.let(2)
    assert trigger(rig) == ("Uploading", 9)
    server.status = "Uploaded"
    rig.let(40)
    assert told(rig)[-1] == ("Uploaded", 9)
    assert trigger(rig) == ("Idle", None)


def test_a_worker_that_dies_is_told_again(rig: MemoryRig) -> None:
    rig.transfers.servers[URL].holds = True
    get_log(rig)
    rig.let(2)
    rig.transfers.die()
    rig.transfers.servers[URL].holds = False
    rig.let(logs.SILENCE + 5)
    assert told(rig) == [("Uploading", 1), ("Uploaded", 1)]


def test_a_report_that_got_lost_is_asked_for_and_the_file_is_sent_once(rig: MemoryRig) -> None:
    get_log(rig)
    rig.let(0.6)
    rig.transfers.deaf = True  # Redis is away
    rig.let(5)
    assert told(rig) == [("Uploading", 1)]
    rig.transfers.deaf = False
    rig.let(logs.SILENCE)
    assert told(rig) == [("Uploading", 1), ("Uploaded", 1)]
    assert len(rig.transfers.servers[URL].taken) == 1


def test_a_slow_upload_is_not_disturbed(rig: MemoryRig) -> None:
    rig.transfers.servers[URL].holds = True
    get_log(rig)
    rig.let(4 * logs.GIVE_UP)
    assert len(rig.transfers.orders) == 1
    assert told(rig) == [("Uploading", 1)]


def test_a_worker_that_stays_away_is_a_failure(rig: MemoryRig) -> None:
    rig.transfers.deaf = True
    get_log(rig, retries=0)
    rig.let(logs.GIVE_UP - 5)
    assert told(rig) == []
    rig.let(10)
    assert told(rig) == [("Uploading", 1), ("UploadFailure", 1)]
    rig.transfers.deaf = False
    rig.let(60)
    assert told(rig) == [("Uploading", 1), ("UploadFailure", 1)]


def test_reports_of_others_are_not_believed(rig: MemoryRig) -> None:
    rig.step(TransferReport("nobody", 1, "Uploaded"))
    rig.transfers.servers[URL].holds = True
    get_log(rig, retries=1)
    rig.let(1)
    known = rig.transfers.orders[0].transfer_id
    for report in (
        TransferReport("somebody else", 1, "Uploaded"),
        TransferReport(known, 2, "Uploaded"),
        TransferReport(known, 1, "Nonsense"),
    ):
        rig.step(report)
    assert told(rig) == [("Uploading", 1)]


def test_what_the_link_swallowed_is_told_when_it_is_back(rig: MemoryRig) -> None:
    get_log(rig)
    rig.disconnect()
    rig.let(30)
    assert told(rig) == []
    rig.connect()
    rig.let(1)
    assert told(rig) == [("Uploading", 1), ("Uploaded", 1)]
    assert rig.disk.remembered[logs.RUNNING] is None


def test_an_answer_that_never_came_is_not_waited_for(rig: MemoryRig) -> None:
    rig.answers["LogStatusNotification"] = None
    get_log(rig)
    rig.let(5)
    rig.disconnect()
    rig.answers.pop("LogStatusNotification")
    rig.connect()
    rig.let(5)
    assert told(rig)[-2:] == [("Uploading", 1), ("Uploaded", 1)]


@pytest.mark.parametrize("retried", [False, True])
def test_power_cut_during_an_upload(rig: MemoryRig, retried: bool) -> None:
    server = rig.transfers.servers[URL]
    server.status = "UploadFailure" if retried else "Uploaded"
    server.holds = not retried
    get_log(rig, retries=1, retryInterval=30)
    rig.let(3)
    rig.power_cut()
    server.status, server.holds = "Uploaded", False
    rig.now = rig.now.plus(60)
    rig.boot()
    rig.let(5)
    assert told(rig)[-2:] == [("Uploading", 1), ("Uploaded", 1)]
    assert len(server.taken) == 1
    assert rig.disk.remembered[logs.RUNNING] is None


def test_power_cut_between_the_end_and_its_telling(rig: MemoryRig) -> None:
    get_log(rig)
    rig.disconnect()
    rig.let(10)
    rig.power_cut()
    rig.boot()
    rig.let(5)
    assert told(rig) == [("Uploaded", 1)]
    assert len(rig.transfers.servers[URL].taken) == 1
    rig.power_cut()
    rig.boot()
    rig.let(5)
    assert told(rig) == [("Uploaded", 1)]


def test_a_damaged_memory_harms_nothing() -> None:
    rig = MemoryRig()
    rig.disk.remembered[logs.RUNNING] = {"request_id": 1}
    rig.boot()
    rig.let(2)
    assert rig.disk.remembered[logs.RUNNING] is None
    assert trigger(rig) == ("Idle", None)


def test_the_journal_names_the_host_and_no_password(rig: MemoryRig) -> None:
    get_log(rig, SECRET_URL)
    entry = next(one for one in rig.disk.journal if one.kind == "log_requested")
    assert entry.data["host"] == "logs.example"
    assert "hunter2" not in str(rig.disk.journal)
