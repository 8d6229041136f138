"""A firmware that a person brought: the way of L01 without a request of the CSMS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from station.firmware import slots
from tests.ocpp.blocks.firmware_rig import SIGNER, Rig, make
from tests.support.firmware import HandFile
from tests.support.manufacturer import Manufacturer

TRANSFER = "0b6c1f3e-5a30-4c4e-9d4e-0a1b2c3d4e5f"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = make(tmp_path)
    made.hand.files[""] = HandFile(made.content)  # what lies in the spool needs no address
    return made


def ordered(rig: Rig, **changes: Any) -> tuple[str, str]:
    """File the command; its outcome."""
    arguments = {
        "transfer_id": TRANSFER,
        "certificate": SIGNER.pem,
        "signature": SIGNER.sign(rig.content),
        **changes,
    }
    done = rig.operator("install_firmware", 5, **arguments)
    assert done is not None
    return done.status, done.message


def test_it_is_installed_and_proves_itself(rig: Rig) -> None:
    assert ordered(rig)[0] == "Accepted"
    rig.reboot()
    rig.let(3)
    assert rig.sent("FirmwareStatusNotification") == []  # L01.FR.20
    assert rig.sent("BootNotification")[-1]["reason"] == "FirmwareUpdate"
    assert rig.sent("BootNotification")[-1]["chargingStation"]["firmwareVersion"] == "1.0.0"
    assert rig.security()[-1] == "FirmwareUpdated"
    assert slots.load(rig.hand.folder).good == "a"
    assert rig.history() == [(None, "Installed")]


def test_wrong_signature_is_found_by_the_worker(rig: Rig) -> None:
    assert ordered(rig, signature=SIGNER.sign(b"another file"))[0] == "Accepted"
    rig.let(10)
    assert rig.security() == ["StartupOfTheDevice", "InvalidFirmwareSignature"]
    assert rig.history() == [(None, "InvalidSignature")]


@pytest.mark.parametrize(
    ("changes", "said", "event"),
    [
        ({"certificate": "-----BEGIN NONSENSE-----"}, "The signing certificate", "InvalidFirmwareSigningCertificate"),
        ({"certificate": Manufacturer().signer().pem}, "The signing certificate", "InvalidFirmwareSigningCertificate"),
        ({"certificate": ""}, "The signing certificate is missing.", "InvalidFirmwareSigningCertificate"),
        ({"signature": ""}, "The signature is missing.", "InvalidFirmwareSignature"),
        ({"signature": "???"}, "The signature is not Base64.", "InvalidFirmwareSignature"),
        ({"transfer_id": "../../etc"}, "This cannot be read.", ""),
        ({"signature": 5}, "This cannot be read.", ""),
        ({"certificate": "x" * 100_000}, "This cannot be read.", ""),
    ],
)
def test_what_is_refused_changes_nothing(rig: Rig, changes: dict[str, Any], said: str, event: str) -> None:
    status, message = ordered(rig, **changes)
    assert status == "Rejected"
    assert message.startswith(said)
    assert rig.security()[1:] == ([event] if event else [])
    rig.let(5)
    assert rig.history() == []


def test_update_of_the_csms_is_not_pushed_aside(rig: Rig) -> None:
    rig.update()
    assert ordered(rig) == ("Rejected", "Another firmware update is under way.")
    rig.reboot()
    rig.let(3)
    assert rig.told()[-1] == "Installed"


def test_csms_may_push_it_aside(rig: Rig) -> None:
    ordered(rig)
    assert rig.update()["status"] == "AcceptedCanceled"
    rig.reboot()
    rig.let(3)
    assert rig.told()[-1] == "Installed"
    assert rig.history() == [(None, "AcceptedCanceled"), (7, "Installed")]


def test_it_outlives_a_power_cut(rig: Rig) -> None:
    ordered(rig)
    rig.power_cut()
    rig.boot()
    rig.reboot()
    rig.let(3)
    assert rig.history() == [(None, "Installed")]


def test_trigger_in_the_meantime_says_idle(rig: Rig) -> None:
    """L01.FR.20: the only status without a requestId."""
    ordered(rig)
    rig.call("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    rig.let(0.2)
    assert rig.sent("FirmwareStatusNotification")[-1] == {"status": "Idle"}
