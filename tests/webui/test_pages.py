"""What holds for every page: the door, the policy, errors in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from station.store.models import Command, Transaction
from tests.webui.looking import look
from tests.webui.making import charging, free, station
from webui import urls
from webui.dashboard import latest

PROTECTED = [
    "/",
    "/device-model/",
    "/device-model/TxCtrlr.TxStartPoint/",
    "/conformance/",
    "/conformance/report.json",
    "/keypad/",
    "/logs/",
    "/logs/security.gz",
    "/certificates/",
    "/certificates/request.csr",
    "/firmware/",
    "/network/",
    "/network/1/",
    "/logs/security/",
    "/sessions/",
    "/sessions/nothing/",
    "/commands/1/",
    "/bench/",
    "/bench/state/",
]


@pytest.mark.django_db
@pytest.mark.parametrize("address", PROTECTED)
def test_without_login_every_page_leads_to_the_login(address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/login/?next={address}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "/evse/1/start/",
        "/master-pass/",
        "/keypad/enter/",
        "/device-model/TxCtrlr.TxStartPoint/set/",
        "/certificates/root/",
        "/certificates/own/",
        "/certificates/renew/",
        "/certificates/x/delete/",
        "/network/1/",
        "/network/1/check/",
        "/network/check/",
        "/network/1/remove/",
        "/network/order/",
        "/network/credentials/",
        "/network/take-back/",
        "/bench/evse/1/plug/",
        "/bench/door/",
        "/logs/security/clear/",
    ],
)
def test_without_login_nothing_can_be_asked(address: str) -> None:
    assert Client().post(address).status_code == 302
    assert not Command.objects.exists()


@pytest.mark.django_db
def test_htmx_without_login_sends_the_whole_page_to_the_login() -> None:
    answer = Client().get(
        "/commands/1/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/sessions/?evse=1"}
    )
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/login/?next=/sessions/"


@pytest.mark.django_db
def test_htmx_from_elsewhere_is_not_sent_back_there() -> None:
    answer = Client().get("/commands/1/", headers={"HX-Request": "true", "HX-Current-URL": "https://evil.example/x"})
    assert answer.headers["HX-Redirect"] == "/login/?next=/"


def test_login_and_logout(person: User) -> None:
    client = Client()
    page = look(client.get("/login/?next=/sessions/").content)
    assert "Please log in to see this page." in page.words
    answer = client.post("/login/", {"username": "olga", "password": "wrong", "next": "/sessions/"})
    assert "do not belong together" in look(answer.content).words
    answer = client.post("/login/", {"username": "olga", "password": "a long enough word", "next": "/sessions/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sessions/")
    assert client.get("/logout/").status_code == 405
    answer = client.post("/logout/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/")
    assert client.get("/").status_code == 302


def test_login_does_not_lead_to_another_host(person: User) -> None:
    answer = Client().post(
        "/login/", {"username": "olga", "password": "a long enough word", "next": "https://evil.example/"}
    )
    assert answer.headers["Location"] == "/"


@pytest.mark.django_db
def test_hostile_user_name_is_only_text() -> None:
    answer = Client().post("/login/", {"username": '"><script>alert(1)</script>', "password": "x"})
    assert answer.status_code == 200
    look(answer.content)


def test_every_page_keeps_to_the_policy(browser: Client, make_session: Callable[..., Transaction]) -> None:
    ended, running = make_session(), make_session(active=True, ended_at=None, meter_stop=None, stopped_reason="")
    for address in ["/", "/logs/", "/sessions/", f"/sessions/{ended.pk}/", f"/sessions/{running.pk}/"]:
        answer = browser.get(address)
        assert answer.status_code == 200
        look(answer.content)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_dashboard_before_the_station_was_heard(browser: Client) -> None:
    page = look(browser.get("/").content)
    assert "Waiting for the station" in page.words
    assert {"evses", "station-status", "station-clock", "live-notice", "line-lost"} <= set(page.ids)


def test_dashboard_shows_at_once_what_was_heard_lately(browser: Client) -> None:
    latest.remember(station(charging(1), free(2)))
    page = look(browser.get("/").content)
    assert "7.31 kW" in page.words
    assert "3.011 kWh" in page.words
    assert "Card •• E6F7" in page.words
    assert "04A2B3C4D5E6F7" not in page.words
    assert {"evse-1-figures", "evse-1-outcome", "evse-2-state"} <= set(page.ids)
    assert 'data-mark="1,2"' in browser.get("/").content.decode()


def test_no_bench_where_the_board_is_real(browser: Client) -> None:
    assert reverse("bench") not in look(browser.get("/").content).links
    assert browser.get("/bench/").status_code == 404
    assert browser.post("/bench/evse/1/plug/").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/nowhere/",
        "/sessions/no-such-session/",
        "/sessions/%00/",
        "/sessions/%3Cscript%3E/",
        "/commands/7/",
        f"/commands/{10**30}/",
    ],
)
def test_what_is_not_there_is_a_page_of_its_own(browser: Client, address: str) -> None:
    answer = browser.get(address)
    assert answer.status_code == 404
    page = look(answer.content)
    assert "There is nothing here" in page.words
    assert "/" in page.links


def test_for_htmx_an_error_is_only_a_sentence(browser: Client) -> None:
    answer = browser.get("/commands/7/", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert b"<html" not in answer.content
    assert "There is nothing here" in look(answer.content).words


def test_old_page_is_told_so(person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    answer = client.post("/evse/1/start/", headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert "This page has grown old" in look(answer.content).words
    assert not Command.objects.exists()


def test_mistake_of_ours_is_a_page_without_a_traceback(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("webui.sessions.views.page", fails)
    browser.raise_request_exception = False
    answer = browser.get("/sessions/")
    assert answer.status_code == 500
    page = look(answer.content)
    assert "The station made a mistake" in page.words
    assert "secret" not in page.words


@pytest.mark.parametrize(("method", "address"), [("post", "/"), ("post", "/sessions/"), ("get", "/evse/1/start/")])
def test_wrong_method(browser: Client, method: str, address: str) -> None:
    assert getattr(browser, method)(address).status_code == 405


def test_views_that_are_loaded_late_are_there_and_of_the_right_kind() -> None:
    found = {
        name: lazy
        for lazy, names in re.findall(r'(lazily(?:_async)?)\("([\w.]+)"\)', (Path(urls.__file__)).read_text())
        for name in [names]
    }
    assert len(found) > 10
    for name, lazy in found.items():
        room, _, view = name.rpartition(".")
        loaded = getattr(import_module(f"webui.{room}.views"), view)
        assert iscoroutinefunction(loaded) == (lazy == "lazily_async"), name
