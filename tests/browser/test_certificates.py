"""The certificates' page in a browser: chains on every screen, an upload, a request that arrives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from station.domain.certificates import CertificateUse, StoredCertificate
from station.domain.pki import certificate_id
from tests.browser.conftest import Opener, Web
from tests.uplink.authority import Authority
from tests.webui.test_certificates import CSR, ROOT, chain

pytestmark = pytest.mark.browser
FILED = "SELECT action, arguments FROM station_command ORDER BY id DESC LIMIT 1"


def put(web: Web, record: StoredCertificate) -> None:
    web.rows(
        "INSERT INTO station_certificate (certificate_id, use, chain, installed, key) VALUES (?, ?, ?, ?, ?)",
        record.certificate_id,
        str(record.use),
        json.dumps(record.chain),
        "2025-06-01 12:00:00",
        record.key,
    )


@pytest.fixture
def installed(web: Web) -> Iterator[None]:
    pems = chain(12)
    use = CertificateUse.CHARGING_STATION
    put(web, StoredCertificate(certificate_id(use, pems[0]), use, pems, ROOT.installed().installed, "station.pem"))
    put(web, ROOT.installed())
    put(web, Authority("Maker").installed(CertificateUse.MANUFACTURER_ROOT))
    web.rows("INSERT INTO station_remembered VALUES ('certificate_request', ?)", json.dumps({"csr": CSR}))
    yield
    for table in ("certificate", "command", "remembered"):
        web.rows(f"DELETE FROM station_{table}")  # noqa: S608 - names from above


def test_certificates_are_well_on_every_screen(opened: Opener, installed: None) -> None:
    watched = opened("/certificates/")
    expect(watched.page.get_by_text("11 days left")).to_be_visible()
    watched.page.get_by_text("Details").first.click()
    expect(watched.page.get_by_text("cs001.example")).to_be_visible()
    watched.page.locator("summary", has_text="Delete").first.click()
    watched.assert_well_everywhere("certificates")


def test_a_root_is_uploaded(opened: Opener, installed: None, web: Web, tmp_path: Path) -> None:
    page = opened("/certificates/", width=360).page
    file = Authority("Other Root").write_root(tmp_path / "root.pem")
    section = page.locator("section", has_text="Install a root certificate")
    section.get_by_label("File").set_input_files(file)
    section.get_by_role("button", name="Install").click()
    page.wait_for_url("**/certificates/?asked=*")
    action, arguments = web.rows(FILED)[0]
    assert action == "install_certificate"
    assert json.loads(arguments) == {"use": "CSMSRootCertificate", "certificate": file.read_text()}
    web.rows("UPDATE station_command SET status = 'Rejected', message = 'It stays: it is the last one.'")
    expect(page.get_by_text("It stays: it is the last one.")).to_be_visible()


def test_a_request_arrives_and_the_wrong_answer_is_refused(opened: Opener, installed: None, tmp_path: Path) -> None:
    page = opened("/certificates/").page
    with page.expect_download() as arriving:
        page.get_by_role("link", name="Fetch the request").click()
    arriving.value.save_as(tmp_path / "station.csr")
    assert (tmp_path / "station.csr").read_text() == CSR
    section = page.locator("section", has_text="The station's own certificate")
    section.get_by_label("Or pasted as text").fill("-----BEGIN PRIVATE KEY-----")
    section.get_by_role("button", name="Upload the signed certificate").click()
    expect(page.get_by_text("This holds a private key.")).to_be_visible()
