"""The firmware's page in a browser: an update on every screen, followed live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from station.firmware import slots
from station.firmware.slots import Failed, Installed, State
from station.live.payloads import FirmwareLive
from tests.browser.conftest import Opener, PlayedUplink, Web
from tests.support.manufacturer import Manufacturer
from tests.webui.test_firmware import ENDED

pytestmark = pytest.mark.browser


@pytest.fixture
def updated(web: Web) -> Iterator[None]:
    data = web.folder / "data"
    slots.save(data, State("a", {"a": Installed("t1", "2.0.0")}, None, Failed("t0", "2.5.0", "it did not start")))
    failed = {**ENDED, "status": "InstallationFailed", "version": "2.5.0", "detail": "it did not start"}
    web.rows("INSERT INTO station_remembered VALUES ('firmware_history', ?)", json.dumps([ENDED, failed]))
    yield
    web.rows("DELETE FROM station_remembered WHERE key = 'firmware_history'")
    (slots.folder(data) / slots.STATE).unlink()


def test_an_update_is_followed(opened: Opener, updated: None, uplink: PlayedUplink) -> None:
    update = FirmwareLive("downloads", "Downloading", 7, "files.example", moved=2_000_000, total=8_000_000)
    uplink.show(firmware_version="2.0.0", firmware=update)
    watched = opened("/firmware/")
    page = watched.page
    expect(page.get_by_text("25 %")).to_be_visible()
    expect(page.get_by_text("was tried and taken back")).to_be_visible()
    watched.assert_well_everywhere("firmware")
    uplink.show(firmware_version="2.0.0", firmware=FirmwareLive("installs", "Installing", 7, "x", version="3.0.0"))
    expect(page.get_by_text("An update is being installed.")).to_be_visible()
    uplink.show(firmware_version="3.0.0")
    expect(page.get_by_text("An update is being installed.")).to_have_count(0)
    expect(page.get_by_text("3.0.0")).to_be_visible()


def test_a_file_is_uploaded_and_handed_over(opened: Opener, web: Web, uplink: PlayedUplink, tmp_path: Path) -> None:
    signer = Manufacturer().signer()
    image, certificate, signature = (tmp_path / name for name in ("image", "signer.pem", "signature"))
    image.write_bytes(b"\x1f\x8b" + bytes(1_500_000))
    certificate.write_text(signer.pem)
    signature.write_text(signer.sign(image.read_bytes()))
    uplink.show()
    watched = opened("/firmware/")
    page = watched.page
    page.get_by_label("Firmware image").set_input_files(certificate)
    expect(page.get_by_text("This is a certificate or a key, and no firmware.")).to_be_visible()
    watched.errors.clear()  # the browser notes the status 400
    page.get_by_label("Firmware image").set_input_files(image)
    expect(page.get_by_text("All of it is here.")).to_be_visible()
    page.get_by_label("Signing certificate (PEM or DER)").set_input_files(certificate)
    page.get_by_label("Signature (file, or Base64 as text)").set_input_files(signature)
    watched.assert_well_everywhere("firmware-upload")
    page.get_by_role("button", name="Check and install").click()
    expect(page.get_by_text("Sent to the station")).to_be_visible()
    ((arguments,),) = web.rows("SELECT arguments FROM station_command WHERE action = 'install_firmware'")
    transfer = json.loads(arguments)["transfer_id"]
    assert (web.folder / "data" / "spool" / transfer / "firmware.img").read_bytes() == image.read_bytes()
    web.rows("DELETE FROM station_command")
