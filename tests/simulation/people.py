"""Who comes by: commuters, guests, a fleet, and those who do it wrong. They write their deeds down in advance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tests.simulation.script import DAY, Deed

HOUR, MINUTE = 3_600.0, 60.0

# The CSMS's cards; what is not among them is Unknown to it.
CARDS: dict[str, dict[str, Any]] = {
    "04A1C0FFEE0101": {"status": "Accepted"},
    "04A1C0FFEE0102": {"status": "Accepted"},
    "04A1C0FFEE0103": {"status": "Accepted"},
    "04F1EE70000001": {"status": "Accepted", "groupIdToken": {"idToken": "FLEET", "type": "Central"}},
    "04F1EE70000002": {"status": "Accepted", "groupIdToken": {"idToken": "FLEET", "type": "Central"}},
    "04B10C4ED00001": {"status": "Blocked"},
    "04E0917ED00001": {"status": "Expired"},
    "04ACCE55E50001": {"status": "Accepted", "evseId": [1]},
    "04AA57E4000001": {"status": "Accepted", "groupIdToken": {"idToken": "MASTER", "type": "Central"}},
}
COMMUTERS = ("04A1C0FFEE0101", "04A1C0FFEE0102", "04A1C0FFEE0103")
FLEET = ("04F1EE70000001", "04F1EE70000002")
STRANGER = "04DEADBEEF0001"
GOOD = COMMUTERS[0]
OTHERS = (STRANGER, "04B10C4ED00001", "04E0917ED00001", "04ACCE55E50001", "04AA57E4000001", "04DEADBEEF0002")


class People:
    """Writes the visits of a whole script. ``remote`` is how likely somebody starts by an app instead of a card."""

    def __init__(self, rng: random.Random, evses: int, days: float) -> None:
        self._rng = rng
        self._evses = evses
        self._days = days
        self._visits = 0
        self.remote = rng.choice((0.0, 0.1, 0.5))
        self.own_reader = rng.random() < 0.5  # a reader for each EVSE, or one for the station

    def deeds(self) -> Iterator[Deed]:
        """Everything that people do, in no order."""
        kind = self._rng.choice(("work", "work", "public", "depot", "home"))
        for day in range(int(self._days + 0.999)):
            for evse in range(1, self._evses + 1):
                for at, stay in self._calls(kind):
                    at += day * DAY
                    if at + stay < self._days * DAY:
                        yield from self._visit(evse, at, stay, kind)
            for _ in range(self._rng.choice((0, 0, 1, 2))):  # somebody only tries a card, or pulls what is not theirs
                at = (day + self._rng.random()) * DAY
                if at < self._days * DAY:
                    yield from self._passer_by(at)

    def _calls(self, kind: str) -> list[tuple[float, float]]:
        """Arrival (s of the day) and stay (s) of a day's visits to one EVSE."""
        rng = self._rng
        if kind == "work":
            calls = [(rng.gauss(8.2, 0.7) * HOUR, rng.gauss(8.0, 1.0) * HOUR)] if rng.random() < 0.8 else []
            return [(max(0.0, at), max(HOUR, stay)) for at, stay in calls]
        if kind == "home":
            return [(rng.gauss(18.0, 1.0) * HOUR, rng.uniform(0.5, 5.5) * HOUR)] if rng.random() < 0.7 else []
        if kind == "depot":
            return [(at * HOUR + rng.uniform(0, HOUR), rng.uniform(1, 3) * HOUR) for at in (5, 12, 19)]
        at, calls = rng.uniform(6, 9) * HOUR, []
        while at < 22 * HOUR:
            stay = rng.uniform(2 * MINUTE, 100 * MINUTE)
            calls.append((at, stay))
            at += stay + rng.uniform(10, 4 * HOUR)
        return calls

    def _card(self, kind: str) -> str:
        if self._rng.random() < 0.15:
            return self._rng.choice(OTHERS)
        return self._rng.choice(FLEET if kind == "depot" else COMMUTERS)

    def _reader(self, evse: int) -> int | None:
        return evse if self.own_reader else None

    def _visit(self, evse: int, at: float, stay: float, kind: str) -> Iterator[Deed]:
        rng = self._rng
        self._visits += 1
        group = f"visit {self._visits}"

        def deed(when: float, what: str, **args: Any) -> Deed:
            return Deed(round(when, 3), what, args, group)

        uid, reader = self._card(kind), self._reader(evse)
        leaves = at + stay
        walk = rng.uniform(1, 40)
        yield deed(at - 10, "bay", evse=evse, occupied=True)
        plug = {
            "evse": evse,
            "ampere": rng.choice((6.0, 10.0, 16.0, 32.0)),
            "need": rng.choice((None, round(rng.uniform(200, 30_000)))),
            "wants": rng.random() < 0.93,
        }
        manner = rng.random()
        presents = deed(at + walk, "card", uid=uid, evse=reader)
        if rng.random() < self.remote:
            presents = deed(at + walk, "remote_start", uid=uid, evse=evse if rng.random() < 0.8 else None)
        if manner < 0.45:  # cable first
            yield deed(at, "plug", **plug)
            yield presents
        elif manner < 0.8:  # card first
            yield Deed(at, presents.kind, presents.args, group)
            yield deed(at + walk, "plug", **plug)
        elif manner < 0.86:  # plugs in and thinks that is all
            yield deed(at, "plug", **plug)
        elif manner < 0.9:  # holds the card there and goes
            yield presents
        elif manner < 0.95:  # too late with the cable
            yield Deed(at, presents.kind, presents.args, group)
            yield deed(at + rng.uniform(15, 300), "plug", **plug)
        else:  # holds it there twice, out of habit
            yield deed(at, "plug", **plug)
            yield presents
            yield deed(at + walk + rng.choice((0.3, 1.5, 4.0)), "card", uid=uid, evse=reader)
        yield from self._middle(deed, evse, at + walk, leaves)
        yield from self._leaving(deed, evse, uid, reader, leaves)
        yield deed(leaves + rng.uniform(5, 60), "bay", evse=evse, occupied=False)

    def _middle(self, deed: Any, evse: int, begins: float, leaves: float) -> Iterator[Deed]:
        rng = self._rng
        for _ in range(rng.choice((0, 0, 0, 1, 3))):
            when = rng.uniform(begins, leaves)
            yield deed(when, "ev", evse=evse, wants=False)
            yield deed(rng.uniform(when, leaves), "ev", evse=evse, wants=True)
        if rng.random() < 0.04:
            yield deed(rng.uniform(begins, leaves), "card", uid=rng.choice((*OTHERS, *FLEET)), evse=self._reader(evse))
        if rng.random() < 0.03:  # a child, or a wobbly plug
            when = rng.uniform(begins, leaves)
            yield deed(when, "unplug", evse=evse)
            yield deed(when + rng.choice((0.3, 2.0, 30.0)), "plug", evse=evse, ampere=16.0, need=None, wants=True)

    def _leaving(self, deed: Any, evse: int, uid: str, reader: int | None, leaves: float) -> Iterator[Deed]:
        rng = self._rng
        manner = rng.random()
        if manner < 0.5:  # card, then cable
            yield deed(leaves - rng.uniform(1, 20), "card", uid=uid, evse=reader)
        elif manner < 0.6:
            yield deed(leaves - rng.uniform(1, 20), "remote_stop", evse=evse)
        elif manner < 0.65:
            yield deed(leaves - rng.uniform(1, 20), "operator", action="stop", evse_id=evse)
        yield deed(leaves, "unplug", evse=evse)
        yield deed(leaves + rng.uniform(2, 20), "unplug", evse=evse)  # and the cable out of the socket
        if rng.random() < 0.2:  # somebody who has no card was only waiting for the place
            comes = leaves + rng.uniform(22, 55)
            yield deed(comes, "plug", evse=evse, ampere=16.0, need=None, wants=True)
            yield deed(comes + rng.uniform(3, 200), "unplug", evse=evse)

    def _passer_by(self, at: float) -> Iterator[Deed]:
        rng = self._rng
        evse = rng.randint(1, self._evses)
        self._visits += 1
        group = f"visit {self._visits}"
        what = rng.random()
        if what < 0.5:
            uid = rng.choice((*OTHERS, *COMMUTERS))
            yield Deed(at, "card", {"uid": uid, "evse": self._reader(evse)}, group)
        elif what < 0.7:
            yield Deed(at, "operator", {"action": rng.choice(("start", "unlock")), "evse_id": evse}, group)
        elif what < 0.85:
            yield Deed(at, "door", {"open": True}, group)
            yield Deed(at + rng.uniform(5, 600), "door", {"open": False}, group)
        else:
            yield Deed(at, "unplug", {"evse": evse}, group)
