"""The station at an MQTT broker: what it does is published there, and orders are taken where that is allowed.

paho keeps the connection on a thread of its own, with reconnecting and back-off; everything here runs on the process's
event loop. What has not reached the broker is not queued: the state of the moment is what counts when it is back.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from station.live.payloads import StationLive
from webui.api.pace import Pace
from webui.neighbourhood import topics
from webui.neighbourhood.topics import BadOrder, Order

log = logging.getLogger(__name__)

KEEPALIVE = 30  # s
BACKOFF_FIRST, BACKOFF_MOST = 1, 120  # s
APART = 1.0  # s between two rounds of what is measured
STALE = 30.0  # s without a word of the uplink until what was published counts as old
RENEW, VALID = 20.0, 60.0  # s; a limit that was set over MQTT is repeated as long as this process lives
TURN = 0.5  # s
_STATE, _FIGURE = 1, 0  # quality of service
_FIGURES = ("power", "current", "offered", "energy", "session_energy")


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is and how to speak to it; ``tls`` None: without."""

    host: str
    port: int
    base: str
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None
    control: bool = False
    discovery: bool = True
    discovery_prefix: str = "homeassistant"


class Bridge:
    """One connection to a broker. ``carry_out`` does an order and returns what came of it, in words.

    ``limit`` sends the timed limit of an EVSE (A, or None for no limit) to the uplink.
    """

    def __init__(
        self,
        broker: Broker,
        carry_out: Callable[[Order], Awaitable[str]],
        limit: Callable[[int, float | None, float], Awaitable[None]],
        *,
        apart: float = APART,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker = broker
        self._carry_out = carry_out
        self._limit = limit
        self._apart = apart
        self._clock = clock
        self._live: StationLive | None = None
        self._heard = 0.0
        self._connected = False
        self._said: dict[str, str] = {}
        self._limits: dict[int, tuple[float, float]] = {}  # EVSE: A, and when it is due again
        self._orders: asyncio.Queue[tuple[str, bytes, bool]] = asyncio.Queue(maxsize=50)
        self._pace = Pace(per_second=1, burst=10)
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop
        self._away = ""
        self._ending = False

    @property
    def connected(self) -> bool:
        return self._connected

    # ------------------------------------------------------------------ the station's side

    def hear(self, live: StationLive) -> None:
        """The station as it is now."""
        self._live, self._heard = live, self._clock()
        self._news.set()

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        self._loop = asyncio.get_running_loop()
        client = self._client()
        client.connect_async(self._broker.host, self._broker.port, KEEPALIVE)
        client.loop_start()
        orders = asyncio.create_task(self._take_orders(client))
        try:
            while True:
                await self._turn(client)
        finally:
            orders.cancel()
            self._ending = True
            if self._connected:
                goodbye = client.publish(topics.availability(self._broker.base), topics.OFFLINE, _STATE, retain=True)
                await asyncio.to_thread(_wait, goodbye)
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)

    async def _turn(self, client: mqtt.Client) -> None:
        try:
            async with asyncio.timeout(TURN):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()
        await self._renew_limits()
        if not self._connected or self._live is None:
            return
        fresh = self._clock() - self._heard < STALE
        self._say(client, topics.availability(self._broker.base), topics.ONLINE if fresh else topics.OFFLINE)
        if fresh:
            for topic, text in topics.states(self._broker.base, self._live).items():
                self._say(client, topic, text)
            self._discover(client, self._live)
        await asyncio.sleep(self._apart)

    def _discover(self, client: mqtt.Client, live: StationLive) -> None:
        broker = self._broker
        told = topics.discovery(
            broker.base, broker.discovery_prefix, live, control=broker.control, wanted=broker.discovery
        )
        for topic, text in told.items():
            self._say(client, topic, text)

    def _say(self, client: mqtt.Client, topic: str, text: str) -> None:
        """Publish, retained, what differs from what the broker was told last."""
        if self._said.get(topic) == text:
            return
        quality = _FIGURE if topic.rpartition("/")[2] in _FIGURES else _STATE
        if client.publish(topic, text, quality, retain=True).rc == mqtt.MQTT_ERR_SUCCESS:
            self._said[topic] = text

    # ------------------------------------------------------------------ orders

    async def _take_orders(self, client: mqtt.Client) -> None:
        while True:
            topic, payload, retained = await self._orders.get()
            try:
                said = await self._take(topic, payload, retained=retained)
            except BadOrder as bad:
                said = str(bad)
                log.warning("MQTT: %s at %a", bad, topic[:100])
            except Exception:
                log.exception("MQTT: an order at %a failed", topic[:100])
                said = "the station made a mistake"
            if said and self._connected and topic.endswith("/set"):
                client.publish(f"{topic.removesuffix('/set')}/answer", said, _STATE)
            # What the broker's users see of it is right again, also where nothing came of it.
            self._said.pop(topic.removesuffix("/set"), None)

    async def _take(self, topic: str, payload: bytes, *, retained: bool) -> str:
        if self._live is None:
            raise BadOrder("the station's uplink does not answer")
        order = topics.order(self._broker.base, topic, payload, retained=retained, live=self._live)
        if order.action != "limit":
            if self._pace.wait("orders") > 0:
                raise BadOrder("too many orders; wait a second")
            return await self._carry_out(order)
        if order.current is None:
            self._limits.pop(order.evse_id, None)
            await self._limit(order.evse_id, None, VALID)
            return "no limit"
        self._limits[order.evse_id] = (order.current, self._clock() + RENEW)
        await self._limit(order.evse_id, order.current, VALID)
        return f"{order.current:g} A"

    async def _renew_limits(self) -> None:
        now = self._clock()
        for evse_id, (current, due) in list(self._limits.items()):
            if now >= due:
                self._limits[evse_id] = (current, now + RENEW)
                await self._limit(evse_id, current, VALID)

    # ------------------------------------------------------------------ the broker's side, on paho's thread

    def _client(self) -> mqtt.Client:
        broker = self._broker
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{broker.base[:50]}-bridge", clean_session=True)
        if broker.user:
            client.username_pw_set(broker.user, broker.password or None)
        if broker.tls is not None:
            client.tls_set_context(broker.tls)
        client.will_set(topics.availability(broker.base), topics.OFFLINE, _STATE, retain=True)
        client.reconnect_delay_set(BACKOFF_FIRST, BACKOFF_MOST)
        client.max_queued_messages_set(500)
        client.on_connect = self._on_connect
        client.on_connect_fail = lambda *_: self._tell(self._lost, "the broker cannot be reached")
        client.on_disconnect = lambda _c, _u, _f, reason, _p: self._tell(self._lost, str(reason))
        client.on_message = lambda _c, _u, message: self._tell(
            self._got, message.topic, message.payload, message.retain
        )
        return client

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._tell(self._lost, f"the broker refuses: {reason}")
            return
        if self._broker.control:
            client.subscribe([(topic, 1) for topic in topics.subscriptions(self._broker.base)])
        self._tell(self._up)

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop is over, and so is this process
            return

    # ------------------------------------------------------------------ the broker's side, on the loop

    def _up(self) -> None:
        log.info("MQTT: connected to %s:%d", self._broker.host, self._broker.port)
        self._connected, self._away = True, ""
        self._said.clear()
        self._news.set()

    def _lost(self, why: str) -> None:
        self._connected = False
        if why != self._away and not self._ending:  # said once, not with every attempt
            log.warning("MQTT: no connection to %s:%d: %s", self._broker.host, self._broker.port, why)
        self._away = why

    def _got(self, topic: str, payload: bytes, retained: bool) -> None:
        try:
            self._orders.put_nowait((topic, payload[:200], retained))
        except asyncio.QueueFull:
            log.warning("MQTT: too many orders at once; one was dropped")


def _wait(message: mqtt.MQTTMessageInfo) -> None:
    try:
        message.wait_for_publish(1.0)
    except (RuntimeError, ValueError):
        return
