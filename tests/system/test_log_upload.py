"""A log goes to a real server, whatever happens to the station meanwhile."""

from __future__ import annotations

import gzip
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.appliance import PASSWORD, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.log_server import UploadServer
from tests.uplink.authority import Authority

WITHIN = 60.0  # s; a worker's silence is noticed after 15


@pytest.fixture
def server() -> Iterator[UploadServer]:
    with UploadServer() as server:
        yield server


def get_log(csms: ScriptedCsms, url: str, request_id: int, log_type: str = "DiagnosticsLog") -> dict[str, Any]:
    request = {"logType": log_type, "requestId": request_id, "log": {"remoteLocation": url}, "retries": 0}
    answer: dict[str, Any] = csms.call("GetLog", request)
    return answer


def wait_status(csms: ScriptedCsms, status: str, request_id: int, since: int = 0) -> None:
    wanted = {"status": status, "requestId": request_id}
    csms.wait_for("LogStatusNotification", lambda told: told == wanted, WITHIN, since)


def test_the_diagnostics_tell_all_but_secrets(appliance: Appliance, csms: ScriptedCsms, server: UploadServer) -> None:
    appliance.card("04DEADBEEF0102")
    csms.wait_for("Authorize")
    answer = get_log(csms, f"{server.url}/upload", 1)
    wait_status(csms, "Uploaded", 1)
    (taken,) = server.uploads
    assert taken.filename == answer["filename"]
    text = gzip.decompress(taken.content).decode()
    for part in (
        "registration = Accepted",
        "process uplink = seen",
        "TxCtrlr.TxStartPoint = ",
        "card_read",
        " uplink ",
    ):
        assert part in text, part
    assert PASSWORD not in text
    assert "04DEADBEEF0102" not in text
    keys = {path.name: path.read_bytes() for path in (appliance.data / "keys").iterdir() if path.is_file()}
    assert not any(key.strip() in taken.content for key in keys.values())


def test_the_security_log_goes_by_https(tmp_path: Path) -> None:
    authority = Authority()
    place = authority.issue(tmp_path / "server", "127.0.0.1", names=["127.0.0.1"])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(place / "chain.pem", place / "key.pem")
    root = authority.write_root(tmp_path / "root.pem")
    with ScriptedCsms(password=PASSWORD) as csms, Appliance(tmp_path) as appliance, UploadServer(tls=tls) as server:
        appliance.provision_csms(csms.url)
        appliance.provision("--csms-root-certificate", str(root))
        appliance.start()
        appliance.wait_registered()
        csms.wait_for("SecurityEventNotification")
        get_log(csms, f"{server.url}/upload", 1, "SecurityLog")
        wait_status(csms, "Uploaded", 1)
        assert "StartupOfTheDevice" in gzip.decompress(server.uploads[0].content).decode()


def test_a_transfer_worker_that_is_killed_begins_anew(
    appliance: Appliance, csms: ScriptedCsms, server: UploadServer
) -> None:
    server.running.clear()
    get_log(csms, f"{server.url}/upload", 2)
    wait_status(csms, "Uploading", 2)
    worker = appliance.process("transfers")
    assert worker is not None
    worker.kill()
    server.running.set()
    wait_status(csms, "Uploaded", 2)
    assert gzip.decompress(server.uploads[-1].content)


def test_a_power_cut_during_an_upload(tmp_path: Path, server: UploadServer) -> None:
    with ScriptedCsms(password=PASSWORD) as csms, Appliance(tmp_path) as appliance:
        appliance.provision_csms(csms.url)
        appliance.start()
        appliance.wait_registered()
        server.running.clear()
        url = server.url.replace("://", "://cp:upload-secret@")
        get_log(csms, f"{url}/upload", 3)
        wait_status(csms, "Uploading", 3)
        with appliance.database() as database:
            row = database.execute("SELECT value FROM station_remembered WHERE key = 'log_upload'").fetchone()
            assert "upload-secret" not in row["value"]
            assert json.loads(row["value"]).startswith("sealed:")
        appliance.kill9()
        server.running.set()
        mark = csms.mark()
        appliance.start()
        wait_status(csms, "Uploaded", 3, mark)
        names = {upload.filename for upload in server.uploads}
        assert len(names) == 1
