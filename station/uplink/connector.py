"""Keeps the station connected: which profile, when, and again when the link is gone."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from station.domain.certificates import TlsMaterial
from station.domain.network import NetworkProfile
from station.uplink.backoff import Itinerary
from station.uplink.configuration import LinkSettings, by_priority
from station.uplink.link import GOING_AWAY, NORMAL, Link, LinkRefused, open_link

log = logging.getLogger(__name__)

DRAIN = 2.0  # s for what is still to be written before a close
UNPROVISIONED = 5.0  # s between two looks for a network profile where there is none


class LinkUser(Protocol):
    """Who hears of the link. Called from the connector's task, in order."""

    def link_opened(self, link: Link, profile: NetworkProfile, spare_password: bool) -> None: ...

    def link_refused(self, profile: NetworkProfile, refusal: LinkRefused, spare_password: bool) -> None: ...

    async def frame_received(self, frame: bytes) -> None: ...

    def link_closed(self, reason: str) -> None: ...


class Connector:
    """Opens one link after another by the network profiles and the back-off rules, and feeds its user.

    ``profiles``, ``settings`` and ``material`` (of a slot) are asked before every attempt; ``keys`` is the folder of
    private keys. ``last_good`` is the slot of the last connection of an earlier life, ``sleep`` waits some seconds
    (tests give their own).
    """

    def __init__(
        self,
        user: LinkUser,
        profiles: Callable[[], Sequence[NetworkProfile]],
        settings: Callable[[], LinkSettings],
        material: Callable[[int], TlsMaterial],
        keys: Path,
        entropy: random.Random,
        *,
        last_good: int | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.state = "not connected yet"  # for a person
        self._user = user
        self._profiles = profiles
        self._settings = settings
        self._material = material
        self._keys = keys
        self._itinerary = Itinerary(entropy, last_good)
        self._sleep = sleep
        self._link: Link | None = None
        self._again = asyncio.Event()  # somebody wants a new connection now

    async def run(self) -> None:
        """Connect and reconnect until cancelled (part 4, section 3.1: the connection is kept open all the time)."""
        while True:
            profile, wait = self._plan()
            if profile is None:
                self._note("no CSMS is configured")
                await self._pause(wait)
                continue
            if wait > 0:
                log.info("next connection attempt in %.0f s (slot %d)", wait, profile.slot)
                if await self._pause(wait):
                    continue
            await self._connect(profile)

    def reconnect(self, reason: str) -> None:
        """Leave the link, if any, and begin anew with the first network profile."""
        log.info("connecting anew: %s", reason)
        self._itinerary.restart()
        self._again.set()

    async def close(self) -> None:
        """Say goodbye to the CSMS (1001) after what is still to be written. ``run`` must have been cancelled."""
        await self._leave(GOING_AWAY, "the station stops")

    def _plan(self) -> tuple[NetworkProfile | None, float]:
        settings = self._settings()
        profiles = by_priority(self._profiles(), settings.priority)
        if not profiles:
            return None, UNPROVISIONED
        attempt = self._itinerary.plan([profile.slot for profile in profiles], settings.attempts, settings.backoff)
        return next(profile for profile in profiles if profile.slot == attempt.slot), attempt.wait

    async def _pause(self, seconds: float) -> bool:
        """Wait; True where somebody wants to connect at once instead."""
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        wanted = asyncio.ensure_future(self._again.wait())
        try:
            await asyncio.wait((sleeping, wanted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            wanted.cancel()
        again = self._again.is_set()
        self._again.clear()
        return again

    async def _connect(self, profile: NetworkProfile) -> None:
        settings = self._settings()
        self._again.clear()
        try:
            self._link = await open_link(
                profile,
                settings.identity,
                settings.password,
                self._material(profile.slot),
                self._keys,
                lambda: self._settings().ping_interval,
                settings.policy,
            )
        except LinkRefused as refusal:
            self._itinerary.failed()
            self._note(f"slot {profile.slot}: {refusal}")
            self._user.link_refused(profile, refusal, settings.spare_password)
            return
        if self._again.is_set():  # it was opened by what was in force before
            await self._leave(NORMAL, "connecting anew")
            return
        self._itinerary.succeeded()
        self._note(f"connected to {profile.csms_url} (slot {profile.slot}, profile {profile.security_profile})")
        self._user.link_opened(self._link, profile, settings.spare_password)
        reason = await self._serve(self._link)
        self._note(f"disconnected: {reason}")
        self._user.link_closed(reason)

    async def _serve(self, link: Link) -> str:
        """Pass on what comes until the link is closed, by either side; says why it is."""
        reading = asyncio.create_task(self._read(link))
        wanted = asyncio.create_task(self._again.wait())
        try:
            await asyncio.wait((reading, wanted), return_when=asyncio.FIRST_COMPLETED)
            if self._again.is_set():
                self._again.clear()
                await self._leave(NORMAL, "connecting anew")
                await reading
                return "the station connects anew"
            await reading
            await self._leave(NORMAL, "")
            return link.closed_because
        finally:
            reading.cancel()
            wanted.cancel()

    async def _read(self, link: Link) -> None:
        async for frame in link.frames():
            await self._user.frame_received(frame)

    async def _leave(self, code: int, reason: str) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.drain(DRAIN)
            await link.close(code, reason)

    def _note(self, state: str) -> None:
        if state != self.state:  # the same refusal every few minutes is one line
            log.info("%s", state)
        self.state = state
