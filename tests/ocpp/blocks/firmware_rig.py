"""A station in memory whose firmware can be updated, and a manufacturer of such firmware."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.effects import SaveCertificate
from station.domain.moment import rfc3339
from station.ocpp.blocks.l_firmware_management.record import HISTORY
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
