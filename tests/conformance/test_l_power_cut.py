"""Issue 4: power goes at 50 points of a firmware installation, and the station always comes up connected."""

from __future__ import annotations

import pytest

from tests.conformance.rig import Rig
from tests.conformance.test_l_firmware import PATIENCE, Update

CUTS = 50
MEMORY, APPLIANCE = 6.0, 7.0  # s from the request to the confirmation
OVER = ("Installed", "InstallationFailed", "InstallVerificationFailed", "DownloadFailed")


@pytest.mark.timeout(3600)
def test_power_goes_at_fifty_points(rig: Rig) -> None:
    update = Update(rig)
    whole = APPLIANCE if rig.name == "appliance" else MEMORY
    for number in range(1, CUTS + 1):
        version = f"1.{number}.0"
        update.content = rig.image(version)
        update.url = update.server.put(update.content)
        rig.forget()
        update.accepted()
        rig.let(whole * number / CUTS)
        rig.power_cycle()
        boot = rig.expect("BootNotification", within=PATIENCE)
        rig.expect(
            "FirmwareStatusNotification",
            lambda told: told == {"status": "Installed", "requestId": update.request_id},
            within=PATIENCE,
        )
        running = rig.messages()
        versions = [one.payload["chargingStation"]["firmwareVersion"] for one in running if _is_boot(one)]
        assert versions[-1] == version, (number, boot, versions[-3:])
        ends = [one.payload for one in running if one.action == "FirmwareStatusNotification"]
        mine = [one["status"] for one in ends if one.get("requestId") == update.request_id]
        assert [status for status in mine if status in OVER] == ["Installed"], (number, mine)


def _is_boot(message: object) -> bool:
    return getattr(message, "action", "") == "BootNotification"
