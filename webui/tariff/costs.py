"""What sessions have come to: worked out when somebody asks or the worker gets to it, and then kept for good.

For one session ``cost_of`` and ``bill_of``. For lists and charts: ``settle`` first (quick where nothing is new), then
join ``Transaction.cost``, as in ``select_related("cost")`` or ``Sum("cost__minor")`` grouped by ``cost__currency``.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from django.db.models import Min
from django.utils import timezone

from station.store.models import MeterPoint, Transaction
from webui.owner import here
from webui.tariff.cost import Bill, Metered, cost
from webui.tariff.models import Cost, Settled, Tariff
from webui.tariff.money import Money

BITE = 200  # sessions per commit
BREATH = 0.05  # s between two bites of the worker
MOST_POINTS = 50_000  # of one session
DRAWS = 100.0  # W; a car that draws less than this has ended charging

book = here.Kept(lambda: list(Tariff.objects.order_by("valid_from")))


def tariff_at(at: datetime) -> Tariff | None:
    """The tariff of a session that starts at ``at``; None before the first."""
    return tariff_among(book(), at)


def tariff_among(tariffs: Sequence[Tariff], at: datetime) -> Tariff | None:
    """The same among ``tariffs``, in the order of their beginnings."""
    place = bisect_right(tariffs, at, key=attrgetter("valid_from"))
    return tariffs[place - 1] if place else None


def cost_of(session: Transaction) -> Money | None:
    """What the session came to, or has come to so far; None where no tariff was valid when it started."""
    bill = bill_of(session)
    return bill.total if bill else None


def bill_of(session: Transaction) -> Bill | None:
    """The same, line by line. Of an ended session it is kept, and stays what it was."""
    kept = Cost.objects.filter(pk=session.pk).first()
    if kept is not None:
        return kept.bill
    tariff = tariff_at(session.started_at)
    if tariff is None:
        return None
    bill = _worked_out(session, tariff)
    if not session.active:
        _keep([_row(session, tariff, bill)])
    return bill


def costs_of(sessions: Iterable[Transaction]) -> dict[str, Money]:
    """Of ended sessions, by transaction id: a page of a list. Those without a tariff are missing."""
    wanted = {session.pk: session for session in sessions if not session.active}
    found = {row.pk: row.money for row in Cost.objects.filter(pk__in=wanted)}
    new = []
    for key in wanted.keys() - found.keys():
        tariff = tariff_at(wanted[key].started_at)
        if tariff is not None:
            new.append(_row(wanted[key], tariff, _worked_out(wanted[key], tariff)))
    _keep(new)
    return found | {row.pk: row.money for row in new}


def settle(most: int = BITE) -> int:
    """Keep the cost of the oldest ended sessions that have none yet, ``most`` of them; returns how many there were."""
    tariffs = book()
    if not tariffs:
        return 0
    progress = Settled.objects.first()
    begin = max(progress.until, tariffs[0].valid_from) if progress else tariffs[0].valid_from
    since = Transaction.objects.filter(started_at__gte=begin)
    open_ones = since.filter(active=False, cost=None).order_by("started_at").defer("state")
    rows = []
    for session in open_ones[:most]:
        tariff = tariff_at(session.started_at)
        if tariff is not None:
            rows.append(_row(session, tariff, _worked_out(session, tariff)))
    _keep(rows)
    _note(_reached(rows, most), progress)
    return len(rows)


def settle_all(pause: float = BREATH) -> int:
    """Until nothing is left; the worker's. In small bites, so that the uplink's commits wait for milliseconds only."""
    done = 0
    while count := settle():
        done += count
        time.sleep(pause)
    return done


def begin_again(at: datetime) -> None:
    """A tariff was added that is valid from before all others: what started since may have a cost now."""
    Settled.objects.filter(until__gt=at).update(until=at)
    book.forget()


def _reached(rows: list[Cost], most: int) -> datetime:
    """Before which no session is without its cost: the last one settled, or now; a running one holds it back."""
    until = rows[-1].transaction.started_at if len(rows) == most else timezone.now()
    running = Transaction.objects.filter(active=True).aggregate(first=Min("started_at"))["first"]
    return min(until, running) if running else until


def _note(until: datetime, progress: Settled | None) -> None:
    # A row for every look would wear the flash for nothing.
    if progress is None:
        Settled.objects.create(until=until)
    elif until - progress.until > timedelta(days=1):
        Settled.objects.filter(pk=progress.pk).update(until=until)


def _row(session: Transaction, tariff: Tariff, bill: Bill) -> Cost:
    return Cost(
        transaction=session,
        minor=bill.total.minor,
        currency=bill.total.currency,
        tariff=tariff,
        lines=[[line.kind, f"{line.quantity:f}", f"{line.price:f}", line.amount.minor] for line in bill.lines],
    )


def _keep(rows: list[Cost]) -> None:
    if rows:
        Cost.objects.bulk_create(rows, ignore_conflicts=True)  # worker and web server may come to the same one


def _worked_out(session: Transaction, tariff: Tariff) -> Bill:
    """From the store: the session's curve is read only where the tariff asks when, or how long the car stood."""
    until = session.ended_at or timezone.now()
    terms = tariff.terms
    points: list[tuple[datetime, float, float]] = []
    if terms.windows or terms.standing:
        rows = MeterPoint.objects.filter(transaction_id=session.pk).order_by("id")
        points = list(rows.values_list("at", "energy", "power")[:MOST_POINTS])
    readings = [(at, round(register * 1000)) for at, register, _power in points]
    if session.meter_start is not None:
        readings.insert(0, (session.started_at, session.meter_start))
    if session.meter_stop is not None:
        readings.append((until, session.meter_stop))
    stood = stood_for([(at, power) for at, _register, power in points], until)
    return cost(Metered(session.started_at, until, session.energy, readings, stood), terms, here.zone())


def stood_for(powers: list[tuple[datetime, float]], until: datetime) -> timedelta:
    """How long a car stood after it had ended charging, from (time, W) in order; zero where it never charged."""
    last = max((place for place, (_at, power) in enumerate(powers) if power >= DRAWS), default=None)
    if last is None or last + 1 >= len(powers):
        return timedelta(0)
    # From the first reading after the last energy on: what is uncertain is in the driver's favour.
    return max(timedelta(0), until - powers[last + 1][0])
