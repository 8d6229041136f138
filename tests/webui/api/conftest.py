"""A token, a station that answers, and an uplink that does what it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from station.live import bus
from station.live.payloads import StationLive
from station.store.models import Command
from tests.webui.making import free, station
from webui.accounts import tokens
from webui.api import live, pace
from webui.commands import filing


class Api:
    """A client with a token; every answer is checked for what holds for all of them."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.client = Client()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            named.setdefault("Authorization", f"Bearer {self.token}")
        data = body if isinstance(body, bytes | str) else b"" if body is None else json.dumps(body)
        answer = self.client.generic(method, f"/api/v1/{path}", data, "application/json", headers=named)
        assert answer["Cache-Control"] == "no-store"
        if answer.status_code >= 400 and path != "health":
            assert answer["Content-Type"] == "application/problem+json", answer.content
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert problem["title"]
        return answer

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)


class Uplink:
    """Answers questions and commands; ``live`` None: it is away."""

    def __init__(self) -> None:
        self.live: StationLive | None = station(free(1), free(2))
        self.outcome: tuple[str, str] | None = ("Accepted", "Done.")
        self.heard: list[dict[str, Any]] = []

    async def ask(self, message: dict[str, Any] | None) -> StationLive | None:
        if message is not None:
            self.heard.append(message)
            if message["type"] == bus.LIMIT_WANTED and self.live is not None:
                wanted = message["limit"]
                self.live = station(
                    *(
                        replace(evse, limit=wanted["current"], limit_timed=wanted["current"])
                        if evse.evse_id == wanted["evse_id"]
                        else evse
                        for evse in self.live.evses
                    )
                )
        return self.live

    async def nudge(self, command: Command) -> bool:
        if self.outcome is not None:
            status, message = self.outcome
            changes = {"status": status, "message": message, "finished_at": timezone.now()}
            await Command.objects.filter(pk=command.pk).aupdate(**changes)
        return True


@pytest.fixture(autouse=True)
def _at_any_pace() -> Iterator[None]:
    yield
    for one in (pace.READING, pace.DOING, pace.STRANGERS):
        one.forget()


@pytest.fixture
def uplink(monkeypatch: pytest.MonkeyPatch) -> Uplink:
    played = Uplink()
    monkeypatch.setattr(live, "_ask", played.ask)
    monkeypatch.setattr(filing, "nudge", played.nudge)
    return played


@pytest.fixture
def make_api(person: User) -> Callable[..., Api]:
    """An API client with a token of those scopes, of ``person`` unless somebody else is named."""

    def make(*scopes: str, of: User | None = None) -> Api:
        return Api(tokens.make(of or person, "house", scopes, None)[1])

    return make


@pytest.fixture
def api(make_api: Callable[..., Api], uplink: Uplink) -> Api:
    """With a token that may read and control."""
    return make_api("read", "control")
