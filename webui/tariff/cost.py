"""What a session costs: pure arithmetic over its energy and the terms of a tariff.

**Rounding.** Every line of a bill (the energy at one price, the fee, the standing time) is worked out exactly and
rounded once, to the currency's minor unit, half away from zero. The total is the sum of the lines as they are shown, so
a receipt always adds up.

**Time.** Prices that depend on the time go by the station's local time. They begin and end at quarters of an hour, and
every offset of a time zone in use is some quarters; so the energy is split at the quarters of UTC, which no change to
or from summer time can upset. Between two readings the energy counts as drawn evenly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from webui.tariff.money import Money, rounded, total

QUARTER = timedelta(minutes=15)
MICROSECOND = timedelta(microseconds=1)
DAY = 24 * 60  # minutes
WEEK = 7 * DAY
# Between two readings lie two seconds to a minute, or a power cut. What lies further apart is a clock that jumped.
LONGEST_SPAN = timedelta(days=7)
MILLIWATT_HOURS = Decimal(1_000_000)  # in a kWh


class Kind(StrEnum):
    """What a line of a bill is for."""

    ENERGY = "energy"  # quantity in kWh
    SESSION = "session"  # quantity 1
    STANDING = "standing"  # quantity in minutes


@dataclass(frozen=True, slots=True)
class Window:
    """A price per kWh that holds at certain times.

    ``days`` are those on which it begins (0 is Monday), ``begin`` and ``end`` minutes since midnight, in whole quarters
    of an hour. Where ``end`` is not after ``begin``, it lasts into the next day; from 0 to 1440 it is the whole day.
    """

    days: frozenset[int]
    begin: int
    end: int
    price: Decimal

    def quarters(self) -> set[int]:
        """The quarters of a week (0 is Monday 00:00) that it covers."""
        length = (self.end - self.begin) if self.end > self.begin else self.end + DAY - self.begin
        return {
            ((day * DAY + self.begin + minute) % WEEK) // 15 for day in self.days for minute in range(0, length, 15)
        }


@dataclass(frozen=True, slots=True)
class Terms:
    """A tariff's prices, in the currency's main unit, taxes included.

    ``price`` holds wherever no window does. ``session_fee`` is for a session that took energy. ``standing`` is per
    minute begun in which the car stands connected after it has taken its last energy, less ``standing_free`` minutes.
    """

    currency: str
    price: Decimal = Decimal(0)
    session_fee: Decimal = Decimal(0)
    standing: Decimal = Decimal(0)
    standing_free: int = 0  # minutes
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Metered:
    """What was metered in a session. ``energy`` is all of it, in mWh, and all that is charged for.

    ``readings`` are (aware time, register in mWh) in order; they only say when the energy was drawn, and may be few or
    none. ``stood`` is how long the car stood connected after its last energy.
    """

    started_at: datetime
    until: datetime
    energy: int
    readings: Sequence[tuple[datetime, int]] = ()
    stood: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill: ``quantity`` (kWh, sessions, minutes) at ``price`` each makes ``amount``."""

    kind: Kind
    quantity: Decimal
    price: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines and their sum; energy first, at the prices in ascending order."""

    lines: tuple[Line, ...]
    total: Money


def cost(session: Metered, terms: Terms, zone: tzinfo) -> Bill:
    """The bill of a session by ``terms``; ``zone`` is the station's."""
    lines = [_line(Kind.ENERGY, used, price, terms) for price, used in sorted(_by_price(session, terms, zone).items())]
    if terms.session_fee and session.energy > 0:
        lines.append(_line(Kind.SESSION, Decimal(1), terms.session_fee, terms))
    minutes = standing_minutes(session.stood, terms.standing_free)
    if terms.standing and minutes:
        lines.append(_line(Kind.STANDING, Decimal(minutes), terms.standing, terms))
    return Bill(tuple(lines), total((line.amount for line in lines), terms.currency))


def standing_minutes(stood: timedelta, free: int) -> int:
    """Minutes begun that are charged for."""
    return max(0, -(-int(stood.total_seconds()) // 60) - free)


def overlapping(windows: Sequence[Window]) -> tuple[int, int] | None:
    """The first two windows (by their places) that hold at the same time, or None."""
    taken: dict[int, int] = {}
    for place, window in enumerate(windows):
        for quarter in sorted(window.quarters()):
            if quarter in taken:
                return taken[quarter], place
        taken.update(dict.fromkeys(window.quarters(), place))
    return None


def _line(kind: Kind, quantity: Decimal, price: Decimal, terms: Terms) -> Line:
    return Line(kind, quantity, price, rounded(quantity * price, terms.currency))


def _by_price(session: Metered, terms: Terms, zone: tzinfo) -> dict[Decimal, Decimal]:
    """kWh at each price, in whole mWh, and together all of the energy."""
    energy = max(0, session.energy)
    if not terms.windows:
        return {terms.price: energy / MILLIWATT_HOURS}
    table = {quarter: window.price for window in reversed(terms.windows) for quarter in window.quarters()}
    shares: dict[Decimal, Fraction] = defaultdict(Fraction)
    for quarter, share in _by_quarter(session).items():
        local = quarter.astimezone(zone)
        shares[table.get((local.weekday() * DAY + local.hour * 60 + local.minute) // 15, terms.price)] += share
    whole = sum(shares.values())
    used = {price: int(energy * share / whole) for price, share in shares.items()}
    used[max(shares, key=lambda price: shares[price])] += energy - sum(used.values())
    return {price: Decimal(some) / MILLIWATT_HOURS for price, some in used.items()}


def _by_quarter(session: Metered) -> dict[datetime, Fraction]:
    """How the energy falls on the quarters of an hour (their beginnings, UTC); in any unit, with a sum above zero."""
    shares: dict[datetime, Fraction] = defaultdict(Fraction)
    for begin, end, energy in _spans(session.readings):
        for quarter, share in _spread(begin, end, energy):
            shares[quarter] += share
    if not shares:  # no curve: as if drawn evenly all along
        for quarter, share in _spread(session.started_at, session.until, 1):
            shares[quarter] += share
    return shares


def _spans(readings: Iterable[tuple[datetime, int]]) -> Iterable[tuple[datetime, datetime, int]]:
    """From reading to reading, where the register rose; one that falls behind is no reading."""
    last: tuple[datetime, int] | None = None
    for at, register in readings:
        if last is None:
            last = at, register
        elif register > last[1]:
            yield last[0], at, register - last[1]
            last = at, register
        elif register == last[1]:
            last = max(at, last[0]), register


def _spread(begin: datetime, end: datetime, energy: int) -> Iterable[tuple[datetime, Fraction]]:
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    begin = max(begin, end - LONGEST_SPAN)
    if end <= begin:  # a clock that was set back, or two readings at once
        yield _quarter(end), Fraction(energy)
        return
    at = begin
    while at < end:
        until = min(end, _quarter(at) + QUARTER)
        yield _quarter(at), Fraction(energy * ((until - at) // MICROSECOND), (end - begin) // MICROSECOND)
        at = until


def _quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
