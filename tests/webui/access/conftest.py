"""A machine of the tests' own, clients from everywhere, and a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.webui.access.machines import MACHINE, VPN_NAME
from webui.access import origin, rules, trials, views
from webui.accounts.roles import Role, give

PASSWORD = "a long enough word"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin, "kernel", MACHINE)
    for module in (rules, views):
        monkeypatch.setattr(module, "vpn_name", lambda: VPN_NAME)


class Clock:
    """The monotonic clock of trials."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def later(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(trials, "_clock", made)
    return made


@pytest.fixture
def somebody(db: None) -> Callable[[Role], User]:
    """The one person of each role."""

    def of(role: Role) -> User:
        found = User.objects.filter(username=role.word).first()
        if found is None:
            found = User.objects.create_user(role.word, password=PASSWORD)
            give(found, role)
            found.save()
        return found

    return of


@pytest.fixture
def client_from(somebody: Any) -> Callable[..., Client]:
    """A browser at an address, logged in as somebody of that role or, with None, as nobody."""

    def at(address: str, role: Role | None = Role.ADMINISTRATOR) -> Client:
        client = Client(REMOTE_ADDR=address)
        if role is not None:
            client.force_login(somebody(role))
        return client

    return at
