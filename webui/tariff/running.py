"""What a session has come to so far, from the live view alone: no database is asked for what changes every second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from station.live.payloads import EvseLive
from webui.owner import here
from webui.tariff import costs
from webui.tariff.cost import Metered, Terms, cost
from webui.tariff.money import Money


def look_up() -> None:
    """Look into the database where what is known is old; before ``so_far``, and never on the event loop."""
    costs.book()
    here.zone()


def so_far(evse: EvseLive, started: datetime | None, now: datetime | None) -> Money | None:
    """The cost of what runs there; None where nothing does, or by no tariff.

    The live curve has fewer points than the stored one, by which the session is billed at its end: where the price
    depends on the time, this may be some minor units off.
    """
    if evse.transaction_id is None or started is None or now is None:
        return None
    tariff = costs.tariff_among(costs.book.last([]), started)
    if tariff is None:
        return None
    terms = tariff.terms
    metered = Metered(started, max(started, now), round(evse.energy * 1000))
    if terms.windows or terms.standing:
        metered = _with_curve(metered, evse, terms)
    return cost(metered, terms, here.zone.last(here.zone_named(""))).total


def _with_curve(metered: Metered, evse: EvseLive, terms: Terms) -> Metered:
    started = metered.started_at.astimezone(UTC)
    powers = [(started + timedelta(seconds=seconds), power) for seconds, power in evse.curve]
    readings, register = [], 0.0
    for place, (at, power) in enumerate(powers):
        if place:
            before, was = powers[place - 1]
            register += (at - before).total_seconds() * (power + was) / 2 / 3.6  # W and s: mWh
        readings.append((at, round(register)))
    # What was metered before the curve begins (the uplink was restarted) was drawn before it.
    missing = metered.energy - round(register)
    if readings and missing > 0 and readings[0][0] - started > timedelta(seconds=60):
        readings = [(started, 0), *((at, missing + drawn) for at, drawn in readings)]
    stood = costs.stood_for(powers, metered.until) if terms.standing else timedelta(0)
    return Metered(started, metered.until, metered.energy, readings, stood)
