"""A door in memory, hands that log in, and a clock for the codes."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from station.store.models import Command
from tests.webui.looking import Looking, look
from webui.access import origin, rules
from webui.access.netlink import Link, Route
from webui.access.origin import Place
from webui.accounts import second_step
from webui.accounts.roles import Role

PASSWORD = "a long enough word"
SITE, FAR = "192.168.1.20", "198.51.100.7"
SITES = ipaddress.ip_network("192.168.0.0/16")


@pytest.fixture(autouse=True)
def _from_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may come from everywhere; neighbours are those of private addresses."""
    wire = origin.Kernel(lambda index: Link(index, "eth0"), lambda peer: Route(2, direct=peer in SITES))
    monkeypatch.setattr(origin, "kernel", wire)
    everywhere = dict.fromkeys(Role, frozenset(Place))
    monkeypatch.setattr(rules, "_known", rules.Rules(everywhere))


class Hands:
    """Somebody before a browser of their own."""

    def __init__(self, address: str = SITE) -> None:
        self.client = Client(REMOTE_ADDR=address)
        self.answer: Any = None

    def log_in(self, password: str = PASSWORD, name: str = "olga", **more: str) -> Hands:
        self.answer = self.client.post("/login/", {"username": name, "password": password, **more}, follow=True)
        return self

    def post(self, address: str, **typed: Any) -> Hands:
        self.answer = self.client.post(address, typed, follow=True)
        return self

    def get(self, address: str) -> Hands:
        self.answer = self.client.get(address, follow=True)
        return self

    @property
    def page(self) -> Looking:
        return look(self.answer.content)

    @property
    def words(self) -> str:
        return self.page.words

    @property
    def at(self) -> str:
        """The path that it ended at."""
        return str(self.answer.request["PATH_INFO"])

    @property
    def inside(self) -> bool:
        return "_auth_user_id" in self.client.session


@pytest.fixture
def hands() -> Callable[..., Hands]:
    return Hands


@pytest.fixture
def anna(db: None) -> User:
    """An administrator."""
    return User.objects.create_superuser("anna", password=PASSWORD)


class Clock:
    """The time of the codes; it goes on by hand only."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(second_step, "clock", clock)
    return clock


def code_of(secret: str, now: float) -> str:
    """What an app shows then (RFC 6238, computed here by its own words)."""
    import base64
    import hashlib
    import hmac
    import struct

    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(now) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def set_up(user: User, clock: Clock) -> tuple[str, list[str]]:
    """Give ``user`` a second step; its secret and the recovery codes."""
    secret = second_step.new_secret()
    codes = second_step.set_up(user, secret, code_of(secret, clock.now))
    assert codes is not None
    clock.now += 30
    return secret, codes


def logins() -> list[dict[str, Any]]:
    """What the station was told of logins."""
    return list(Command.objects.filter(action="login").order_by("id").values_list("arguments", flat=True))
