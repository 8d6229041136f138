"""The owner's settings: what is typed is kept or named, and two people do not undo each other's work."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from station.store.models import Command, Variable
from tests.webui.looking import look
from webui.owner import here
from webui.owner.models import Settings

ENGLISH = {"Accept-Language": "en"}  # the station itself speaks German here
STATION = {"form": "station", "serial": "0", "name": "Garage", "place": "Hof 3", "language": "de", "currency": "CHF"}
LETTERHEAD = {
    "form": "letterhead",
    "serial": "0",
    "letterhead_name": "Olga AG",
    "letterhead_address": "Weg 1\r\n8000 Zürich\r\n",
    "vat_id": "CHE-123.456.789",
    "vat_rate": "8.1",
}


@pytest.mark.parametrize("path", ["/settings/", "/settings/tariff/"])
def test_strangers_are_sent_to_the_login(db: None, path: str) -> None:
    assert Client().get(path).status_code == 302
    assert Client().post(path, STATION).status_code == 302
    assert not Settings.objects.exists()


def test_the_page_of_a_new_station(browser: Client) -> None:
    page = look(browser.get("/settings/").content)
    assert "No prices are set" in page.words
    assert not Settings.objects.exists(), "looking writes nothing"


@pytest.mark.parametrize(("path", "most"), [("/settings/", 70_000), ("/settings/tariff/", 30_000)])
def test_weight(browser: Client, path: str, most: int) -> None:
    """With all that comes along (75 kB) it stays below 150 kB."""
    assert len(browser.get(path).content) < most


def test_what_is_set_is_kept_and_shown(browser: Client) -> None:
    assert browser.post("/settings/", STATION)["Location"] == "/settings/?saved=station"
    assert browser.post("/settings/", {**LETTERHEAD, "serial": "1"}).status_code == 302
    kept = Settings.objects.get()
    assert (kept.name, kept.place, kept.language, kept.currency) == ("Garage", "Hof 3", "de", "CHF")
    assert kept.letterhead_address == "Weg 1\n8000 Zürich"
    assert str(kept.vat_rate) == "8.10"
    assert here.settings().name == "Garage", "known at once"
    page = look(browser.get("/settings/?saved=letterhead", headers=ENGLISH).content)
    assert page.words.count("Saved.") == 1


@pytest.mark.parametrize(
    ("form", "changes", "said"),
    [
        (STATION, {"name": "x" * 61}, "at most 60 characters"),
        (STATION, {"name": "a\x00b"}, "Null characters"),
        (STATION, {"place": "a\u202eb"}, "cannot be printed"),
        (STATION, {"language": "tlh"}, "Select a valid choice"),
        (STATION, {"currency": "XXX"}, "Select a valid choice"),
        (STATION, {"currency": ""}, "This field is required"),
        (LETTERHEAD, {"letterhead_address": "\n".join("1234567")}, "6 lines at most"),
        (LETTERHEAD, {"letterhead_address": "y" * 61}, "longer than 60"),
        (LETTERHEAD, {"letterhead_name": "a\x1b[31m"}, "cannot be printed"),
        (LETTERHEAD, {"vat_id": "<script>"}, "such as DE123456789"),
        (LETTERHEAD, {"vat_id": ""}, "needs the VAT number"),
        (LETTERHEAD, {"vat_rate": "101"}, "less than or equal to 100"),
        (LETTERHEAD, {"vat_rate": "-1"}, "greater than or equal to 0"),
        (LETTERHEAD, {"vat_rate": "NaN"}, "Enter a number"),
        (LETTERHEAD, {"vat_rate": "1.234"}, "no more than 2 decimal"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_typed_is_lost(
    browser: Client, form: dict[str, str], changes: dict[str, str], said: str
) -> None:
    answer = browser.post("/settings/", {**form, **changes})
    assert answer.status_code == 422
    page = look(answer.content)
    assert said in page.words
    assert not Settings.objects.exclude(serial=0).exists()
    for name, value in {**form, **changes}.items():
        if name in ("name", "letterhead_name") and value.isprintable():
            assert value in answer.content.decode()


def test_html_is_only_text(browser: Client) -> None:
    bad = '"><script>alert(1)</script>'
    browser.post("/settings/", {**STATION, "name": bad})
    look(browser.get("/settings/").content)


@pytest.mark.parametrize("data", [{}, {"form": "admin"}, {"form": "zone"}])
def test_a_form_that_is_not_there(browser: Client, data: dict[str, str]) -> None:
    assert browser.post("/settings/", data).status_code == 404


def test_who_was_slower_is_told_and_may_insist(browser: Client) -> None:
    browser.post("/settings/", STATION)
    answer = browser.post("/settings/", {**STATION, "name": "Carport"}, headers=ENGLISH)
    assert answer.status_code == 422
    assert "changed meanwhile" in look(answer.content).words
    assert 'value="Carport"' in answer.content.decode()
    assert Settings.objects.get().name == "Garage"
    assert 'name="serial" value="1"' in answer.content.decode()
    assert browser.post("/settings/", {**STATION, "serial": "1", "name": "Carport"}).status_code == 302
    assert Settings.objects.get().name == "Carport"


def test_the_time_zone_is_the_stations_own(browser: Client, person: User) -> None:
    assert browser.post("/settings/time-zone/", {"time_zone": "Europe/Zurich"}).status_code == 302
    command = Command.objects.get()
    assert (command.action, command.who) == ("set_variable", "olga")
    assert command.arguments["component"] == "ClockCtrlr"
    assert command.arguments["variable"] == "TimeZone"
    assert command.arguments["value"] == "Europe/Zurich"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "Europe/Zurich\x00", "Etc/GMT+3"])
def test_a_time_zone_that_is_none(browser: Client, name: str) -> None:
    answer = browser.post("/settings/time-zone/", {"time_zone": name})
    assert answer.status_code == 422
    assert "Select a valid choice" in look(answer.content).words
    assert not Command.objects.exists()


def test_a_time_zone_of_the_operators_choice_stays_in_the_list(browser: Client) -> None:
    Variable.objects.create(component="ClockCtrlr", variable="TimeZone", value="Etc/GMT+3")
    assert '<option value="Etc/GMT+3" selected>' in browser.get("/settings/").content.decode()
    assert browser.post("/settings/time-zone/", {"time_zone": "Etc/GMT+3"}).status_code == 302


@pytest.mark.parametrize("value", ["", "Nowhere/At_All", "Europe", "../x", "\x00"])
def test_a_zone_that_nobody_knows_is_utc(db: None, value: str) -> None:
    Variable.objects.create(component="ClockCtrlr", variable="TimeZone", value=value)
    assert str(here.zone()) == "UTC"


def test_what_is_known_is_looked_up_once_in_a_while(db: None, django_assert_num_queries: Any) -> None:
    here.settings()
    with django_assert_num_queries(0):
        here.settings()
    here.forget()
    with django_assert_num_queries(1):
        here.settings()
