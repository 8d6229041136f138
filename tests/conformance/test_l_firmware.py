"""Part 6, section 2.13: L Firmware management, the Core profile's part, with errata 2025-09 (6.2.82, 6.2.83)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from station.domain.moment import rfc3339
from tests.conformance.rig import OTHER_CARD, FirmwareServer, Payload, Rig
from tests.conformance.states import Session, connector_is
from tests.support.manufacturer import Manufacturer, Signer

VERSION = "1.0.0"
OFFSET = 6.0  # <Configured Download Offset Period>, <Configured Install Offset Period>, s
AGO = timedelta(hours=-2)
PATIENCE = 60.0  # s that an installation, or a boot, may take

NO_NEW = {"ChargingStation.AllowNewSessionsPendingFirmwareUpdate": "false"}
NEW = {"ChargingStation.AllowNewSessionsPendingFirmwareUpdate": "true"}
NO_DOWNLOAD = {"FirmwareCtrlr.DownloadDuringTransactions": "false"}


class Update:
    """One firmware, and what the CSMS says and hears of its update."""

    def __init__(self, rig: Rig, *, broken: bool = False, **variables: str) -> None:
        self.rig = rig
        rig.manufacturer = Manufacturer()
        self.signer = rig.manufacturer.signer()
        rig.start(**variables)
        self.server: FirmwareServer = rig.firmware_server()
        self.content = rig.image(VERSION, broken=broken)
        self.url = self.server.put(self.content)
        self.request_id = 0

    def ask(
        self,
        *,
        retrieve: timedelta = AGO,
        install: timedelta | None = AGO,
        url: str = "",
        signer: Signer | None = None,
        content: bytes | None = None,
        signed: bool = True,
    ) -> Payload:
        """UpdateFirmwareRequest; returns its response."""
        self.request_id += 1
        now = self.rig.utc()
        firmware: dict[str, Any] = {"location": url or self.url, "retrieveDateTime": _at(now, retrieve)}
        if install is not None:
            firmware["installDateTime"] = _at(now, install)
        if signed:
            firmware["signingCertificate"] = (signer or self.signer).pem
            firmware["signature"] = self.signer.sign(self.content if content is None else content)
        return self.rig.call("UpdateFirmware", {"requestId": self.request_id, "firmware": firmware})

    def accepted(self, **how: Any) -> None:
        response = self.ask(**how)
        assert response == {"status": "Accepted"}, response

    def says(self, *statuses: str, request_id: int = 0, within: float = PATIENCE) -> None:
        """The next FirmwareStatusNotifications say that, of the last request or of that one."""
        for status in statuses:
            told = self.rig.expect("FirmwareStatusNotification", within=within)
            assert told == {"status": status, "requestId": request_id or self.request_id}, told

    def security_event(self, kind: str) -> None:
        self.rig.expect("SecurityEventNotification", lambda event: event["type"] == kind, within=PATIENCE)

    def downloads(self) -> None:
        self.says("Downloading", "Downloaded", "SignatureVerified")

    def installs(self, *evses: int) -> None:
        """From Installing on, through RebootBeforeFirmwareActivation; ``evses`` become Unavailable before."""
        for evse in evses:
            connector_is(self.rig, "Unavailable", evse)
        self.says("Installing", "InstallRebooting")
        self.boots(VERSION)
        for evse in range(1, self.rig.evses + 1):
            connector_is(self.rig, "Available", evse)
        self.says("Installed")
        self.security_event("FirmwareUpdated")

    def boots(self, version: str) -> None:
        boot = self.rig.expect("BootNotification", within=PATIENCE)
        assert boot["reason"] == "FirmwareUpdate", boot
        assert boot["chargingStation"]["firmwareVersion"] == version, boot


def _at(now: datetime, offset: timedelta) -> str:
    return rfc3339(now + offset)


@pytest.mark.tc("TC_L_01")
def test_installation_successful(rig: Rig) -> None:
    update = Update(rig)
    update.accepted()
    update.downloads()
    update.installs(1, 2)


@pytest.mark.tc("TC_L_02")
def test_install_scheduled(rig: Rig) -> None:
    update = Update(rig)
    begun = rig.seconds()
    update.accepted(install=timedelta(seconds=OFFSET))
    update.downloads()
    update.says("InstallScheduled")
    for evse in (1, 2):
        connector_is(rig, "Unavailable", evse)
    assert rig.seconds() - begun >= OFFSET - 1.5
    update.installs()


@pytest.mark.tc("TC_L_03")
def test_download_scheduled(rig: Rig) -> None:
    update = Update(rig)
    begun = rig.seconds()
    update.accepted(retrieve=timedelta(seconds=OFFSET))
    update.says("DownloadScheduled")
    update.says("Downloading")
    assert rig.seconds() - begun >= OFFSET - 1.5
    update.says("Downloaded", "SignatureVerified")
    update.installs(1, 2)


@pytest.mark.tc("TC_L_05")
def test_invalid_certificate(rig: Rig) -> None:
    update = Update(rig)
    response = update.ask(signer=Manufacturer().signer())
    assert response["status"] in ("InvalidCertificate", "RevokedCertificate"), response
    update.security_event("InvalidFirmwareSigningCertificate")


@pytest.mark.tc("TC_L_06")
def test_invalid_signature(rig: Rig) -> None:
    update = Update(rig)
    update.accepted(content=b"another file")
    update.says("Downloading", "Downloaded", "InvalidSignature")
    update.security_event("InvalidFirmwareSignature")


@pytest.mark.tc("TC_F_19")
def test_trigger_while_downloading(rig: Rig) -> None:
    update = Update(rig)
    update.server.hold()
    update.accepted(install=None, content=b"another file")  # errata 2025-09, 6.2.59: an invalid signature
    update.says("Downloading")
    response = rig.call("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    assert response["status"] == "Accepted", response
    update.says("Downloading")
    update.server.release()
    update.says("Downloaded", "InvalidSignature")
    update.security_event("InvalidFirmwareSignature")


@pytest.mark.tc("TC_L_07")
def test_download_failed(rig: Rig) -> None:
    update = Update(rig)
    update.accepted(url=update.server.missing)
    update.says("Downloading", "DownloadFailed")


@pytest.mark.tc("TC_L_08")
def test_installation_fails(rig: Rig) -> None:
    update = Update(rig, broken=True)
    update.accepted()
    update.downloads()
    for evse in (1, 2):
        connector_is(rig, "Unavailable", evse)
    update.says("Installing")
    told = rig.expect("FirmwareStatusNotification", within=PATIENCE)
    assert told["status"] in ("InstallVerificationFailed", "InstallationFailed"), told
    for evse in (1, 2):
        connector_is(rig, "Available", evse)


@pytest.mark.tc("TC_L_10")
def test_accepted_canceled(rig: Rig) -> None:
    update = Update(rig)
    update.server.hold()
    update.accepted()
    update.says("Downloading")
    response = update.ask()
    assert response == {"status": "AcceptedCanceled"}, response
    update.says("Downloading")
    update.server.release()
    update.says("Downloaded", "SignatureVerified")
    update.installs(1, 2)


@pytest.mark.tc("TC_L_11")
def test_unable_to_cancel(rig: Rig) -> None:
    update = Update(rig, **{"FirmwareCtrlr.UpdateCancelable": "false"})
    update.server.hold()
    update.accepted()
    update.says("Downloading")
    response = update.ask()
    assert response["status"] == "Rejected", response
    update.server.release()
    update.request_id = 1
    update.says("Downloaded", "SignatureVerified")
    update.installs(1, 2)


@pytest.mark.tc("TC_L_12")
def test_nothing_during_a_transaction_new_sessions_allowed(rig: Rig) -> None:
    update = Update(rig, **NEW, **NO_DOWNLOAD)
    update.server.hold()
    first, second = Session(rig), Session(rig, evse=2, token=OTHER_CARD)
    first.energy_transfer_started()
    update.accepted()
    update.says("DownloadScheduled")
    second.energy_transfer_started()
    first.parking_bay_unoccupied()
    rig.expect_none("FirmwareStatusNotification")
    second.parking_bay_unoccupied()
    update.says("Downloading")
    update.server.release()
    update.says("Downloaded", "SignatureVerified")
    update.installs(1, 2)


@pytest.mark.tc("TC_L_13")
def test_nothing_during_a_transaction_no_new_sessions(rig: Rig) -> None:
    update = Update(rig, **NO_NEW, **NO_DOWNLOAD)
    update.server.hold()
    session = Session(rig)
    session.energy_transfer_started()
    update.accepted()
    update.says("DownloadScheduled")
    connector_is(rig, "Unavailable", 2)
    session.stop_authorized()
    session.ev_disconnected()
    update.says("Downloading")
    update.server.release()
    update.says("Downloaded", "SignatureVerified")
    update.installs(1, 2)


@pytest.mark.tc("TC_L_14")
def test_no_installation_during_a_transaction_new_sessions_allowed(rig: Rig) -> None:
    update = Update(rig, **NEW)
    first, second = Session(rig), Session(rig, evse=2, token=OTHER_CARD)
    first.energy_transfer_started()
    update.accepted()
    update.downloads()
    update.says("InstallScheduled")
    second.energy_transfer_started()
    first.parking_bay_unoccupied()
    rig.expect_none("FirmwareStatusNotification")
    second.stop_authorized()
    rig.unplug(2)
    update.installs(1, 2)


@pytest.mark.tc("TC_L_15")
def test_no_installation_during_a_transaction_no_new_sessions(rig: Rig) -> None:
    update = Update(rig, **NO_NEW)
    session = Session(rig)
    session.energy_transfer_started()
    update.accepted()
    update.downloads()
    update.says("InstallScheduled")
    connector_is(rig, "Unavailable", 2)
    session.stop_authorized()
    rig.unplug(1)
    update.installs(1)


@pytest.mark.tc("TC_L_16")
def test_update_during_a_transaction(rig: Rig) -> None:
    update = Update(rig, **{"FirmwareCtrlr.InstallDuringTransactions": "true"})
    session = Session(rig)
    session.energy_transfer_started()
    update.accepted()
    update.downloads()
    update.says("Installing", "InstallRebooting")
    update.boots(VERSION)
    update.says("Installed")
    update.security_event("FirmwareUpdated")
    rig.let(2.0)
    events = rig.transaction_events(session.transaction_id)
    assert all(event["eventType"] != "Ended" for event in events), events[-1]


@pytest.mark.tc("TC_L_18")
def test_missing_certificate_and_signature(rig: Rig) -> None:
    update = Update(rig)
    response = update.ask(signed=False)
    assert response["status"] in ("Rejected", "InvalidCertificate"), response
    rig.expect_none("FirmwareStatusNotification")
