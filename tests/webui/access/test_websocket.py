"""The rules on a WebSocket: when it is opened, and on every message while it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from tests.webui.access.conftest import Clock
from tests.webui.access.machines import NEIGHBOUR, OWN, STRANGER, VPN_HOST
from webui.access import rules, trials
from webui.access.gate import SIGNED_OUT, WebSocketGate
from webui.access.rules import Rules, vpn_only
from webui.accounts.roles import Role

pytestmark = pytest.mark.django_db
CLOSED = {"type": "websocket.close", "code": SIGNED_OUT}


async def echo(scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Any]) -> None:
    """Says everything twice."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        for _ in range(2):
            await send({"type": "websocket.send", "text": message["text"]})


def line(address: str | None, user: Any, application: Any = echo) -> WebsocketCommunicator:
    made = WebsocketCommunicator(WebSocketGate(application), "/ws/live/")
    made.scope |= {"client": [address, 4711] if address else None, "user": user}
    return made


@pytest.mark.parametrize(
    ("address", "role", "served"),
    [
        (OWN, Role.ADMINISTRATOR, True),
        (NEIGHBOUR, Role.OWNER, True),
        (NEIGHBOUR, Role.ADMINISTRATOR, False),
        (VPN_HOST, Role.ADMINISTRATOR, True),
    ],
)
def test_by_role_and_place(somebody: Any, address: str, role: Role, served: bool) -> None:
    rules.put(vpn_only())
    user = somebody(role)

    async def run() -> None:
        browser = line(address, user)
        assert (await browser.connect())[0]
        await browser.send_to("hello")
        said = await browser.receive_output()
        assert (said == {"type": "websocket.send", "text": "hello"}) is served
        assert (said == CLOSED) is not served
        await browser.disconnect()

    asyncio.run(run())


@pytest.mark.parametrize("address", [STRANGER, None])
def test_a_stranger_does_not_even_get_a_handshake(somebody: Any, address: str | None) -> None:
    user = somebody(Role.ADMINISTRATOR)

    async def run() -> None:
        assert not (await line(address, user).connect())[0]

    asyncio.run(run())


def test_other_rules_end_an_open_line_at_its_next_word(somebody: Any) -> None:
    user = somebody(Role.OWNER)

    async def run() -> None:
        browser = line(NEIGHBOUR, user)
        await browser.connect()
        await browser.send_to("hello")
        assert await browser.receive_from() == "hello"
        rules._known = Rules({**Rules().places, Role.OWNER: frozenset()})
        await browser.send_to("more")
        assert await browser.receive_output() == {"type": "websocket.send", "text": "hello"}  # said before
        assert await browser.receive_output() == CLOSED
        assert await browser.receive_nothing(0.01)

    asyncio.run(run())


def nobody_any_more() -> None:
    rules._known = Rules(dict.fromkeys(Role, frozenset()))


def test_what_a_page_says_does_not_get_in(somebody: Any) -> None:
    user, heard = somebody(Role.OWNER), []

    async def listener(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            heard.append(message["text"])

    async def run() -> None:
        browser = line(NEIGHBOUR, user, listener)
        await browser.connect()
        await browser.send_to("before")
        nobody_any_more()
        await browser.send_to("after")
        assert await browser.receive_output() == CLOSED
        await browser.wait()

    asyncio.run(run())
    assert "after" not in heard


def test_what_the_station_says_does_not_get_out(somebody: Any) -> None:
    user, go = somebody(Role.OWNER), asyncio.Event()

    async def speaker(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await go.wait()
        for word in ("one", "two"):
            await send({"type": "websocket.send", "text": word})

    async def run() -> None:
        browser = line(NEIGHBOUR, user, speaker)
        await browser.connect()
        nobody_any_more()
        go.set()
        assert await browser.receive_output() == CLOSED
        await browser.wait()
        assert browser.output_queue.empty()

    asyncio.run(run())


def test_rules_on_trial_that_are_over_open_the_line_again(
    somebody: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = somebody(Role.ADMINISTRATOR)
    trials.begin(trials.RULES, "olga", Rules().written())
    rules.put(vpn_only())
    clock.later(trials.WINDOW)
    # What it does is tested elsewhere; a connection to the database in another thread would be in later tests' way.
    monkeypatch.setattr(trials, "look", rules_are_back)

    async def run() -> None:
        browser = line(NEIGHBOUR, user)
        assert (await browser.connect())[0]
        await browser.send_to("hello")
        assert await browser.receive_from() == "hello"
        await browser.disconnect()

    asyncio.run(run())


def rules_are_back() -> None:
    if trials.due():
        rules._known, trials._running = Rules(), {}
