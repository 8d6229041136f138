"""From an empty data folder to the signed protocol, as an installer does it in the browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from pypdf import PdfReader

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.support.appliance import PASSWORD, Appliance
from tests.support.csms import ScriptedCsms

SOON = 20_000  # ms
SITE = "North car park"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Appliance]:
    """Nobody has set it up: it shows itself with a CSMS of its own."""
    with Appliance(tmp_path, STATION_EVSES="1") as appliance:
        appliance.start()
        yield appliance
        appliance.stop()


@pytest.fixture
def operator() -> Iterator[ScriptedCsms]:
    with ScriptedCsms(password=PASSWORD) as csms:
        yield csms


@pytest.fixture
def page(fresh: Appliance) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(base_url=f"http://127.0.0.1:{fresh.web}", viewport={"width": 1440, "height": 900})
        page.set_default_timeout(SOON)
        yield page
        browser.close()


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def go_on(page: Page) -> None:
    page.get_by_role("link", name=re.compile("^Continue")).click()


def test_the_wizard_from_nothing_to_the_signed_protocol(
    fresh: Appliance, operator: ScriptedCsms, page: Page, tmp_path: Path
) -> None:
    printed = re.search(r"Password\s+(\S+)", fresh.log_path.read_text())
    assert printed is not None
    page.goto("/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", printed[1])
    page.click("button[type=submit]")

    expect(page.get_by_text("This station is not set up yet.")).to_be_visible()
    page.get_by_role("link", name="Start commissioning").click()
    button(page, "Start commissioning")

    page.get_by_label("Name of the place").fill(SITE)
    page.get_by_label("Time zone").fill("Europe/Oslo")
    page.get_by_label("Serial number of the station").fill("WS-0001")
    button(page, "Save")
    go_on(page)

    page.get_by_label("Fuse of each phase, in A").fill("16")
    button(page, "Check and save")
    expect(page.get_by_text("A fuse of 16 A is too small")).to_be_visible()
    page.get_by_label("Largest current, in A").fill("40")
    button(page, "Check and save")
    expect(page.get_by_text("40 A are too much; cable and board carry 32 A.")).to_be_visible()
    page.get_by_label("Largest current, in A").fill("16")
    button(page, "Check and save")
    go_on(page)

    button(page, "Run the self-test")
    expect(page.get_by_text("passed", exact=True)).to_be_visible(timeout=SOON)
    button(page, "Keep these results")

    button(page, "This is right")

    page.get_by_label("Address of the operator's system").fill(operator.url)
    page.get_by_label("Security profile").select_option("1")
    page.get_by_label("Identity").fill(fresh.identity)
    page.get_by_label("New password").fill(PASSWORD)
    button(page, "Save and connect")
    button(page, "Keep this connection")

    button(page, "That is all of them")

    button(page, "Begin")
    expect(page.get_by_text("waiting", exact=True)).to_be_visible()
    fresh.plug(max_current=32)
    fresh.card()
    state = fresh.wait_evse(1, "energy flows", power=lambda watt: watt > 2000)
    assert state["limit"] == 16.0, "what the fuse allows is what the car is offered"
    expect(page.locator("#charge-ticks .mark.good")).to_have_count(3)
    fresh.card()
    fresh.wait_evse(1, "open", contactor=False)
    fresh.unplug()
    expect(page.get_by_text("complete", exact=True)).to_be_visible()
    button(page, "Keep these results")

    page.get_by_label("Installer's name").fill("Ina Installer")
    page.get_by_label(re.compile("I have set this station up")).check()
    button(page, "Sign")
    expect(page.get_by_text("The record is as it was signed.")).to_be_visible()

    button(page, "Protocol (PDF)")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "protocol.pdf")
    text = " ".join(" ".join(one.extract_text() for one in PdfReader(tmp_path / "protocol.pdf").pages).split())
    for part in (SITE, "WS-0001", "Ina Installer", "Self-test passed ok", "1 × 16 A", "fuse 16 A", operator.url):
        assert part in text, f"{part} in {text}"
    [session] = fresh.sessions()
    assert f"{session['energy'] / 1e6 * 1000:.1f} Wh" in text

    page.goto("/")
    expect(page.locator("#evse-1-state")).to_be_visible()
    expect(page.get_by_text("not set up yet")).to_have_count(0)
