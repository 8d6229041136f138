"""The owner's home: prices are set, a car comes, a card is refused, another charges. The station is the real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from station.uplink.presenter import Presenter
from tests.browser.conftest import PICTURES, Opener, PlayedUplink, Watched, Web
from tests.support.memory_rig import MemoryRig

pytestmark = pytest.mark.browser


@pytest.fixture
def no_prices(web: Web) -> Iterator[None]:
    yield
    for table in ("tariff_cost", "tariff_settled", "tariff_tariff", "owner_settings"):
        web.rows(f"DELETE FROM {table}")  # noqa: S608 - our own names
    web.stop_server()  # it remembers prices for some seconds
    web.start_server()


class Home:
    """A station in memory, whose state the page is shown."""

    def __init__(self, uplink: PlayedUplink) -> None:
        self.rig = MemoryRig().boot()
        self._uplink = uplink
        self._presenter = Presenter("walk", identity="CP-1", csms_url="ws://127.0.0.1")

    def show(self) -> None:
        live = self._presenter.present(self.rig.station, self.rig.now)
        self._uplink.show(*live.evses, at=live.at)

    def says(self, status: str) -> None:
        self.rig.answers["Authorize"] = {"idTokenInfo": {"status": status}}


def picture(watched: Watched, name: str) -> None:
    if PICTURES:
        watched.page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def set_prices(page: Page) -> None:
    page.get_by_role("link", name="Set prices").click()
    page.get_by_label("Price of a kWh").first.fill("0,3O")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".field-error")).to_contain_text("Enter a number.")
    expect(page.get_by_label("Price of a kWh").first).to_have_value("0,3O")
    page.get_by_label("Price of a kWh").first.fill("0.30")
    page.get_by_label("Fee for each session").fill("1")
    page.locator("summary", has_text="Other prices").click()
    row = page.get_by_role("group", name="1")
    row.get_by_label("Days").select_option("every day")
    row.get_by_label("From").fill("22:00")
    row.get_by_label("To").fill("06:00")
    row.get_by_label("Price of a kWh").fill("0.19")
    page.get_by_label("Valid from").fill("2026-01-01")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    expect(page.locator(".prices")).to_contain_text("every day from 22:00 to 06:00: 0.19 € per kWh")


def test_an_owner_s_walk(opened: Opener, uplink: PlayedUplink, no_prices: None) -> None:
    watched = opened("/settings/", width=360)
    page = watched.page
    page.get_by_label("Name", exact=True).fill("Garage")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    set_prices(page)
    [refused] = watched.errors
    assert "422" in refused
    watched.errors.clear()
    watched.assert_well_everywhere("tariff")
    page.goto("/settings/")
    expect(page.locator(".price")).to_have_text("0.30 € per kWh")
    watched.assert_well_everywhere("settings")

    page.set_viewport_size({"width": 360, "height": 740})
    home = Home(uplink)
    home.show()
    page.goto("/")
    card = page.get_by_role("article", name="EVSE 1")
    expect(card).to_contain_text("No car is connected. Plug in to begin.")
    expect(page.locator("#station-status")).to_contain_text("Garage")

    home.rig.plug()
    home.show()
    expect(card).to_contain_text("A car is connected. Hold a card to the reader, or start from here.")
    # On a phone what there is to know and to do is on the first screen, without scrolling.
    for part in (card.locator(".sentence"), card.get_by_role("button", name="Start charging")):
        expect(part).to_be_in_viewport(ratio=1)

    home.says("Expired")
    home.rig.card("04EE")
    home.show()
    expect(card.locator(".chip")).to_have_text("Card refused")
    expect(card.locator(".sentence")).to_have_text(
        "The card has expired. Hold another card to the reader, or ask the operator."
    )
    watched.assert_well()
    picture(watched, "home-refused-360")

    home.says("Accepted")
    home.rig.card()
    home.rig.let(600)
    home.show()
    expect(card.locator(".sentence")).to_contain_text("Energy is flowing into the car.")
    expect(card.locator(".cost")).to_have_text("1.18 €")  # ten minutes at 3.68 kW, and the fee
    watched.assert_well_everywhere("home")

    home.rig.ev(wants_energy=False)
    home.rig.let(10)
    home.show()
    expect(card.locator(".sentence")).to_contain_text("It goes on by itself when the car asks for energy.")
    home.rig.call("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2}})
    home.show()
    other = page.get_by_role("article", name="EVSE 2")
    expect(other.locator(".sentence")).to_contain_text("the operator has taken this EVSE out")
    home.rig.fault(1)
    home.show()
    expect(card.get_by_role("alert")).to_contain_text("Current is leaking to earth.")
    watched.assert_well_everywhere("home-trouble")
