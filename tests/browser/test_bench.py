"""The bench panel in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener, PlayedBench, bench_evse
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _calm(bench: PlayedBench) -> None:
    bench.asked.clear()
    bench.state["evses"] = {str(number): bench_evse() for number in (1, 2)}


def test_page_is_well(opened: Opener, bench: PlayedBench) -> None:
    bench.state["evses"]["2"] = bench_evse(drive={"step": "charging", "progress": 0.5, "error": None})
    watched = opened("/bench/")
    expect(watched.page.get_by_role("progressbar", name="Demo drive")).to_be_visible()
    watched.assert_well_everywhere("bench")


def test_demo_drive_is_one_click_and_shows_how_it_goes(opened: Opener, bench: PlayedBench) -> None:
    watched = opened("/bench/", width=360)
    page = watched.page
    page.get_by_role("region", name="EVSE 1").get_by_role("button", name="Demo drive").click()
    drive = page.locator("#bench-1-drive")
    expect(drive).to_contain_text("Charging")
    expect(drive.get_by_role("progressbar")).to_have_attribute("value", "40")
    assert ("/evse/1/drive", {"seconds": 60}) in bench.asked
    bench.state["evses"]["1"] = bench_evse(drive={"step": "done", "progress": 1.0, "error": None})
    expect(drive).to_contain_text("The drive is done")
    watched.assert_well()


def test_plug_in_and_what_the_board_shows(opened: Opener, bench: PlayedBench) -> None:
    watched = opened("/bench/")
    first = watched.page.get_by_role("region", name="EVSE 1")
    first.get_by_role("button", name="Plug in a car").click()
    expect(first.get_by_role("button", name="Unplug")).to_be_visible()
    expect(first).to_contain_text("car connected")
    first.get_by_role("switch", name="The car wants energy").click()
    wait_until(lambda: ("/evse/1/ev", {"requests_energy": False}) in bench.asked, "the car was told")
    watched.assert_well()


def test_typing_is_not_disturbed_by_what_happens(opened: Opener, bench: PlayedBench) -> None:
    page = opened("/bench/").page
    page.get_by_label("Card number").fill("04A2")
    bench.state["evses"]["2"] = bench_evse(power=3600.0)
    expect(page.locator("#bench-2-readout")).to_contain_text("3.60 kW")
    expect(page.get_by_label("Card number")).to_have_value("04A2")
    page.get_by_role("button", name="Hold to the reader").click()
    expect(page.locator("#bench-said")).to_contain_text("has 4, 7, 8 or 10 bytes")
    page.get_by_label("Card number").fill("0411223344")
    page.get_by_label("Card number").fill("04112233")
    page.keyboard.press("Enter")
    expect(page.locator("#bench-cards")).to_contain_text("04112233")
    assert ("/rfid", {"uid": "04112233", "type": "ISO14443"}) in bench.asked


def test_refusal_is_said(opened: Opener, bench: PlayedBench) -> None:
    bench.state["evses"]["2"] = bench_evse(state="B1", plugged=True)
    page = opened("/bench/").page
    page.get_by_role("region", name="EVSE 2").get_by_role("button", name="Unplug").click()
    expect(page.locator("#bench-said")).to_contain_text("no EV is plugged in")
