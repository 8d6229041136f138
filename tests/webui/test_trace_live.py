"""The trace's live line: what is new, what has changed, and no more than a page can take."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User

from station.live import trace
from station.live.trace import Record
from tests.webui.looking import look
from tests.webui.tracing import Ring
from webui.accounts.guard import FORBIDDEN, SIGNED_OUT
from webui.trace import consumer, reading
from webui.trace.consumer import MOST_ON_PAGE, ON_PAGE, TraceConsumer

Scenario = Callable[[WebsocketCommunicator], Awaitable[None]]
ROW = re.compile(r'<li id="t-([\d-]+)" class="msg')
GONE = re.compile(r'<li id="t-([\d-]+)" hx-swap-oob="delete">')


# A consumer looks at the connections of its thread before each message, and other tests may have left one there.
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    """What the follower reads; None as the newest entry stands for a Redis that is away."""
    made = Ring()

    class Follower:
        def __init__(self) -> None:
            self.read = 0

        async def news(self) -> list[tuple[str, Record]]:
            if made.away:
                raise reading.Away("no")
            found = made.entries[self.read : self.read + reading.AT_ONCE]
            self.read += len(found)
            return found

        async def close(self) -> None:
            pass

    monkeypatch.setattr(reading, "Follower", Follower)
    monkeypatch.setattr(consumer, "LOOK", 0.01)
    return made


def watching(scenario: Scenario, said: str = '{"have": {}}') -> None:
    async def run() -> None:
        communicator = WebsocketCommunicator(TraceConsumer.as_asgi(), "/ws/trace/")
        communicator.scope |= {"user": User(username="ina", is_staff=True)}
        assert (await communicator.connect())[0]
        await communicator.send_to(text_data=said)
        await scenario(communicator)
        await communicator.disconnect()

    asyncio.run(run())


def has(seen: str, query: str = "") -> str:
    return f'{{"have": {{"trace-seen": "{seen}", "trace-rows": "{query}"}}}}'


def test_new_lines_come_on_top_and_answers_into_their_line(ring: Ring) -> None:
    ring.exchange(trace.OUT, "Heartbeat", {})

    async def scenario(browser: WebsocketCommunicator) -> None:
        entry = ring.put(trace.CALL, trace.IN, "x", "Reset", payload={"type": "OnIdle"})
        html = await browser.receive_from()
        assert 'hx-swap-oob="afterbegin:#trace-rows"' in html
        assert ROW.findall(html) == [entry]
        assert f'id="trace-seen" data-mark="{entry}"' in html
        ring.put(trace.RESULT, trace.OUT, "x", payload={"status": "Scheduled"})
        html = await browser.receive_from()
        assert "afterbegin" not in html
        assert ROW.findall(html) == [entry]
        assert "accepted, and done later" in html
        assert look(html).refused == []

    watching(scenario, has(ring.entries[-1][0]))


def test_page_that_was_away_gets_what_it_missed(ring: Ring) -> None:
    entry = ring.put(trace.CALL, trace.OUT, "x", "Heartbeat")
    seen = ring.entries[-1][0]
    ring.put(trace.RESULT, trace.IN, "x")
    newer = ring.exchange(trace.OUT, "Heartbeat", {})

    async def scenario(browser: WebsocketCommunicator) -> None:
        html = await browser.receive_from()
        assert sorted(ROW.findall(html)) == sorted([entry, newer])

    watching(scenario, has(seen))


def test_filter_of_the_page_holds(ring: Ring) -> None:
    ring.exchange(trace.OUT, "Heartbeat", {})

    async def scenario(browser: WebsocketCommunicator) -> None:
        ring.exchange(trace.OUT, "Heartbeat", {})
        wanted = ring.exchange(trace.IN, "Reset", {"type": "OnIdle"}, {"status": "Rejected"})
        html = await browser.receive_from()
        assert ROW.findall(html) == [wanted]
        assert "refusé" not in html

    watching(scenario, has(ring.entries[-1][0], "wrong=on&lang=en"))


def test_burst_comes_in_one_piece_of_bounded_size(ring: Ring) -> None:
    ring.exchange(trace.OUT, "Heartbeat", {})

    async def scenario(browser: WebsocketCommunicator) -> None:
        for _ in range(1_000):
            last = ring.exchange(trace.OUT, "Heartbeat", {})
        html = await browser.receive_from()
        assert 'hx-swap-oob="innerHTML:#trace-rows"' in html
        assert len(ROW.findall(html)) == ON_PAGE
        assert ROW.findall(html)[0] == last
        assert len(html) < 200_000

    watching(scenario, has(ring.entries[-1][0]))


def test_page_does_not_grow_for_ever(ring: Ring) -> None:
    ring.exchange(trace.OUT, "Heartbeat", {})

    async def scenario(browser: WebsocketCommunicator) -> None:
        on_page: list[str] = []
        for _ in range(6):
            for _ in range(60):
                ring.exchange(trace.OUT, "Heartbeat", {})
            html = await browser.receive_from()
            on_page += ROW.findall(html)[::-1]
            for gone in GONE.findall(html):
                if gone in on_page:
                    on_page.remove(gone)
        assert len(on_page) == MOST_ON_PAGE

    watching(scenario, has(ring.entries[-1][0]))


def test_redis_away_is_said_once_and_taken_back(ring: Ring) -> None:
    async def scenario(browser: WebsocketCommunicator) -> None:
        ring.away = True
        assert "comes back by itself" in await browser.receive_from()
        assert await browser.receive_nothing(0.1)
        ring.away = False
        ring.exchange(trace.OUT, "Heartbeat", {})
        html = await browser.receive_from()
        assert 'id="trace-notice"' in html
        assert "banner" not in html

    watching(scenario)


@pytest.mark.parametrize(
    "said", ["{", '{"have": {"trace-seen": "x", "trace-rows": "evse=x&action=%00"}}', has("9" * 60 + "-0")]
)
def test_rubbish_from_the_page_does_no_harm(ring: Ring, said: str) -> None:
    ring.exchange(trace.OUT, "Heartbeat", {})

    async def scenario(browser: WebsocketCommunicator) -> None:
        assert "Heartbeat" in await browser.receive_from()

    watching(scenario, said)


@pytest.mark.parametrize(("user", "code"), [(AnonymousUser(), SIGNED_OUT), (User(username="olga"), FORBIDDEN)])
def test_only_installers_may_watch(user: Any, code: int) -> None:
    async def run() -> None:
        communicator = WebsocketCommunicator(TraceConsumer.as_asgi(), "/ws/trace/")
        communicator.scope |= {"user": user}
        await communicator.connect()
        assert (await communicator.receive_output())["code"] == code

    asyncio.run(run())
