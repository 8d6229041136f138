"""The bridge to MQTT at a real broker: what is said, what is taken, and what happens when the broker goes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from station.live.payloads import StationLive
from tests.support.waiting import wait_until
from tests.webui.making import charging, free, station
from tests.webui.neighbourhood.brokers import Broker, Neighbour
from webui.neighbourhood import bridge as bridge_module
from webui.neighbourhood.bridge import Bridge
from webui.neighbourhood.bridge import Broker as Where
from webui.neighbourhood.topics import Order

BASE = "box"
LIVE = station(charging(1, current_max=32.0), free(2, current_max=32.0))


class Running:
    """A bridge on an event loop of its own, with the test as the station."""

    def __init__(self, where: Where, clock: list[float]) -> None:
        self.orders: list[Order] = []
        self.limits: list[tuple[int, float | None]] = []
        self.loop = asyncio.new_event_loop()
        self.bridge = Bridge(where, self._carry_out, self._limit, apart=0.05, clock=lambda: clock[0])
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self.loop.run_until_complete, args=(self._run(),), daemon=True)
        self._thread.start()

    async def _run(self) -> None:
        task = asyncio.create_task(self.bridge.run())
        await self._over.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _carry_out(self, order: Order) -> str:
        self.orders.append(order)
        return "done"

    async def _limit(self, evse_id: int, current: float | None, valid_for: float) -> None:
        self.limits.append((evse_id, current))

    def hear(self, live: StationLive) -> None:
        self.loop.call_soon_threadsafe(self.bridge.hear, live)

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    running = Broker(tmp_path).start()
    yield running
    running.stop()


@pytest.fixture
def neighbour(broker: Broker) -> Iterator[Neighbour]:
    somebody = Neighbour(broker.port)
    yield somebody
    somebody.close()


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def run(broker: Broker, clock: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(bridge_module, "TURN", 0.02)
    started = Running(Where("127.0.0.1", broker.port, BASE, control=True), clock)
    yield started
    started.end()


def test_what_it_says_and_leaves_behind(run: Running, neighbour: Neighbour) -> None:
    run.hear(LIVE)
    neighbour.until(f"{BASE}/availability", "online")
    neighbour.until(f"{BASE}/evse/1/power", "7312")
    neighbour.until(f"{BASE}/evse/2/state", "free")
    config = "homeassistant/switch/box/evse1_charge/config"
    wait_until(lambda: config in neighbour.said, "discovery")
    assert json.loads(neighbour.said[config])["command_topic"] == f"{BASE}/evse/1/charge/set"
    run.hear(station(charging(1, power=3000.0, current_max=32.0), free(2)))
    neighbour.until(f"{BASE}/evse/1/power", "3000")
    run.end()
    neighbour.until(f"{BASE}/availability", "offline")


def test_who_comes_later_is_told_too(run: Running, neighbour: Neighbour, broker: Broker) -> None:
    run.hear(LIVE)
    neighbour.until(f"{BASE}/evse/1/power", "7312")
    later = Neighbour(broker.port)
    later.until(f"{BASE}/evse/1/power", "7312")
    assert later.retained[f"{BASE}/evse/1/power"]
    later.close()


def test_orders_are_carried_out_and_answered(run: Running, neighbour: Neighbour) -> None:
    run.hear(LIVE)
    neighbour.until(f"{BASE}/availability", "online")
    neighbour.say(f"{BASE}/evse/2/charge/set", "ON")
    neighbour.until(f"{BASE}/evse/2/charge/answer", "done")
    neighbour.say(f"{BASE}/evse/1/unlock/set", "PRESS")
    neighbour.until(f"{BASE}/evse/1/unlock/answer", "done")
    assert run.orders == [Order(2, "start"), Order(1, "unlock")]
    neighbour.say(f"{BASE}/evse/9/charge/set", "ON")
    neighbour.until(f"{BASE}/evse/9/charge/answer", "there is no EVSE 9")
    neighbour.say(f"{BASE}/evse/1/limit/set", "3")
    neighbour.until(f"{BASE}/evse/1/limit/answer", "the limit has to be 0, which pauses, or at least 6 A")
    assert len(run.orders) == 2
    assert run.limits == []


def test_a_limit_is_repeated_while_the_bridge_lives(run: Running, neighbour: Neighbour, clock: list[float]) -> None:
    run.hear(LIVE)
    neighbour.until(f"{BASE}/availability", "online")
    neighbour.say(f"{BASE}/evse/1/limit/set", "10")
    neighbour.until(f"{BASE}/evse/1/limit/answer", "10 A")
    assert run.limits == [(1, 10.0)]
    clock[0] += bridge_module.RENEW + 1
    run.hear(LIVE)
    wait_until(lambda: run.limits == [(1, 10.0), (1, 10.0)], "repeated", 10, 0.02)
    neighbour.say(f"{BASE}/evse/1/limit/set", "32")
    neighbour.until(f"{BASE}/evse/1/limit/answer", "no limit")
    assert run.limits[-1] == (1, None)


def test_a_flood_of_orders_is_dammed(run: Running, neighbour: Neighbour) -> None:
    run.hear(LIVE)
    neighbour.until(f"{BASE}/availability", "online")
    for _ in range(15):
        neighbour.say(f"{BASE}/evse/1/charge/set", "ON")
    neighbour.until(f"{BASE}/evse/1/charge/answer", "too many orders; wait a second")
    assert len(run.orders) == 10


def test_an_uplink_that_fell_silent_is_offline(run: Running, neighbour: Neighbour, clock: list[float]) -> None:
    run.hear(LIVE)
    neighbour.until(f"{BASE}/availability", "online")
    clock[0] += bridge_module.STALE + 1
    neighbour.until(f"{BASE}/availability", "offline")
    run.hear(LIVE)
    neighbour.until(f"{BASE}/availability", "online")


def test_a_broker_that_goes_and_comes_back(run: Running, broker: Broker, neighbour: Neighbour) -> None:
    run.hear(LIVE)
    neighbour.until(f"{BASE}/availability", "online")
    broker.stop()
    run.hear(station(charging(1, power=100.0), free(2)))
    broker.start()
    again = Neighbour(broker.port)
    again.until(f"{BASE}/evse/1/power", "100")
    again.until(f"{BASE}/availability", "online")
    again.close()


def test_without_the_scope_nothing_is_taken(broker: Broker, neighbour: Neighbour, clock: list[float]) -> None:
    started = Running(Where("127.0.0.1", broker.port, BASE), clock)
    try:
        started.hear(LIVE)
        neighbour.until(f"{BASE}/availability", "online")
        neighbour.say(f"{BASE}/evse/1/charge/set", "OFF")
        started.hear(replace(LIVE, queue_length=7))
        neighbour.until(f"{BASE}/queue", "7")
        assert started.orders == []
        assert neighbour.said.get("homeassistant/switch/box/evse1_charge/config", "") == ""
    finally:
        started.end()


def test_a_station_that_dies_is_known_by_its_last_will(
    broker: Broker, neighbour: Neighbour, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = Running(Where("127.0.0.1", broker.port, BASE), clock)
    clients: list[bridge_module.mqtt.Client] = []
    made = Bridge._client
    monkeypatch.setattr(Bridge, "_client", lambda self: clients.append(made(self)) or clients[-1])  # type: ignore[func-returns-value]
    started.end()
    started = Running(Where("127.0.0.1", broker.port, BASE), clock)
    started.hear(LIVE)
    neighbour.until(f"{BASE}/availability", "online")
    clients[-1].reconnect_delay_set(60, 60)
    clients[-1].socket().close()  # as a power cut: no word of goodbye
    neighbour.until(f"{BASE}/availability", "offline")
    started.end()
