"""The hardware worker: a Celery worker whose bootstep starts the poll thread, and a bus thread beside it.

    board <--Modbus-- poll thread --newest snapshot--> bus thread --channel layer--> uplink
                          ^------------ newest setpoint ----'<----------------------'

The poll thread never waits for anybody: it leaves each snapshot in a slot that holds one value. The bus thread has
one asyncio loop for its life and takes from the slot what is newest, when Redis lets it. So Redis may be away for as
long as it likes and no poll is late.

While somebody looks at the hardware page (``bus.BOARD_WATCH``, said again and again), all registers go to whoever
looks, once a second; otherwise nobody reads, keeps or sends them.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from celery import bootsteps
from channels.layers import get_channel_layer
from django.conf import settings

from station.domain import wire
from station.domain.board import BoardSnapshot, Setpoint
from station.live import bus
from station.project import celery_worker, health
from station.project.celery import HARDWARE_QUEUE
from station.project.celery_worker import Sign

logger = logging.getLogger(__name__)

EVERY = 1.0  # s between two publications where nothing changes
POLLS_A_WORD = 5  # polls between two words about the polling
RETRY = 0.5  # s until the bus tries Redis again
MISSES = 3  # looks without registers, until the bus stops to look
SEND_LIMIT = 5.0  # s; a Redis that hangs must not hold up the next, newer snapshot for longer


class Layer(Protocol):
    """The two calls of a channel layer that the bus needs."""

    async def send(self, channel: str, message: dict[str, Any]) -> None: ...

    async def receive(self, channel: str) -> dict[str, Any]: ...

    async def group_send(self, group: str, message: dict[str, Any]) -> None: ...


class Look(Protocol):
    """What the bus needs to show the registers."""

    def watch(self, seconds: float) -> None: ...

    def view(self) -> dict[str, Any] | None: ...


class Bus:
    """Publishes the newest snapshot and listens for setpoints, in a thread with a loop of its own."""

    def __init__(
        self,
        want: Callable[[Setpoint], None],
        layer: Callable[[], Layer],
        sign: Sign | None = None,
        look: Look | None = None,
    ) -> None:
        self._want = want
        self._look = look
        self._looked_at: asyncio.Task[None] | None = None
        self._layer = layer
        self._sign = sign or Sign()
        self._newest: BoardSnapshot | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False
        self._fresh = asyncio.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="bus", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits up to two seconds for it."""
        self._stopped = True  # for a loop that does not run yet
        self._call(self._stop.set)
        self._thread.join(2.0)

    def offer(self, snapshot: BoardSnapshot) -> None:
        """Take the newest snapshot, from any thread; the one before it is forgotten. Never waits."""
        self._newest = snapshot
        self._call(self._fresh.set)

    def _call(self, function: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(function)
            except RuntimeError:  # the loop has ended
                logger.debug("the bus has stopped")

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._stopped:
            return
        layer = self._layer()
        tasks = [asyncio.create_task(work) for work in (self._publish(layer), self._listen(layer), self._show())]
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _show(self) -> None:
        while True:
            self._sign.show()
            await asyncio.sleep(EVERY)

    async def _publish(self, layer: Layer) -> None:
        away = False
        while True:
            snapshot = self._newest
            if snapshot is not None:
                message = {"type": bus.BOARD_SNAPSHOT, "snapshot": wire.pack_snapshot(snapshot)}
                try:
                    async with asyncio.timeout(SEND_LIMIT):
                        await layer.send(bus.UPLINK, message)
                except Exception as error:  # whatever the client of Redis raises, the next snapshot repairs it
                    if not away:
                        logger.warning("snapshots do not reach the station, Redis is away: %s", error)
                    away = True
                    await asyncio.sleep(RETRY)
                    continue
                if away:
                    logger.info("snapshots reach the station again")
                away = False
            self._fresh.clear()
            if self._newest is snapshot:
                try:
                    async with asyncio.timeout(EVERY):
                        await self._fresh.wait()
                except TimeoutError:
                    pass

    async def _listen(self, layer: Layer) -> None:
        while True:
            try:
                message = await layer.receive(bus.HARDWARE)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                logger.debug("cannot listen for setpoints: %s", error)
                await asyncio.sleep(RETRY)
                continue
            if message.get("type") == bus.BOARD_WATCH:
                self._watch(layer)
            else:
                self._take(message)

    def _watch(self, layer: Layer) -> None:
        """Somebody looks for the next seconds; says it again as long as that is so."""
        if self._look is None:
            return
        self._look.watch(bus.WATCH)
        if self._looked_at is None or self._looked_at.done():
            self._looked_at = asyncio.create_task(self._show_registers(layer, self._look))

    async def _show_registers(self, layer: Layer, look: Look) -> None:
        """Once a second, until nobody looks any more: there is nothing to show then."""
        misses = 0
        while misses < MISSES:
            view = look.view()
            misses = 0 if view is not None else misses + 1
            if view is not None:
                try:
                    async with asyncio.timeout(SEND_LIMIT):
                        await layer.group_send(bus.ENGINEERS, {"type": bus.BOARD_REGISTERS, "board": view})
                except Exception as error:  # as with snapshots: the next one repairs it
                    logger.debug("registers do not reach who looks at them: %s", error)
            await asyncio.sleep(EVERY)

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("type") != bus.BOARD_SETPOINT:
            return
        try:
            self._want(wire.unpack_setpoint(message["setpoint"]))
        except (TypeError, KeyError, ValueError) as error:
            logger.warning("a setpoint that is none was ignored: %r", error)


class Registers:
    """All that the poller knows, as plain values: for the hardware page."""

    def __init__(self, poller: Any) -> None:
        self._poller = poller

    def watch(self, seconds: float) -> None:
        """From now on, and for so long, the registers are read."""
        self._poller.watch(seconds)

    def view(self) -> dict[str, Any] | None:
        """Snapshot, registers and how well the polling keeps its time; None where the registers were not read."""
        words, snapshot = self._poller.registers(), self._poller.snapshot()
        if words is None:
            return None
        from hardware import register_view  # wanted only while somebody looks

        kept = self._poller.statistics()
        return {
            "snapshot": wire.pack_snapshot(snapshot),
            "registers": {
                str(evse_id): {"input": register_view.inputs(inputs), "holding": register_view.holding(holding)}
                for evse_id, (inputs, holding) in words.items()
            },
            "polling": {
                "polls": kept.ticks,
                "missed": kept.missed,
                "late_p95": round(kept.jitter_p95 * 1000, 2),
                "late_max": round(kept.jitter_max * 1000, 2),
            },
        }


class HardwareStep(bootsteps.StartStopStep):
    """Starts poll thread and bus with the worker, before it looks for Redis, and stops them with it."""

    bus_sign: Sign

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.poller: Any = None
        self.bus: Bus | None = None

    def start(self, worker: Any) -> None:
        from hardware.drivers import open_board
        from hardware.poller import Poller

        board = open_board(settings.ENVIRONMENT.board)
        poller = Poller(board, on_snapshot=lambda snapshot: line.offer(snapshot), beat=lambda: self._beat(poller))
        line = Bus(poller.want, get_channel_layer, self.bus_sign, Registers(poller))
        self.poller, self.bus = poller, line
        line.start()
        poller.start()

    def stop(self, worker: Any) -> None:
        if self.poller is not None:
            self.poller.stop()
        if self.bus is not None:
            self.bus.stop()

    terminate = stop

    @staticmethod
    def _beat(poller: Any) -> None:
        """Show life in every slot, and about once a second how well the slots were kept (in ms)."""
        kept = poller.statistics()
        word = None
        if kept.ticks % POLLS_A_WORD == 1:
            late = {"p95": round(kept.jitter_p95 * 1000, 2), "max": round(kept.jitter_max * 1000, 2)}
            word = {"polls": kept.ticks, "missed": kept.missed, "late": late}
        health.beat(health.HARDWARE, word)


def run() -> int:
    """Run the hardware worker until SIGTERM."""
    HardwareStep.bus_sign = Sign()
    return celery_worker.run(
        health.HARDWARE_LOOP, HARDWARE_QUEUE, steps=(HardwareStep,), others=(HardwareStep.bus_sign,)
    )
