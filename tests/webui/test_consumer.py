"""The live view's WebSocket, with a channel layer in memory and the test as the uplink."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User

from station.live import bus
from station.live.payloads import StationLive, encode
from tests.webui.looking import look
from tests.webui.making import charging, free, station, waiting
from webui import consumers
from webui.accounts.guard import SIGNED_OUT
from webui.consumers import TRY_AGAIN, LiveConsumer
from webui.dashboard import fragments, latest

# A consumer looks at the connections of its thread before each message, and other tests may have left one there.
pytestmark = pytest.mark.django_db
Scenario = Callable[[WebsocketCommunicator], Awaitable[None]]


def line(user: Any, **scope: Any) -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(LiveConsumer.as_asgi(), "/ws/live/")
    communicator.scope |= {"user": user, **scope}
    return communicator


def watching(scenario: Scenario, said: str = '{"have": {}}', **scope: Any) -> None:
    """Run ``scenario`` with the line of somebody who is logged in; ``said`` is the page's first word."""

    async def run() -> None:
        communicator = line(User(username="olga"), **scope)
        connected, _ = await communicator.connect()
        assert connected
        await communicator.send_to(text_data=said)
        await scenario(communicator)
        await communicator.disconnect()

    asyncio.run(run())


async def publish(layer: Any, live: StationLive | dict[str, Any]) -> None:
    data = encode(live) if isinstance(live, StationLive) else live
    await layer.group_send(bus.WATCHERS, {"type": bus.LIVE_STATION, "station": data})


async def joined(layer: Any) -> None:
    """Until the consumer has asked for the state; it has then joined the watchers."""
    assert await asyncio.wait_for(layer.receive(bus.UPLINK), 5) == {"type": bus.HELLO}


def test_asks_at_once_then_gets_everything_then_only_changes(layer: Any) -> None:
    async def scenario(browser: WebsocketCommunicator) -> None:
        await joined(layer)
        await publish(layer, station(charging(1), free(2), serial=1))
        first = look(await browser.receive_from())
        assert {"station-status", "station-clock", "evses", "evse-1-figures", "evse-2-actions"} <= set(first.ids)

        await publish(layer, station(charging(1, power=6900.0), free(2), serial=2))
        assert look(await browser.receive_from()).ids == ["evse-1-figures"]

        await publish(layer, station(charging(1, power=6900.0), free(2), serial=3))
        await publish(layer, station(charging(1, power=6900.0), free(2), serial=4, queue_length=2))
        assert look(await browser.receive_from()).ids == ["station-status"]

    watching(scenario)


def test_other_evses_bring_all_cards_anew(layer: Any) -> None:
    async def scenario(browser: WebsocketCommunicator) -> None:
        await joined(layer)
        await publish(layer, station(free(1), serial=1))
        await browser.receive_from()
        await publish(layer, station(free(1), free(2), serial=2))
        assert {"evses", "evse-1-state", "evse-2-state"} <= set(look(await browser.receive_from()).ids)

    watching(scenario)


def test_late_publication_is_ignored_and_a_new_life_is_not(layer: Any) -> None:
    async def scenario(browser: WebsocketCommunicator) -> None:
        await joined(layer)
        await publish(layer, station(free(1), serial=9))
        await browser.receive_from()
        await publish(layer, station(charging(1), serial=8))
        await publish(layer, station(free(1), serial=1, life="second", queue_length=3))
        assert look(await browser.receive_from()).ids == ["station-status"]

    watching(scenario)


@pytest.mark.parametrize("rubbish", [{}, {"evses": 3}, {"evses": [{}]}, {"evses": [], "unknown": 1}])
def test_unreadable_publication_does_not_end_the_line(layer: Any, rubbish: dict[str, Any]) -> None:
    async def scenario(browser: WebsocketCommunicator) -> None:
        await joined(layer)
        await publish(layer, rubbish)
        await publish(layer, station(free(1)))
        assert "evse-1-state" in look(await browser.receive_from()).ids

    watching(scenario)


