"""The main job as a newcomer does it: ``make run``, log in with the password from the terminal, one click, look."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.support.appliance import PROJECT, Appliance
from tests.support.waiting import wait_until

DRIVE = 150_000  # ms: a minute of charging, a car's time before and after it, and a loaded machine


class Newcomer(Appliance):
    """The appliance as ``make run`` starts it, on a data folder and ports of its own."""

    def make_run(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._supervisor = subprocess.Popen(
                ["make", "run"],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_healthy()
        self.wait_bench()

    def end(self) -> None:
        """Ctrl-C at the terminal."""
        assert self._supervisor is not None
        with suppress(ProcessLookupError):
            os.killpg(self._supervisor.pid, signal.SIGINT)
        self._supervisor.wait(15)


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    with Newcomer(tmp_path) as station:
        station.make_run()
        yield station
        station.end()


@pytest.fixture
def page(newcomer: Newcomer) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(base_url=f"http://127.0.0.1:{newcomer.web}", viewport={"width": 1440, "height": 900})
        yield page
        browser.close()


def _printed(log: str, pattern: str) -> str:
    found = re.search(pattern, log)
    assert found is not None, f"nothing like {pattern} in:\n{log}"
    return found[1]


def _records(newcomer: Newcomer) -> list[dict[str, object]]:
    """What the demonstration CSMS says of itself, on the port that it told the terminal."""
    port = _printed(newcomer.log_path.read_text(), r"listens at ws://127\.0\.0\.1:(\d+)")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/transactions", timeout=5) as answer:
        found: list[dict[str, object]] = json.load(answer)
    return found


def test_a_demo_drive_is_one_click_and_both_records_agree(newcomer: Newcomer, page: Page) -> None:
    password = _printed(newcomer.log_path.read_text(), r"Password\s+(\S+)")
    page.goto("/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")

    first, second = page.locator("#evse-1-state"), page.locator("#evse-2-state")
    expect(first).to_contain_text("Free")
    expect(second).to_contain_text("Free")
    page.get_by_role("button", name="Demo drive").first.click()

    expect(first).to_contain_text("Charging", timeout=60_000)
    power = page.locator("#evse-1-figures .power-value")
    expect(power).to_have_text(re.compile(r"^[67]\.\d\d$"), timeout=30_000)
    curve = page.locator("#evse-1-curve path.line")
    early = curve.get_attribute("d") or ""
    energy = page.locator("#evse-1-figures .facts dd").first
    early_energy = energy.inner_text()
    page.wait_for_timeout(3_000)
    assert len(curve.get_attribute("d") or "") > len(early), "the curve does not grow"
    assert energy.inner_text() != early_energy, "the energy does not grow"
    if pictures := os.environ.get("TEST_PICTURES"):
        page.wait_for_timeout(20_000)
        page.screenshot(path=Path(pictures) / "dashboard.png")
    expect(first).to_contain_text("Free", timeout=DRIVE)

    [session] = wait_until(lambda: newcomer.sessions(), "a session in the history")
    [record] = wait_until(lambda: [one for one in _records(newcomer) if one["complete"]], "complete at the CSMS")
    assert record["transactionId"] == session["transaction_id"]
    assert record["idToken"] == session["id_token"]
    assert record["stoppedReason"] == session["stopped_reason"] == "Local"
    assert float(str(record["energy"])) == pytest.approx(session["energy"] / 1000, abs=0.001)
    assert 80 < session["energy"] / 1000 < 140, "a minute at 7 kW"

    page.goto("/sessions/")
    page.locator(f"main a[href*='{session['transaction_id']}']").first.click()
    expect(page.locator("main")).to_contain_text(f"{session['energy'] / 1e6:.3f}")
    expect(page.locator("main")).to_contain_text("E6F7")
    assert page.locator("main svg path.line").first.get_attribute("d")
