"""People, sessions and a channel layer of their own for the tests of the web interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.test import Client

from station.store.models import Transaction
from tests.webui.making import CARD, NOON, TRANSACTION
from webui.access import origin, rules, trials
from webui.access.netlink import Link, Route
from webui.accounts.throttle import throttle
from webui.dashboard import known, latest, shared
from webui.owner import here
from webui.tariff import costs


@pytest.fixture(autouse=True)
def _fresh(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No memory of another test's station, a layer without Redis, a board that is real, and everybody a neighbour."""
    wire = origin.Kernel(lambda index: Link(index, "eth0"), lambda _: Route(2, direct=True))
    monkeypatch.setattr(origin, "kernel", wire)
    latest.forget()
    throttle.forget()
    here.forget()
    costs.book.forget()
    known.forget()
    shared.forget()
    monkeypatch.setattr(rules, "_known", rules.Rules())  # read already, as in a server that runs
    monkeypatch.setattr(trials, "_running", {})
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, simulated=False)
    yield
    latest.forget()


@pytest.fixture
def layer() -> Any:
    return get_channel_layer()


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create_user("olga", password="a long enough word")


@pytest.fixture
def browser(person: User) -> Client:
    """Somebody who is logged in."""
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def installer(person: User, browser: Client) -> Client:
    """An installer who is logged in."""
    person.is_staff = True
    person.save()
    return browser


@pytest.fixture
def administrator(person: User, browser: Client) -> Client:
    """An administrator who is logged in."""
    person.is_staff = person.is_superuser = True
    person.save()
    return browser


@pytest.fixture
def make_session(db: None) -> Callable[..., Transaction]:
    """A session that has ended, unless told otherwise; each a day older than the one before."""
    made = 0

    def make(**changes: Any) -> Transaction:
        nonlocal made
        started = NOON - timedelta(days=made)
        fields: dict[str, Any] = {
            "transaction_id": f"{TRANSACTION[:-4]}{made:04d}",
            "evse_id": 1,
            "connector_id": 1,
            "started_at": started,
            "ended_at": started + timedelta(minutes=95),
            "active": False,
            "id_token": CARD,
            "id_token_type": "ISO14443",
            "authorized_by": "csms",
            "meter_start": 1_204_600_000,
            "meter_stop": 1_212_034_500,
            "energy": 7_434_500,
            "stopped_reason": "EVDisconnected",
        }
        made += 1
        return Transaction.objects.create(**{**fields, **changes})

    return make
