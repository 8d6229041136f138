"""The key pad and the master card's choice: filed, and only where the station offers them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from station.store.models import Command, Variable
from tests.webui.looking import look
from tests.webui.making import charging, free, station
from webui import words
from webui.dashboard import fragments, latest

HTMX = {"HX-Request": "true"}


@pytest.fixture
def keypad(db: None) -> None:
    """A station that takes key codes."""
    Variable.objects.create(component="AuthCtrlr", variable="SupportedIdTokenTypes", value="ISO14443,KeyCode")


def enter(browser: Client, code: str, evse: str = "1") -> Any:
    return browser.post("/keypad/enter/", {"evse": evse, "code": code}, headers=HTMX)


def test_no_key_pad_where_the_station_takes_no_codes(browser: Client) -> None:
    assert browser.get("/keypad/").status_code == 404
    assert enter(browser, "1234").status_code == 404
    assert not Command.objects.exists()
    assert "/keypad/" not in browser.get("/").content.decode()


@pytest.mark.usefixtures("keypad")
def test_the_page_is_linked_and_names_the_evses(browser: Client) -> None:
    assert "/keypad/" in look(browser.get("/").content).links
    latest.remember(station(free(1), free(2), free(3)))
    page = look(browser.get("/keypad/").content)
    assert not page.refused
    assert "EVSE 3" in page.words


@pytest.mark.usefixtures("keypad")
@pytest.mark.parametrize("code", ["1234", "AB-CD 12".replace(" ", ""), "*7#"])
def test_a_code_is_filed_as_a_start(browser: Client, person: User, code: str) -> None:
    assert "Sent to the station" in look(enter(browser, code, "2").content).words
    command = Command.objects.get()
    assert (command.action, command.user) == ("start", person)
    assert command.arguments == {"evse_id": 2, "id_token": code, "type": "KeyCode"}


@pytest.mark.usefixtures("keypad")
@pytest.mark.parametrize(
    ("code", "evse", "status"),
    [("", "1", 422), ("1" * 37, "1", 422), ("<b>", "1", 422), ("1234", "x", 422), ("1234", "7", 404)],
)
def test_what_is_no_code_is_not_filed(browser: Client, code: str, evse: str, status: int) -> None:
    assert enter(browser, code, evse).status_code == status
    assert not Command.objects.exists()


def test_the_same_code_once_more_ends_the_session() -> None:
    assert words.outcome("start", True, "Stopped.") == "Charging ends."
    assert words.outcome("start", True, "Authorized.").startswith("Charging is allowed")


# ------------------------------------------------------------------ the master card


def test_the_choice_is_offered_while_the_station_asks_for_it() -> None:
    busy = station(charging(1), free(2))
    assert "<form" not in fragments.master_fragment(busy)
    asked = station(charging(1), free(2), master_pass=True)
    offered = look(fragments.master_fragment(asked).encode()).words
    assert "End EVSE 1" in offered
    assert "End EVSE 2" not in offered
    assert "End all sessions" in offered


@pytest.mark.parametrize(("fields", "wanted"), [({}, None), ({"evse": ["2", "1", "1"]}, [1, 2])])
def test_the_choice_is_filed(browser: Client, fields: dict[str, Any], wanted: Any) -> None:
    assert browser.post("/master-pass/", fields, headers=HTMX).status_code == 200
    command = Command.objects.get()
    assert (command.action, command.arguments) == ("master_pass", {"evse_ids": wanted})


def test_a_choice_of_nothing_known(browser: Client) -> None:
    assert browser.post("/master-pass/", {"evse": "all"}, headers=HTMX).status_code == 404


# ------------------------------------------------------------------ what the CSMS has to say


def test_the_personal_message_is_only_text() -> None:
    html = fragments.evse_fragments(charging(1, personal_message="<b>Welcome</b>", languages=("xx", "en")), "")
    assert "&lt;b&gt;Welcome&lt;/b&gt;" in html["evse-1-state"]


@pytest.mark.parametrize(
    ("languages", "spoken"), [((), ""), (("tlh",), ""), (("tlh", "en-US"), "en"), (("DE", "en"), "de"), (("",), "")]
)
def test_the_first_language_that_there_is(languages: tuple[str, ...], spoken: str) -> None:
    """C01.FR.08, C01.FR.09, C01.FR.13."""
    assert words.spoken(languages) == spoken
