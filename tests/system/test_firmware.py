"""The running appliance gets a new version over OCPP, and goes back from those that are no good."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.appliance import PASSWORD, QUICK, Appliance
from tests.support.csms import ScriptedCsms
from tests.support.file_server import File, FileServer
from tests.support.manufacturer import Manufacturer
from tests.support.web import WebSession

WITHIN = 60.0  # s
ADMIN = "a long enough word"
MADE = Manufacturer()
SIGNER = MADE.signer()


class Site:
    """An appliance with a manufacturer's root, its CSMS, and a server for firmware."""

    def __init__(self, folder: Path, csms: ScriptedCsms, server: FileServer, appliance: Appliance) -> None:
        self.folder, self.csms, self.server, self.appliance = folder, csms, server, appliance
        self.request_id = 0

    def start(self, *variables: str) -> None:
        (self.folder / "root.pem").write_text(MADE.pem)
        root = ("--manufacturer-root-certificate", str(self.folder / "root.pem"))
        options = (*root, "--admin-password", ADMIN)
        self.appliance.provision_csms(self.csms.url, variables=(*QUICK, *variables), options=options)
        self.appliance.start()
        self.appliance.wait_registered()

    def make(self, version: str, *options: str) -> bytes:
        path = self.folder / "image"
        done = self.appliance.manage("firmware", "make", "--version", version, *options, str(path))
        assert done.returncode == 0, done.stderr
        return path.read_bytes()

    def update(self, content: bytes) -> int:
        self.request_id += 1
        self.server.files["/f"] = File(content)
        firmware = {
            "location": f"{self.server.url}/f",
            "retrieveDateTime": "2026-01-01T00:00:00Z",
            "signingCertificate": SIGNER.pem,
            "signature": SIGNER.sign(content),
        }
        answer = self.csms.call("UpdateFirmware", {"requestId": self.request_id, "firmware": firmware})
        assert answer == {"status": "Accepted"}
        return self.request_id

    def wait_status(self, status: str, within: float = WITHIN) -> None:
        wanted = {"status": status, "requestId": self.request_id}
        self.csms.wait_for("FirmwareStatusNotification", lambda told: told == wanted, within)

    def boots(self) -> list[tuple[str, str]]:
        return [
            (str(boot["reason"]), str(boot["chargingStation"]["firmwareVersion"]))
            for boot in (frame.payload for frame in self.csms.frames() if _is_boot(frame))
        ]

    def history(self) -> list[dict[str, Any]]:
        with self.appliance.database() as database:
            rows = database.execute("SELECT data FROM station_journal WHERE kind LIKE 'firmware_%' ORDER BY id")
            return [dict(row) for row in rows]


def _is_boot(frame: Any) -> bool:
    return bool(frame.is_call and frame.direction == "in" and frame.action == "BootNotification")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ScriptedCsms(password=PASSWORD) as csms, FileServer() as server, Appliance(tmp_path) as appliance:
        yield Site(tmp_path, csms, server, appliance)
        appliance.stop()


def test_a_new_version_and_back_from_one_that_does_not_start(site: Site) -> None:
    site.start()
    pid = site.appliance.pid
    site.update(site.make("1.0.0"))
    site.wait_status("Installed")
    site.csms.wait_for("SecurityEventNotification", lambda event: event["type"] == "FirmwareUpdated", WITHIN)
    assert site.boots()[-1] == ("FirmwareUpdate", "1.0.0")
    assert site.appliance.pid == pid
    assert site.appliance.runs
    site.appliance.wait_healthy()
    page = WebSession(site.appliance.web, password=ADMIN).get("/firmware/")
    assert "1.0.0: installed" in page
    site.appliance.restart()
    site.appliance.wait_registered()
    assert site.boots()[-1] == ("PowerUp", "1.0.0")

    site.update(site.make("2.0.0", "--broken-start"))
    site.wait_status("InstallationFailed")
    assert site.boots()[-1] == ("FirmwareUpdate", "1.0.0")
    assert "made with --broken-start" in str(site.history()[-1])

    site.update(site.make("0.9.0"))
    site.wait_status("InstallVerificationFailed")
    assert "older than 1.0.0" in str(site.history()[-1])
    site.appliance.wait_healthy()


def test_back_from_a_version_that_the_csms_does_not_accept(site: Site) -> None:
    def answer(payload: dict[str, Any]) -> dict[str, Any] | None:
        if payload["chargingStation"]["firmwareVersion"] != "1.0.0":
            return None
        return {"status": "Rejected", "interval": 5, "currentTime": "2026-11-22T12:00:00Z"}

    site.start("FirmwareCtrlr.ProbationTime=20")
    site.csms.on("BootNotification", answer)
    site.update(site.make("1.0.0"))
    site.wait_status("InstallRebooting")
    begun = time.monotonic()
    site.wait_status("InstallationFailed")
    assert time.monotonic() - begun < 45
    assert site.boots()[-1] == ("FirmwareUpdate", "0.1.0")
    assert "not accepted by the CSMS within 20 s" in str(site.history()[-1])
    site.appliance.wait_healthy()