@pytest.mark.parametrize(
    "said", ["{", "[]", "3", '{"have": 3}', '{"have": {"evses": {}}}', "[" * 50_000, "x" * 100_000, '{"type": "x"}']
)
def test_page_that_says_rubbish_gets_everything(layer: Any, said: str) -> None:
    async def scenario(browser: WebsocketCommunicator) -> None:
        await browser.send_to(bytes_data=b"\x00")
        await browser.send_to(text_data='{"type": "live.station"}')
        await joined(layer)
        await publish(layer, station(free(1)))
        assert {"evses", "evse-1-state"} <= set(look(await browser.receive_from()).ids)

    watching(scenario, said)


def test_page_that_shows_it_already_gets_what_differs(layer: Any) -> None:
    shown = station(charging(1), free(2), serial=1)
    have = fragments.marks(shown, fragments.pieces(shown))

    async def scenario(browser: WebsocketCommunicator) -> None:
        await joined(layer)
        await publish(layer, station(charging(1), waiting(2), serial=2))
        assert look(await browser.receive_from()).ids == [
            *("evse-2-state", "evse-2-name", "evse-2-curve", "evse-2-actions")
        ]

    watching(scenario, json.dumps({"have": have}))


@pytest.mark.parametrize("user", [None, AnonymousUser()])
def test_stranger_is_told_and_gets_nothing(user: Any) -> None:
    async def run() -> None:
        communicator = line(user)
        connected, _ = await communicator.connect()
        assert connected  # only after the handshake the page may read the code
        assert await communicator.receive_output() == {"type": "websocket.close", "code": SIGNED_OUT}

    asyncio.run(run())


def test_silent_station_is_called_stale_and_then_well_again(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "STALE_AFTER", 0.2)
    monkeypatch.setattr(consumers, "TURN", 0.02)

    async def scenario(browser: WebsocketCommunicator) -> None:
        await joined(layer)
        await publish(layer, station(free(1), serial=1))
        await browser.receive_from()
        notice = look(await browser.receive_from(timeout=5))
        assert notice.ids == ["live-notice"]
        assert "has not reported" in notice.words
        await publish(layer, station(free(1), serial=2))
        assert look(await browser.receive_from()).words == ""

    watching(scenario)


class Broken:
    """A channel layer whose Redis is away from the moment that ``away`` is set."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self.away = False

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any) -> Any:
            if self.away and name in ("send", "group_add", "group_discard"):
                raise ConnectionError("Redis is away")
            return await getattr(self._layer, name)(*args)

        return call


def test_layer_that_fails_while_watching_is_said(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "STALE_AFTER", 0.2)
    monkeypatch.setattr(consumers, "TURN", 0.02)
    broken = Broken(layer)
    monkeypatch.setattr("channels.consumer.get_channel_layer", lambda alias: broken)

    async def scenario(browser: WebsocketCommunicator) -> None:
        await joined(layer)
        await publish(layer, station(free(1)))
        await browser.receive_from()
        broken.away = True
        assert "inner connection is away" in look(await browser.receive_from(timeout=5)).words
        broken.away = False
        await publish(layer, station(free(1), serial=2))
        assert look(await browser.receive_from()).words == ""

    watching(scenario)


def test_layer_that_is_away_from_the_start_closes_the_line_to_be_tried_again(
    layer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(layer)
    broken.away = True
    monkeypatch.setattr("channels.consumer.get_channel_layer", lambda alias: broken)

    async def run() -> None:
        communicator = line(User(username="olga"))
        await communicator.connect()
        await communicator.send_to(text_data="{}")
        assert "inner connection is away" in look(await communicator.receive_from()).words
        assert await communicator.receive_output() == {"type": "websocket.close", "code": TRY_AGAIN}

    asyncio.run(run())


class Session:
    """A login session that was ended elsewhere."""

    session_key = "abc"

    def exists(self, key: str) -> bool:
        return False


def test_logout_elsewhere_ends_the_line(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "SESSION_CHECK", 0.05)
    monkeypatch.setattr(consumers, "TURN", 0.02)

    async def scenario(browser: WebsocketCommunicator) -> None:
        await joined(layer)
        assert await browser.receive_output(timeout=5) == {"type": "websocket.close", "code": SIGNED_OUT}

    watching(scenario, session=Session())


def test_process_remembers_what_it_heard(layer: Any) -> None:
    live = station(free(1))

    async def scenario(browser: WebsocketCommunicator) -> None:
        await joined(layer)
        await publish(layer, live)
        await browser.receive_from()

    watching(scenario)
    assert latest.recent() == live
