"""A station broken on purpose, in many ways: the simulation has to find each. ``python -m tests.simulation.mutations``.

A rule that no broken station breaks is a rule that nobody knows to work.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from station.domain.clock import Clock
from station.domain.effects import SaveTransaction
from station.domain.evse import Evse
from station.domain.meter import Meter
from station.ocpp.blocks.b_provisioning.boot import Boot
from station.ocpp.blocks.b_provisioning.variables import Variables
from station.ocpp.blocks.c_authorization.places import Places
from station.ocpp.blocks.e_transactions.events import Events
from station.ocpp.blocks.e_transactions.transactions import Transactions
from station.ocpp.blocks.e_transactions.verdicts import Verdicts
from station.ocpp.blocks.f_remote_control import RemoteControl
from station.ocpp.blocks.g_availability import Availability
from station.ocpp.context import Context
from station.ocpp.outbox import Outbox
from station.ocpp.power import PowerControl
from station.ocpp.rpc import Rpc
from tests.simulation.life import Outcome, live
from tests.simulation.write import write

Break = Callable[[], Any]
LIVES = 60  # at most, to find one


def _instead(owner: Any, name: str, made: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Break:
    """Replace a method by what ``made`` makes of it."""
    return lambda: patch.object(owner, name, made(getattr(owner, name)))


def _nothing(original: Callable[..., Any]) -> Callable[..., None]:
    return lambda *_, **__: None


def _counts_too_little(original: Callable[..., Any]) -> Callable[..., None]:
    def broken(self: Any, seat: Any, trigger: str, now: Any, **rest: Any) -> None:
        original(self, seat, trigger, now, **rest)
        seat.transaction.seq_no -= trigger == "ChargingStateChanged"

    return broken


def _power_for_every_cable(original: Callable[..., Any]) -> Callable[..., Any]:
    def broken(self: Any, evse: Evse, *rest: Any) -> Any:
        setpoint = original(self, evse, *rest)
        return replace(setpoint, allow_power=True, current=16.0) if evse.plugged else setpoint

    return broken


def _drops_transaction_saves(original: Callable[..., Any]) -> Callable[..., None]:
    def broken(self: Any, effect: Any) -> None:
        if not (isinstance(effect, SaveTransaction) and effect.record.seq_no > 1):
            original(self, effect)

    return broken


def _gives_up_at_once(original: Callable[..., Any]) -> Callable[..., None]:
    def broken(self: Any, call: Any, call_id: str, event: Any, now: Any) -> None:
        call.attempts = 1_000
        original(self, call, call_id, event, now)

    return broken


def _impatient(original: Callable[..., Any]) -> Callable[..., None]:
    def broken(self: Any, now: Any) -> None:
        if self._in_flight and self.volatile:
            self._in_flight = None
        original(self, now)

    return broken


def _forgets_what_it_asked(original: Callable[..., Any]) -> Callable[..., Any]:
    def broken(self: Any, call: Any, now: float) -> Any:
        self._in_flight = None
        return original(self, call, now)

    return broken


def _keeps_it_on_disk(original: Callable[..., Any]) -> Callable[..., None]:
    def broken(self: Any, call: Any, given_up: str) -> None:
        emit, self._emit = self._emit, lambda effect: None
        original(self, call, given_up)
        self._emit = emit

    return broken


def _an_hour_off(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, told, now: original(self, told + timedelta(hours=1), now)


def _hoards(original: Callable[..., Any]) -> Callable[..., None]:
    def broken(self: Any, evse: Any, trigger: str, reason: str, now: Any, **rest: Any) -> None:
        self.__dict__.setdefault("hoard", []).extend(range(100))
        original(self, evse, trigger, reason, now, **rest)

    return broken


def _always_now(original: Callable[..., Any]) -> Callable[..., float]:
    return lambda self: 0.0


def _never_remote(original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, event, now: None if event.trigger == "RemoteStop" else original(self, event, now)


def _raises(original: Callable[..., Any]) -> Callable[..., Any]:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("a mistake")

    return broken


def _asks_at_once(original: Callable[..., Any]) -> Callable[..., None]:
    def broken(self: Any, response: Any, now: Any) -> None:
        original(self, {**response, "interval": 1}, now)

    return broken


def _lifo(original: Callable[..., Any]) -> Callable[..., Any]:
    def broken(self: Any, now: Any) -> Any:
        for lane in self._lanes.values():
            if len(lane.calls) > 1 and not lane.tried:
                lane.calls.rotate(1)
        return original(self, now)

    return broken


def _believes(original: Callable[..., Any]) -> Callable[..., str]:
    return lambda self, reading, monotonic: ""


def _told_at_start_only(original: Callable[..., Any]) -> Callable[..., None]:
    def broken(self: Any, evse: Any, status: str, now: Any, *, requested: bool = False) -> None:
        if evse.id not in self._reported or requested:
            original(self, evse, status, now, requested=requested)

    return broken


def _grows_old(original: Callable[..., Any]) -> Callable[..., None]:
    def broken(self: Any, seat: Any, now: Any) -> None:
        original(self, seat, now)
        if seat.authorization:
            seat.authorization = replace(seat.authorization, expires=now.monotonic + 100_000)

    return broken


def _everybody(original: Callable[..., Any]) -> Callable[..., Any]:
    def broken(self: Any, evse: Any, id_token: Any) -> str:
        word: str = original(self, evse, id_token)
        return "" if word == "unavailable" else word

    return broken


# name: (how it is broken, the style of life that shows it best)
MUTATIONS: dict[str, tuple[Break, str]] = {
    "power for every cable, authorized or not": (_instead(PowerControl, "_evse", _power_for_every_cable), "calm"),
    "a cable that is pulled ends nothing": (_instead(Transactions, "_unplugged", _nothing), "calm"),
    "RequestStopTransaction is accepted and ignored": (
        _instead(Transactions, "_authorization_ended", _never_remote),
        "managed",
    ),
    "the CSMS's refusal in a TransactionEventResponse is ignored": (_instead(Verdicts, "_refused", _nothing), "csms"),
    "an authorization never times out": (_instead(Transactions, "_await_cable", _grows_old), "managed"),
    "seqNo is not counted for some events": (_instead(Events, "updated", _counts_too_little), "calm"),
    "events go out in the wrong order": (_instead(Outbox, "_next", _lifo), "network"),
    "what was queued does not say offline": (_instead(Outbox, "mark_offline", _nothing), "network"),
    "an event is given up at the first failure": (_instead(Outbox, "_refused", _gives_up_at_once), "csms"),
    "an answered event stays on the disk": (_instead(Outbox, "_leave", _keeps_it_on_disk), "power"),
    "the transaction is stored with its first events only": (
        _instead(Context, "emit", _drops_transaction_saves),
        "power",
    ),
    "a second CALL before the first is answered": (
        lambda: _both(
            _instead(Outbox, "pump", _impatient)(),
            _instead(Rpc, "call", _forgets_what_it_asked)(),
        ),
        "csms",
    ),
    "UnlockConnector is never answered": (_instead(RemoteControl, "_finish_unlocking", _nothing), "managed"),
    "a handler fails": (_instead(Variables, "_set", _raises), "managed"),
    "whatever the meter says is believed": (_instead(Meter, "_judge", _believes), "board"),
    "the CSMS's time is taken with an hour too much": (_instead(Clock, "synchronize", _an_hour_off), "clock"),
    "a status is told once only": (_instead(Availability, "_notify", _told_at_start_only), "calm"),
    "a list grows with every session": (_instead(Events, "ended", _hoards), "calm"),
    "a deadline stays in the past": (_instead(Boot, "deadline", _always_now), "calm"),
    "BootNotification again without waiting for the interval": (_instead(Boot, "_answered", _asks_at_once), "csms"),
    "cards are taken where the EVSE is Inoperative": (_instead(Places, "closed", _everybody), "managed"),
}


@contextmanager
def _both(one: Any, other: Any) -> Iterator[None]:
    with one, other:
        yield


def find(name: str, *, lives: int = LIVES, days: float = 1.0) -> Outcome | None:
    """The first life in which that broken station breaks a rule, or None."""
    breaks, style = MUTATIONS[name]
    with breaks():
        for seed in range(lives):
            outcome = live(write(seed, days=days, style=style))
            if outcome.broken is not None:
                return outcome
    return None


def main() -> int:
    """A table of what was found; exit status 1 where something was not."""
    logging.disable(logging.CRITICAL)
    missed = 0
    for name in MUTATIONS:
        found = find(name)
        missed += found is None
        rule = f"seed {found.script.seed:3}  {found.broken.rule}" if found and found.broken else "NOT FOUND"
        print(f"{name:60} {rule}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
