"""The shell around the station: one event at a time, one commit per step, and only then the rest (DESIGN, rule 3)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from station.domain.board import BoardSnapshot, Setpoint
from station.domain.effects import (
    Answer,
    AnswerError,
    Call,
    Effect,
    Errand,
    Reboot,
    Reconnect,
    Remember,
    SetBoard,
    Stored,
)
from station.domain.events import CallFailed, ConnectionFailed, Event, LinkDown, LinkUp, Started, Tick
from station.domain.moment import Moment
from station.domain.network import NetworkProfile
from station.live import trace
from station.ocpp.rpc import Rpc
from station.uplink.clock import Clock
from station.uplink.link import Link, LinkRefused

log = logging.getLogger(__name__)

STOPPED = 0  # exit statuses
REBOOT = 75  # EX_TEMPFAIL (sysexits.h): the supervisor restarts the station's processes

LAST_SLOT = "uplink.last_slot"  # remembered: the network slot of the last successful connection (B10.FR.07)
COMMIT_PAUSES = (0.2, 1.0, 3.0)  # s between the tries to commit a step
SNAPSHOTS_AHEAD = 50  # waiting; the next one repairs what is dropped beyond
FRAMES_AHEAD = 16  # waiting; then the socket is no longer read
TICK_APART = 0.01  # s; a deadline that does not move must not eat the processor


class StationLike(Protocol):
    """What the runtime needs of ``ocpp.station.Station``."""

    def step(self, event: Event, now: Moment) -> Sequence[Effect]: ...

    def deadline(self) -> float | None: ...


class Witness(Protocol):
    """Who takes down what goes over the link (``uplink.trace``). Every method returns at once and raises nothing."""

    def sent(self, frame: str, now: Moment) -> None: ...

    def received(self, frame: bytes, now: Moment, flaw: tuple[str, str] | None) -> None: ...

    def event(self, word: str, now: Moment, message_id: str = "", **told: Any) -> None: ...


class CommitFailed(Exception):
    """The database does not take a step. Nothing of the step may be carried out; the process ends and starts anew."""


@dataclass(frozen=True, slots=True)
class _Opened:
    link: Link
    profile: NetworkProfile
    spare_password: bool


@dataclass(frozen=True, slots=True)
class _Received:
    frame: bytes
    at: Moment


@dataclass(frozen=True, slots=True)
class _Closed:
    reason: str


class Runtime:
    """Owns the station and its RPC; everything else talks to them through the inbox.

    ``commit`` writes a step in one database transaction; ``set_board`` takes the setpoint to keep applying;
    ``changed`` is told after every step; ``reconnect`` has the link closed and opened anew; ``errand`` has somebody
    else do something, whose outcome comes back through ``offer``; ``last_slot`` is the remembered ``LAST_SLOT``;
    ``witness`` is told what goes over the link. It is the ``LinkUser`` of a ``Connector``.
    """

    def __init__(
        self,
        station: StationLike,
        rpc: Rpc,
        *,
        commit: Callable[[Iterable[Stored]], Awaitable[None]],
        set_board: Callable[[Setpoint], None],
        changed: Callable[[], None],
        reconnect: Callable[[str], None],
        errand: Callable[[Errand], None],
        clock: Clock,
        last_slot: int | None = None,
        commit_pauses: Sequence[float] = COMMIT_PAUSES,
        witness: Witness | None = None,
    ) -> None:
        self._station = station
        self._rpc = rpc
        self._commit = commit
        self._set_board = set_board
        self._changed = changed
        self._reconnect = reconnect
        self._errand = errand
        self._clock = clock
        self._last_slot = last_slot
        self._commit_pauses = commit_pauses
        self._witness = witness
        self._inbox: deque[Event | _Opened | _Received | _Closed] = deque()
        self._snapshots = 0  # of those in the inbox
        self._room = asyncio.Semaphore(FRAMES_AHEAD)
        self._wake = asyncio.Event()
        self._link: Link | None = None
        self._status: int | None = None
        self._next_tick = 0.0
        self._busy_since: float | None = None

    # ------------------------------------------------------------------ inbox

    def offer(self, event: Event) -> None:
        """An event for the station; returns at once."""
        if isinstance(event, BoardSnapshot):
            if self._snapshots >= SNAPSHOTS_AHEAD:
                return
            self._snapshots += 1
        self._put(event)

    def link_opened(self, link: Link, profile: NetworkProfile, spare_password: bool) -> None:
        """A link is open (``LinkUser``)."""
        self._put(_Opened(link, profile, spare_password))

    def link_refused(self, profile: NetworkProfile, refusal: LinkRefused, spare_password: bool) -> None:
        """An attempt came to nothing (``LinkUser``)."""
        slot, security_profile = profile.slot, profile.security_profile
        if self._witness is not None:
            told = {"slot": slot, "security_profile": security_profile, "cause": str(refusal.cause)}
            self._witness.event(trace.REFUSED, self._clock(), **told, why=str(refusal))
        self._put(ConnectionFailed(slot, security_profile, refusal.cause, str(refusal), spare_password))

    async def frame_received(self, frame: bytes) -> None:
        """A message of the CSMS (``LinkUser``); waits while too many others wait."""
        at = self._clock()
        await self._room.acquire()
        self._put(_Received(frame, at))

    def link_closed(self, reason: str) -> None:
        """The link is closed (``LinkUser``)."""
        self._put(_Closed(reason))

    def stop(self, status: int = STOPPED) -> None:
        """End after the running step, with this exit status."""
        if self._status is None:
            self._status = status
        self.wake()

    def wake(self) -> None:
        """Look at the deadlines again."""
        self._wake.set()

    def busy_for(self) -> float:
        """How long the running step has been taking, in seconds; 0 between steps."""
        return self._clock().monotonic - self._busy_since if self._busy_since is not None else 0.0

    def _put(self, item: Event | _Opened | _Received | _Closed) -> None:
        self._inbox.append(item)
        self._wake.set()

    # ------------------------------------------------------------------ life

    async def run(self) -> int:
        """The station's life, from ``Started`` on; returns the exit status. Raises CommitFailed."""
        await self._step(Started())
        while self._status is None:
            await self._pass_time()
            if self._status is None and self._inbox:
                await self._take(self._inbox.popleft())
                await asyncio.sleep(0)  # what was sent gets onto the wire before the next step
            elif self._status is None:
                await self._sleep()
        return self._status

    async def _sleep(self) -> None:
        """Until something is in the inbox or a deadline is there."""
        now = self._clock().monotonic
        deadlines = [at for at in (self._rpc.deadline(), self._station_deadline()) if at is not None]
        timer = None
        if deadlines:
            timer = asyncio.get_running_loop().call_later(max(0.0, min(deadlines) - now), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            self._wake.clear()
            if timer is not None:
                timer.cancel()

    def _station_deadline(self) -> float | None:
        deadline = self._station.deadline()
        return None if deadline is None else max(deadline, self._next_tick)

    async def _pass_time(self) -> None:
        moment = self._clock()
        now = moment.monotonic
        failed = self._rpc.tick(now)
        for event in failed:
            if self._witness is not None and isinstance(event, CallFailed):
                self._witness.event(trace.TIMED_OUT, moment, event.call_id, why=event.description)
        await self._steps(failed)
        self._flush()
        deadline = self._station_deadline()
        if deadline is not None and now >= deadline:
            self._next_tick = now + TICK_APART
            await self._step(Tick())

    async def _take(self, item: Event | _Opened | _Received | _Closed) -> None:
        match item:
            case _Received():
                self._room.release()
                heard = self._rpc.receive(item.frame, self._clock().monotonic)
                if self._witness is not None:
                    self._witness.received(item.frame, item.at, self._rpc.flaw)
                await self._steps(heard)
                await self._steps(self._rpc.take_noticed())
                self._flush()
            case _Opened():
                await self._open(item)
            case _Closed():
                self._link = None
                if self._witness is not None:
                    self._witness.event(trace.LOST, self._clock(), why=item.reason)
                await self._steps([*self._rpc.link_down(), LinkDown(item.reason)])
            case _:
                if isinstance(item, BoardSnapshot):
                    self._snapshots -= 1
                await self._step(item)

    async def _open(self, opened: _Opened) -> None:
        profile = opened.profile
        if profile.slot != self._last_slot:
            await self._commit_surely([Remember(LAST_SLOT, profile.slot)])
            self._last_slot = profile.slot
        self._link = opened.link
        self._rpc.link_up()
        if self._witness is not None:
            told = {"url": profile.csms_url, "slot": profile.slot, "security_profile": profile.security_profile}
            self._witness.event(trace.CONNECTED, self._clock(), **told)
        await self._step(LinkUp(profile.slot, profile.security_profile, opened.spare_password))

    # ------------------------------------------------------------------ a step

    async def _steps(self, events: Iterable[Event]) -> None:
        for event in events:
            await self._step(event)

    async def _step(self, event: Event) -> None:
        """The step of ``event``, and of what follows from its calls at once (one that cannot be sent has failed)."""
        events = deque([event])
        while events:
            now = self._clock()
            self._busy_since = now.monotonic
            effects = self._station.step(events.popleft(), now)
            stored = [effect for effect in effects if isinstance(effect, Stored)]
            if stored:
                await self._commit_surely(stored)
            for effect in effects:
                events.extend(self._carry_out(effect, now))
            self._flush()
            self._busy_since = None
        self._changed()

    async def _commit_surely(self, stored: Sequence[Stored]) -> None:
        for pause in (*self._commit_pauses, None):
            try:
                await self._commit(stored)
                return
            except Exception as error:
                if pause is None:
                    raise CommitFailed(f"the database does not take a step: {error}") from error
                log.error("a step could not be committed, trying again in %g s: %s", pause, error)
                await asyncio.sleep(pause)

    def _carry_out(self, effect: Effect, now: Moment) -> Iterable[Event]:
        match effect:
            case Call():
                return self._rpc.call(effect, now.monotonic)
            case Answer():
                self._rpc.answer(effect)
            case AnswerError():
                self._rpc.answer_error(effect)
            case SetBoard():
                self._set_board(effect.setpoint)
            case Reconnect():
                self._flush()
                # A link that was opened meanwhile went by what was in force before; the station never hears of it.
                self._inbox = deque(item for item in self._inbox if not isinstance(item, _Opened))
                self._reconnect(effect.reason)
            case _ if isinstance(effect, Errand):
                self._errand(effect)
            case Reboot():
                log.info("rebooting: %s", effect.reason)
                self._status = REBOOT
            case _:
                pass  # Stored: committed already
        return ()

    def _flush(self) -> None:
        frames = self._rpc.take_frames()
        if self._link is not None:
            for frame in frames:
                self._link.send(frame)
                if self._witness is not None:
                    self._witness.sent(frame, self._clock())
