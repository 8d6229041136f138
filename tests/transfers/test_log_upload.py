"""What the transfer worker does with an order, and with one that comes again: real files, real server, no Redis."""

from __future__ import annotations

import gzip
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from channels.layers import get_channel_layer

from station.domain.effects import SaveVariable
from station.domain.events import TransferReport
from station.domain.wire import unpack_report
from station.live import bus
from station.store import repositories, spool
from station.store.models import JournalEntry, SecurityLogEntry
from station.store.spool import Outcome
from station.transfers import loop
from station.transfers.tasks import upload_log
from tests.support.log_server import Manner, UploadServer

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "0123456789abcdef-secret"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.fixture
def server() -> Iterator[UploadServer]:
    with UploadServer() as server:
        yield server


def reports() -> list[TransferReport]:
    async def drain() -> list[TransferReport]:
        layer, found = get_channel_layer(), []
        while layer.channels.get(bus.UPLINK) and not layer.channels[bus.UPLINK].empty():
            found.append(unpack_report((await layer.receive(bus.UPLINK))["report"]))
        return found

    return loop.run(drain())


def order(url: str, *, attempt: int = 1, transfer_id: str = "", **more: Any) -> tuple[str, str]:
    transfer_id = transfer_id or str(uuid.uuid4())
    parameters = {"log_type": "DiagnosticsLog", "url": url, "filename": "x.log.gz", "oldest": "", "latest": "", **more}
    return transfer_id, upload_log(transfer_id, attempt, parameters)


def test_the_worker_tells_how_it_fares(server: UploadServer) -> None:
    transfer_id, status = order(f"{server.url}/upload")
    assert status == "Uploaded"
    told = reports()
    assert [report.status for report in told] == ["Preparing", "Uploading", "Uploaded"]
    assert {(report.transfer_id, report.attempt) for report in told} == {(transfer_id, 1)}
    assert server.uploads[0].filename == "x.log.gz"
    assert gzip.decompress(server.uploads[0].content).startswith(b"Diagnostics log")


def test_the_same_order_again_is_only_told_again(server: UploadServer) -> None:
    transfer_id, _ = order(f"{server.url}/upload")
    reports()
    assert order(f"{server.url}/upload", transfer_id=transfer_id) == (transfer_id, "known")
    assert [report.status for report in reports()] == ["Uploaded"]
    assert len(server.uploads) == 1


def test_the_next_attempt_sends_the_same_file(server: UploadServer) -> None:
    server.manners["/upload"] = Manner(put=503)
    transfer_id, status = order(f"{server.url}/upload")
    assert status == "UploadFailure"
    JournalEntry.objects.create(at=NOON, kind="meanwhile")
    server.manners["/upload"] = Manner()
    assert order(f"{server.url}/upload", transfer_id=transfer_id, attempt=2)[1] == "Uploaded"
    assert b"meanwhile" not in gzip.decompress(server.uploads[0].content)
    reports()
    assert order(f"{server.url}/upload", transfer_id=transfer_id, attempt=1)[1] == "known"
    assert reports() == []


def test_after_a_crash_of_the_worker_the_attempt_is_made_anew(server: UploadServer, tmp_path: Path) -> None:
    transfer_id = str(uuid.uuid4())
    place = spool.folder(tmp_path, transfer_id)
    place.mkdir(parents=True)
    (place / "log.part").write_bytes(b"half a fi")
    (place / "outcome.json.part").write_text("{")
    assert order(f"{server.url}/upload", transfer_id=transfer_id)[1] == "Uploaded"
    assert gzip.decompress(server.uploads[0].content)


def test_canceled_before_it_begins(server: UploadServer, tmp_path: Path) -> None:
    transfer_id = str(uuid.uuid4())
    spool.cancel(tmp_path, transfer_id)
    assert order(f"{server.url}/upload", transfer_id=transfer_id)[1] == "canceled"
    assert reports() == []
    assert not server.asked.is_set()


def test_canceled_while_it_runs(server: UploadServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.running.clear()
    monkeypatch.setattr(spool, "canceled", lambda place: server.asked.is_set())
    assert order(f"{server.url}/upload")[1] == "canceled"
    assert [report.status for report in reports()] == ["Preparing", "Uploading"]
    assert not list(tmp_path.glob("spool/*/log.gz"))


def test_a_file_that_cannot_be_made(server: UploadServer, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    assert order(f"{server.url}/upload")[1] == "UploadFailure"
    assert "could not be made" in reports()[-1].detail


def test_an_id_that_leads_out_of_the_spool(server: UploadServer) -> None:
    with pytest.raises(ValueError, match="not the id of a transfer"):
        order(f"{server.url}/upload", transfer_id="../../../../../../../../../../../../x")


def test_no_secret_leaves_the_station(server: UploadServer, tmp_path: Path) -> None:
    repositories.commit([SaveVariable("SecurityCtrlr", "BasicAuthPassword", PASSWORD)])
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "station.log").write_text(
        f"2026-03-01 12:00:00.000 uplink   sent {PASSWORD} by mistake\n"
        "2026-03-01 12:00:00.001 uplink   PUT https://cp:other-secret@logs.example/x\n"
    )
    JournalEntry.objects.create(at=NOON, kind="card_read", data={"id_token": "04A2B3C4D5E6F7", "type": "ISO14443"})
    url = server.url.replace("://", "://cp:upload-secret@")
    facts = {"device_model": {"A.B": "upload-secret"}, "station": {"registration": "Accepted"}}
    order(f"{url}/upload", facts=facts)
    text = gzip.decompress(server.uploads[0].content).decode()
    for secret in (PASSWORD, "other-secret", "upload-secret", "04A2B3C4D5E6F7"):
        assert secret not in text
    for kept in ("by mistake", "logs.example/x", "card_read", "…E6F7", "registration = Accepted", "A.B = "):
        assert kept in text


def test_the_security_log_is_about_security(server: UploadServer) -> None:
    for hour in range(3):
        at = NOON.replace(hour=hour)
        SecurityLogEntry.objects.create(at=at, type=f"Event{hour}", tech_info="x")
        JournalEntry.objects.create(at=at, kind="plugged_in")
    window = {"oldest": "2026-03-01T01:00:00Z", "latest": "2026-03-01T02:00:00+01:00"}
    order(f"{server.url}/upload", log_type="SecurityLog", **window)
    text = gzip.decompress(server.uploads[0].content).decode()
    assert "Event1" in text
    assert "Event0" not in text
    assert "Event2" not in text
    assert "plugged_in" not in text


def test_spool_is_cleaned(tmp_path: Path) -> None:
    old, fresh, canceled = (spool.folder(tmp_path, str(uuid.uuid4())) for _ in range(3))
    for place in (old, fresh):
        place.mkdir(parents=True)
        spool.note(place, Outcome(1, "Uploaded"))
    spool.cancel(tmp_path, canceled.name)
    os.utime(old, (0, 0))
    assert spool.clean(tmp_path) == 2
    assert [place.name for place in (tmp_path / "spool").iterdir()] == [fresh.name]
    assert spool.outcome(fresh) == Outcome(1, "Uploaded")
    (fresh / "outcome.json").write_text('{"what": 1}')
    assert spool.outcome(fresh) is None


def test_a_window_as_wide_as_the_calendar(server: UploadServer) -> None:
    """Whose ends lie outside of it in UTC."""
    window = {"oldest": "0001-01-01T00:00:00+14:00", "latest": "9999-12-31T23:59:59-14:00"}
    for log_type in ("DiagnosticsLog", "SecurityLog"):
        assert order(f"{server.url}/upload", log_type=log_type, **window)[1] == "Uploaded"
