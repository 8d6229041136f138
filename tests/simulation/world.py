"""The simulated world: it keeps the time, and lets everything happen in its order.

Nothing sleeps and nothing is polled: the world jumps to whatever happens next, be it a deed of the script, a frame
that arrives, a contactor that opens, an EV that is full, or a deadline of the station.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from station.domain.board import BoardSnapshot, Setpoint
from station.domain.effects import (
    Answer,
    AnswerError,
    Call,
    CancelTransfer,
    Effect,
    LookUpCustomer,
    Reboot,
    Reconnect,
    SetBoard,
    StartTransfer,
    Stored,
)
from station.domain.events import CustomerLookedUp, Event, LinkDown, LinkUp, Started, Tick
from station.domain.firmware import RunningFirmware
from station.domain.moment import Moment
from station.domain.network import NetworkProfile
from station.ocpp.rpc import Rpc
from station.ocpp.station import Station
from tests.simulation.cars import BOARD_TIMEOUT, NEVER, Car, Site
from tests.simulation.configurations import HEARTBEATS
from tests.simulation.csms import Csms
from tests.simulation.invariants import LOOKS, Broken, Watch
from tests.simulation.line import Line
from tests.simulation.script import Deed, Script
from tests.support.disk import Disk
from tests.support.transfers import HandTransfers

EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
TICK_APART = 0.01  # s, as the uplink has it
SETPOINT_LIFE = 300.0  # s for which the hardware worker keeps a setpoint alive
MICRO = 1e-6
URL = "ws://csms.example/ocpp"


class PowerCutError(Exception):
    """The process is gone, in the middle of what it did."""


class Signer:
    """Signs without chance: the same life twice gives the same frames."""

    public_key = b"a public key"

    def sign(self, message: bytes) -> bytes:
        return hashlib.sha256(message).digest()


class World:
    """One script being lived. ``tell`` hears every deed and frame, for the story."""

    def __init__(self, script: Script, tell: Callable[[float, str, Any], None] | None = None) -> None:
        self.script = script
        self.tell = tell
        self.t = 0.0
        self.wall_offset = timedelta()  # what the machine's clock is wrong by
        self.mono_offset = 1_000.0
        self.rng = random.Random(script.seed ^ 0x5EED)
        self.entropy = random.Random(script.seed + 1)
        cars = {n: Car(n, socket=n in script.sockets) for n in range(1, script.evses + 1)}
        self.site = Site(cars)
        self.disk = Disk()
        timeout = int(script.variables.get("OCPPCommCtrlr.MessageTimeout[Default]", 30))
        self.disk.network_profiles[1] = NetworkProfile(1, URL, 1, timeout)
        self.csms = Csms(self, self.utc, script.cards, HEARTBEATS[script.seed % len(HEARTBEATS)])
        self.line = Line(self, self._hear, self.csms.receive)
        self.csms.line = self.line
        self.transfers = HandTransfers(self._report)
        self.station: Station | None = None
        self.rpc = Rpc(strict=True)
        self.setpoint: Setpoint | None = None  # as the hardware worker has it
        self.given: Setpoint | None = None  # as the station gave it in this life
        self.lives = 0
        self.steps = 0
        self.cut: tuple[str, int, float, bool] | None = None  # armed: point, steps to go, seconds away, board as well
        self.disk_broken_until = 0.0
        self.redis_back = 0.0  # until then nothing goes between hardware worker and station
        self.line_back = 0.0  # until then the CSMS cannot be reached
        self.supply = True  # of the board
        self.looks = LOOKS  # s between looks at a board where only the meter moves
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._entries = 0
        self._seen: object = None
        self._last: BoardSnapshot | None = None
        self._looked_at = 0.0
        self._ticked_at = -1.0
        self._ticks: deque[float] = deque(maxlen=300)
        self._due: float | None = None
        self._stepped = False  # since the deadline was asked for
        self.watch = Watch(self)

    # ------------------------------------------------------------------ time

    def utc(self) -> datetime:
        """The true time."""
        return EPOCH + timedelta(seconds=self.t)

    def now(self) -> Moment:
        """What the machine's clocks show."""
        return Moment(EPOCH + timedelta(seconds=self.t) + self.wall_offset, self.t + self.mono_offset)

    def at(self, when: float, act: Callable[[], None]) -> None:
        """Let ``act`` happen then."""
        self._entries += 1
        heapq.heappush(self._heap, (max(when, self.t), self._entries, act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.at(self.t + seconds, act)

    def run_until(self, end: float) -> None:
        """Let everything happen until then."""
        self._work()
        while (due := self._next()) <= end:
            self._advance(due)
            self._work()
        self._advance(end)

    def _next(self) -> float:
        waits = [self._heap[0][0] if self._heap else NEVER]
        if self.supply:
            waits.append(self.t + self.site.horizon())
            if self.station is not None and any(car.closed for car in self.site.evses.values()):
                waits.append(self._looked_at + self.looks)
        if self.station is not None:
            due = self._deadline()
            if due is not None:
                waits.append(max(due - self.mono_offset + MICRO, self._ticked_at + TICK_APART))
            due = self.rpc.deadline()
            if due is not None:
                waits.append(due - self.mono_offset + MICRO)
            if self.transfers.busy:
                waits.append(self.t + 0.2)
        return max(self.t, min(waits))

    def _deadline(self) -> float | None:
        """The station's deadline, which changes with a step only."""
        if self._stepped and self.station is not None:
            self._due, self._stepped = self.station.deadline(), False
        return self._due

    def _advance(self, to: float) -> None:
        if to > self.t and self.supply:
            self.site.step(to - self.t)
        self.t = to

    def _work(self) -> None:
        """Everything that is due now."""
        while self._heap and self._heap[0][0] <= self.t:
            heapq.heappop(self._heap)[2]()
        if self.supply:
            self.site.step(0.0)
        if self.station is not None:
            self._alive(self._station_due)
        self.watch.check()

    def _station_due(self) -> None:
        assert self.station is not None
        if self.supply and (self.site.meaning != self._seen or self._looked_at + self.looks <= self.t):
            self.look()
        if self.transfers.busy:
            self.transfers.step(self.t + self.mono_offset)
        now = self.now().monotonic
        self._steps(self.rpc.tick(now))
        self._flush()
        due = self._deadline()
        if due is None or due > now or self.t < self._ticked_at + TICK_APART:
            return
        self._ticked_at = self.t
        self._ticks.append(self.t)
        if len(self._ticks) == self._ticks.maxlen and self.t - self._ticks[0] < 10:
            raise Broken("busy_loop", f"{len(self._ticks)} ticks within 10 s: a deadline that does not move")
        if any(car.closed for car in self.site.evses.values()):
            self.look()
        self._step(Tick())

    # ------------------------------------------------------------------ lives

    def boot(self) -> None:
        """The appliance starts."""
        if self.station is not None:
            return
        self.lives += 1
        self.supply = True
        self.rpc = Rpc(strict=True)
        self.station = self._load()
        if self.lives == 1:
            variables = dict(self.script.variables)
            variables |= {f"Connector@{number}.1.ConnectorType": "sType2" for number in self.script.sockets}
            self.disk.commit([self.station.model.factory_set(name, value) for name, value in variables.items()])
            self.station = self._load()
        self._ticks.clear()
        self.given = None
        self._seen, self._last = None, None
        self.watch.booted()
        self._alive(self._first_steps)
        self.after(0.5, self.connect)

    def _load(self) -> Station:
        return Station(
            self.disk.load(),
            evses=self.script.evses,
            entropy=self.entropy,
            firmware=RunningFirmware("simulated"),
            signer=Signer(),
        )

    def _first_steps(self) -> None:
        self._step(Started())
        self.look()

    def die(self, away: float, *, board: bool) -> None:
        """The process is gone at once; ``board``: the whole machine and the board lose their supply."""
        self.station = None
        self.cut = None
        if self.line.up:
            self.line.close(swallowed=True)
        self.transfers.die()
        if board:
            self.supply = False
            self.setpoint = None
            self.site.power_cycle()
            self.redis_back = self.t
            self.mono_offset = -self.t - away + 5.0  # the monotonic clock starts anew
        self.watch.died()
        if self.tell:
            self.tell(self.t, "gone", {"away": away, "board": board})
        self.after(away, self.boot)

    def _alive(self, act: Callable[[], None]) -> None:
        try:
            act()
        except PowerCutError:
            assert self.cut is not None
            _, _, away, board = self.cut
            self.die(away, board=board)

    # ------------------------------------------------------------------ the link

    def connect(self) -> None:
        """Open the connection where the CSMS can be reached, else try again then."""
        if self.station is None or self.line.up:
            return
        if self.t < self.line_back:
            self.at(self.line_back, self.connect)
            return
        self.line.open()
        self.rpc.link_up()
        self.watch.linked()
        self._alive(lambda: self._step(LinkUp(1, 1)))

    def disconnect(self, *, swallowed: bool = False) -> None:
        """The connection breaks, and both ends know it."""
        if not self.line.up:
            return
        self.line.close(swallowed=swallowed)
        self.watch.unlinked()
        if self.tell:
            self.tell(self.t, "line", "down")
        if self.station is not None:
            self._alive(lambda: self._steps([*self.rpc.link_down(), LinkDown("simulated")]))
        self.after(0.5, self.connect)

    def _hear(self, text: str) -> None:
        if self.station is None:
            return
        self.watch.delivered(text)
        if self.tell:
            self.tell(self.t, "<", text)
        self._alive(lambda: self._take(text))

    def _take(self, text: str) -> None:
        self._steps([*self.rpc.receive(text, self.now().monotonic), *self.rpc.take_noticed()])
        self._flush()

    def _flush(self) -> None:
        for frame in self.rpc.take_frames():
            if self.tell:
                self.tell(self.t, ">", frame)
            self.watch.sent(frame)
            self.line.to_csms(frame)

    # ------------------------------------------------------------------ steps

    def event(self, event: Event) -> None:
        """Something happens to the station, where it is alive."""
        if self.station is not None:
            self._alive(lambda: self._step(event))

    def _steps(self, events: list[Any]) -> None:
        for event in events:
            self._step(event)

    def _step(self, event: Event) -> None:
        events = deque([event])
        while events:
            assert self.station is not None
            self.steps += 1
            self._stepped = True
            one = events.popleft()
            effects = self.station.step(one, self.now())
            stored = [effect for effect in effects if isinstance(effect, Stored)]
            others = [effect for effect in effects if not isinstance(effect, Stored)]
            point = self._cut_here()
            if point == "before_commit" or (stored and self.t < self.disk_broken_until):
                self.cut = self.cut if point else ("before_commit", 0, 3.0, False)
                raise PowerCutError
            self.disk.commit(stored)
            self.watch.committed(one, stored)
            if point == "mid_effects":
                others = others[: len(others) // 2 + 1]
            if point != "after_commit":
                for effect in others:
                    events.extend(self._carry_out(effect))
                self._flush()
            if point:
                raise PowerCutError
            self.watch.stepped()

    def _cut_here(self) -> str:
        if self.cut is None:
            return ""
        point, to_go, away, board = self.cut
        self.cut = (point, to_go - 1, away, board)
        return point if to_go <= 0 else ""

    def _carry_out(self, effect: Effect) -> list[Any]:
        match effect:
            case Call():
                return list(self.rpc.call(effect, self.now().monotonic))
            case Answer():
                self.rpc.answer(effect)
            case AnswerError():
                self.rpc.answer_error(effect)
            case SetBoard():
                self._set_board(effect.setpoint)
            case Reconnect():
                self.after(0.0, self.disconnect)
            case StartTransfer() | CancelTransfer():
                self.transfers.take(effect)
            case LookUpCustomer():
                lines = self.disk.look_up(effect.id_tokens)
                self.after(0.1, lambda: self.event(CustomerLookedUp(effect.lookup_id, lines)))
            case Reboot():
                board = bool(self.script.seed % 2)
                self.after(0.0, lambda: self.station is not None and self.die(4.0, board=board))
            case _:
                pass  # what nobody here does is not done: the station has to live with that
        return []

    def _report(self, report: Event) -> None:
        if self.station is not None:
            self._step(report)

    # ------------------------------------------------------------------ the board

    def look(self) -> None:
        """The hardware worker's snapshot reaches the station."""
        self._looked_at = self.t
        self._seen = self.site.meaning
        if self.t < self.redis_back or self.station is None or not self.supply:
            return
        if self.site.online:
            self.site.feed()
        self.show(self.snapshot())

    def show(self, snapshot: BoardSnapshot) -> None:
        """A snapshot reaches the station."""
        self.watch.looked(snapshot)
        self._step(snapshot)

    def look_now(self) -> None:
        """As ``look``, from outside of a step."""
        self.outside(self.look)

    def outside(self, act: Callable[[], None]) -> None:
        """Do what may end the process, from outside of a step."""
        self._alive(act)

    def snapshot(self) -> BoardSnapshot:
        """What the hardware worker says now."""
        at = self.t + self.mono_offset
        if self.site.online or self._last is None:
            self._last = self.site.snapshot(at)
            return self._last
        return replace(self._last, at=at, online=False, error="no answer")

    def _set_board(self, setpoint: Setpoint) -> None:
        self.given = setpoint
        if self.t < self.redis_back:
            return
        self.setpoint = setpoint
        self.apply()

    def apply(self) -> None:
        """The hardware worker writes its setpoint, where the board hears."""
        if self.setpoint is not None and self.site.online and self.supply:
            self.site.take(self.setpoint)

    def board_answers(self, answers: bool) -> None:
        """The bus to the board breaks, or is whole again."""
        self.site.online = answers
        if answers:
            self.site.feed()
            self.apply()
        else:
            self.after(BOARD_TIMEOUT, lambda: None if self.site.online or not self.supply else self.site.trip())

    def redis(self, seconds: float) -> None:
        """Nothing goes between hardware worker and station for a while."""
        self.redis_back = self.t + seconds
        if seconds > SETPOINT_LIFE:
            self.after(
                SETPOINT_LIFE + BOARD_TIMEOUT, lambda: self.t < self.redis_back and self.supply and self.site.trip()
            )
        self.at(self.redis_back + MICRO, self._redis_is_back)

    def _redis_is_back(self) -> None:
        if self.station is None or self.t < self.redis_back:
            return
        self.site.feed()
        if self.given is not None:  # the uplink gives it anew every 10 s
            self.setpoint = self.given
            self.apply()
        self._alive(self.look)

    # ------------------------------------------------------------------ the script

    def plan(self, perform: Callable[[World, Deed], None]) -> None:
        """Enter all deeds."""
        for deed in self.script.deeds:
            self.at(deed.at, lambda deed=deed: perform(self, deed))  # type: ignore[misc]
