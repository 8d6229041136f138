"""Pages tell the time as it is at the station, in views of both kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone

from station.store.models import Transaction, Variable
from tests.webui.looking import look
from webui.owner import here
from webui.owner.local_time import local_time
from webui.owner.models import Settings


def test_a_session_is_listed_at_the_stations_time(browser: Client, make_session: Callable[..., Transaction]) -> None:
    make_session()
    assert "12:00" in look(browser.get("/sessions/").content).words
    Variable.objects.create(component="ClockCtrlr", variable="TimeZone", value="Asia/Kathmandu")
    here.forget()
    assert "17:45" in look(browser.get("/sessions/").content).words


def test_an_async_view_has_it_too_and_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here.zone, "_look_up", lambda: here.zone_named("Asia/Tokyo"))
    monkeypatch.setattr(here.settings, "_look_up", Settings)
    before = timezone.get_current_timezone_name()

    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(timezone.get_current_timezone_name())

    answer: Any = asyncio.run(local_time(view)(HttpRequest()))
    assert answer.content == b"Asia/Tokyo"
    assert timezone.get_current_timezone_name() == before


@pytest.mark.parametrize(("accepted", "spoken"), [("", "de"), ("nb,tlh;q=0.5", "de"), ("en-GB", "en"), ("fr", "fr")])
def test_the_stations_language_is_for_whom_no_other_is_known(browser: Client, accepted: str, spoken: str) -> None:
    Settings.objects.create(pk=Settings.THE_ONE, language="de")
    page = browser.get("/settings/", headers={"accept-language": accepted} if accepted else {})
    assert page.headers["Content-Language"] == spoken
    assert f'<html lang="{spoken}">' in page.content.decode()


def test_a_database_that_is_away_ends_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise OSError("away")

    monkeypatch.setattr(here.zone, "_look_up", fail)
    answer = local_time(lambda request: HttpResponse(timezone.get_current_timezone_name()))(HttpRequest())
    assert answer.content == b"UTC"
