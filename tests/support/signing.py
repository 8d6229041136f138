"""The other side of ``MakeSigningRequest`` in memory: the uplink's own code, on a folder that goes with the rig."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from station.domain.effects import ForgetKey, MakeSigningRequest
from station.domain.events import SigningRequestMade
from station.uplink.signing_requests import SigningRequests, signing_request


@dataclass(eq=False)
class HandSigning:
    """Makes keys when time passes, and tells ``tell``. What runs when the power goes is lost, and its key stays."""

    tell: Callable[[SigningRequestMade], None]
    failing: str = ""
    _orders: deque[MakeSigningRequest] = field(default_factory=deque)

    @cached_property
    def keys(self) -> Path:
        """Made when a key first is."""
        folder = tempfile.mkdtemp(prefix="station-keys-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    def take(self, errand: MakeSigningRequest | ForgetKey) -> None:
        if isinstance(errand, ForgetKey):
            self._requests.forget(errand)
        else:
            self._orders.append(errand)

    def step(self) -> None:
        """Do what was ordered."""
        while self._orders:
            order = self._orders.popleft()
            if self.failing:
                self.tell(SigningRequestMade(order.request_id, failed=self.failing))
            else:
                self.tell(signing_request(order, self.keys))

    def die(self) -> None:
        self._orders.clear()

    def sweep(self, needed: frozenset[str]) -> None:
        if "keys" in vars(self):
            self._requests.sweep(needed)

    @property
    def _requests(self) -> SigningRequests:
        return SigningRequests(self.keys, lambda event: None)
