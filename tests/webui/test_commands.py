"""Start, stop, unlock: filed, nudged, followed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from station.live import bus
from station.store.models import Command
from tests.webui.looking import look
from tests.webui.making import free, station
from webui.commands import filing
from webui.dashboard import latest

HTMX = {"HX-Request": "true"}


def ask(browser: Client, action: str = "start", evse_id: int = 1) -> Any:
    return browser.post(f"/evse/{evse_id}/{action}/", headers=HTMX)


def follow(browser: Client, command: Command) -> Any:
    answer = browser.get(f"/commands/{command.pk}/", headers=HTMX)
    assert answer.status_code == 200
    return answer


@pytest.mark.parametrize("action", ["start", "stop", "unlock"])
def test_command_is_filed_and_the_uplink_nudged(browser: Client, person: User, layer: Any, action: str) -> None:
    answer = ask(browser, action, 2)
    assert answer.status_code == 200
    command = Command.objects.get()
    assert (command.action, command.arguments, command.status) == (action, {"evse_id": 2}, "Filed")
    assert (command.user, command.who) == (person, "olga")
    nudge = async_to_sync(layer.receive)(bus.UPLINK)
    assert nudge == {"type": bus.COMMAND_FILED, "command_id": command.pk}
    assert "Sent to the station" in look(answer.content).words
    assert f"/commands/{command.pk}/" in answer.content.decode()


def test_second_click_is_the_same_command(browser: Client) -> None:
    ask(browser)
    ask(browser)
    assert Command.objects.count() == 1
    ask(browser, evse_id=2)
    assert Command.objects.count() == 2
    Command.objects.update(status="Rejected")
    ask(browser)
    assert Command.objects.count() == 3


def test_old_open_command_is_not_taken_for_the_same(browser: Client) -> None:
    ask(browser)
    Command.objects.update(filed_at=timezone.now() - timedelta(seconds=20))
    ask(browser)
    assert Command.objects.count() == 2


def test_without_htmx_the_dashboard_follows(browser: Client) -> None:
    answer = browser.post("/evse/1/start/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@pytest.mark.parametrize(
    "address", ["/evse/0/start/", "/evse/1000/start/", f"/evse/{10**20}/start/", "/evse/1/explode/"]
)
def test_unknown_evse_or_action(browser: Client, address: str) -> None:
    assert browser.post(address, headers=HTMX).status_code == 404
    assert not Command.objects.exists()


def test_evse_that_the_station_is_known_not_to_have(browser: Client) -> None:
    latest.remember(station(free(1), free(2)))
    assert ask(browser, evse_id=3).status_code == 404
    assert ask(browser, evse_id=2).status_code == 200


@pytest.mark.parametrize("failure", [ConnectionError("away"), TimeoutError(), RuntimeError("loop")])
def test_uplink_that_cannot_be_told_is_said_and_the_row_stays(
    browser: Client, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    class Away:
        async def send(self, *_: Any) -> None:
            raise failure

    monkeypatch.setattr(filing, "get_channel_layer", Away)
    answer = ask(browser)
    assert answer.status_code == 200
    assert "carried out if the station is back by then" in look(answer.content).words
    assert Command.objects.get().status == "Filed"


def test_layer_that_hangs_does_not_hang_the_page(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging:
        async def send(self, *_: Any) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(filing, "get_channel_layer", Hanging)
    monkeypatch.setattr(filing, "NUDGE_TIMEOUT", 0.05)
    assert "carried out if the station is back" in look(ask(browser).content).words


def filed(person: User, seconds: float = 0, **changes: Any) -> Command:
    command = Command.objects.create(user=person, who="olga", action="start", arguments={"evse_id": 1}, **changes)
    Command.objects.filter(pk=command.pk).update(filed_at=timezone.now() - timedelta(seconds=seconds))
    return command


@pytest.mark.parametrize(
    ("seconds", "said", "polls"),
    [
        (0, "Sent to the station", True),
        (-3600, "Sent to the station", True),  # the clock was set back
        (16, "This is kept for a minute", True),
        (80, "has not been carried out", False),
    ],
)
def test_waiting_ends_truthfully(browser: Client, person: User, seconds: float, said: str, polls: bool) -> None:
    answer = follow(browser, filed(person, seconds))
    assert said in look(answer.content).words
    assert ("hx-trigger" in answer.content.decode()) is polls


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        ("Accepted", "Authorized.", "Charging is allowed."),
        ("Rejected", "occupied", "Somebody is charging here already."),
        ("Rejected", "<b>no</b>", "<b>no</b>"),
        ("Rejected", "", "The station refused."),
    ],
)
def test_outcome_in_words_ends_the_polling(browser: Client, person: User, status: str, message: str, said: str) -> None:
    answer = follow(browser, filed(person, 90, status=status, message=message))
    assert said in look(answer.content).words
    assert "hx-trigger" not in answer.content.decode()
