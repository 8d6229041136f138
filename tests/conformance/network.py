"""How the station in memory gets to its CSMS: the uplink's own itinerary, in virtual time, between two endpoints."""

from __future__ import annotations

import random

from station.uplink.backoff import Itinerary
from station.uplink.configuration import by_priority, link_settings
from station.uplink.runtime import LAST_SLOT
from tests.conformance.rig import Attempt
from tests.support.memory_rig import MemoryRig


class Network:
    """Stands in for the uplink's connector, which is an asyncio task around the same rules.

    ``roots`` are the endpoints whose CSMS root certificate the station has; without it a TLS handshake fails.
    """

    def __init__(self, rig: MemoryRig, urls: dict[int, str], roots: tuple[int, ...]) -> None:
        self.attempts: list[Attempt] = []
        self.closed: set[int] = set()  # endpoints that turn attempts away
        self._rig = rig
        self._endpoints = {url: number for number, url in urls.items()}
        self._roots = roots
        self._station = rig.station
        self._due: tuple[float, int] | None = None
        rig.disk.remembered.setdefault(LAST_SLOT, 1)  # as the uplink does with the first connection
        self._itinerary = Itinerary(random.Random(1), last_good=1)
        self._plan()  # the slot that the station is connected with
        self._due = None
        self._itinerary.succeeded()

    def pass_time(self) -> None:
        """Do what is due now."""
        rig = self._rig
        if rig.station is not self._station:  # a boot
            self._station, self._due = rig.station, None
            self._itinerary = Itinerary(random.Random(1), rig.disk.remembered.get(LAST_SLOT))
        if rig.reconnects:
            rig.reconnects.clear()
            self._itinerary.restart()
            self._due = None
            if rig.online:
                rig.disconnect()
        if rig.online:
            return
        if self._due is None:
            self._plan()
        assert self._due is not None
        at, slot = self._due
        if rig.now.monotonic >= at - 1e-9:
            self._due = None
            self._connect(slot)

    def _plan(self) -> None:
        settings = link_settings(self._rig.station.model)
        profiles = by_priority(self._rig.station.network.in_force, settings.priority)
        attempt = self._itinerary.plan([profile.slot for profile in profiles], settings.attempts, settings.backoff)
        self._due = self._rig.now.monotonic + attempt.wait, attempt.slot

    def _connect(self, slot: int) -> None:
        profile = next(profile for profile in self._rig.station.network.in_force if profile.slot == slot)
        endpoint = self._endpoints.get(profile.csms_url, 0)
        trusted = profile.security_profile < 2 or endpoint in self._roots
        accepted = endpoint != 0 and trusted and endpoint not in self.closed
        self.attempts.append(Attempt(self._rig.now.monotonic, endpoint, accepted))
        if not accepted:
            self._itinerary.failed()
            return
        self._itinerary.succeeded()
        self._rig.disk.remembered[LAST_SLOT] = slot
        self._rig.connect(slot)
