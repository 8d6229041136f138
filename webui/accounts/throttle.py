"""Who may try a password now: after some wrong ones one has to wait, and longer each time.

Counted is by address and by account, and the account apart for each place that people come from (``access.origin``:
the station itself, its local network, its VPN, elsewhere):

* Somebody who tries many accounts from one place is stopped by the address.
* Somebody who tries one account from many places is stopped by the account. But then the owner of that account, who
  has done nothing, would be locked out as well, by anybody in the world. So what comes from elsewhere counts, and
  waits, apart from what comes from the local network: who stands before the station still gets in. The place is
  judged by the way that answers take, which nobody far away can feign.
* A browser that has logged in to an account before proves that with a signed cookie (``accounts.device``) and is
  counted by itself only. So an owner away from home gets in, too, while the account is under attack; and so does one
  on site whose router makes strangers look like neighbours. Who steals the cookie has won five tries, and then waits.

Wrong codes of the second step count like wrong passwords. A right login forgives what was counted for its own address
and account, never for another account: who has one cannot use it to go on trying others.

Kept in memory only: the web server is one process, and who can restart it stands before the station.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from webui.accounts.origin import site

FAILURES = 5  # wrong passwords until one has to wait
FORGOTTEN = 900.0  # s after the last of them
FIRST_LOCK, LONGEST_LOCK = 60.0, 900.0  # s
REMEMBERED = 1024  # addresses and names that there are not; accounts that there are, are all remembered

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries: from which address and place, for which account (``known``: there is one of that name).

    ``device`` is empty unless the browser has proved that it logged in to that account before.
    """

    origin: str
    place: str = ""
    name: str = ""
    known: bool = False
    device: str = ""

    def counted(self) -> Iterator[_Key]:
        """What it is counted by."""
        if self.device:
            yield ("device", self.name, self.device)
            return
        yield ("address", site(self.origin))
        if self.name:
            yield ("account" if self.known else "nobody", self.place, self.name)


@dataclass(slots=True)
class _Tries:
    failures: int = 0
    locks: int = 0
    last: float = 0.0
    until: float = 0.0


class Throttle:
    """See above. ``clock`` gives seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: dict[_Key, _Tries] = {}
        self._others: OrderedDict[_Key, _Tries] = OrderedDict()

    def locked_for(self, attempt: Attempt) -> float:
        """Seconds until that may be tried again; 0: now."""
        now = self._clock()
        found = (self._at(key).get(key) for key in attempt.counted())
        return max((0.0, *(tries.until - now for tries in found if tries)))

    def failed(self, attempt: Attempt) -> float:
        """A wrong password or code; returns how many seconds one has to wait because of it, 0: not yet."""
        return max(self._failed(key) for key in attempt.counted())

    def succeeded(self, attempt: Attempt) -> None:
        """A whole login: what was counted by the same keys is forgiven."""
        for key in attempt.counted():
            self._at(key).pop(key, None)

    def forget(self) -> None:
        """Nobody has tried anything."""
        self._accounts.clear()
        self._others.clear()

    def _failed(self, key: _Key) -> float:
        now, table = self._clock(), self._at(key)
        tries = table.setdefault(key, _Tries())
        if now - max(tries.last, tries.until) > FORGOTTEN:
            tries.failures = tries.locks = 0
        tries.last = now
        tries.failures += 1
        if table is self._others:
            self._others.move_to_end(key)
            while len(self._others) > REMEMBERED:
                self._others.popitem(last=False)
        if tries.failures < FAILURES:
            return 0.0
        lock = min(FIRST_LOCK * 2**tries.locks, LONGEST_LOCK)
        tries.failures, tries.locks, tries.until = 0, min(tries.locks + 1, 10), now + lock
        return lock

    def _at(self, key: _Key) -> dict[_Key, _Tries]:
        # Apart, so that nobody can push out what is counted for an account by trying many others.
        return self._accounts if key[0] in ("account", "device") else self._others


throttle = Throttle()
