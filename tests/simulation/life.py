"""A whole simulated life: the script, then the morning after, when all is well and everything must be in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.simulation.broken import Broken
from tests.simulation.deeds import heal, perform
from tests.simulation.people import GOOD
from tests.simulation.script import DAY, Deed, Script
from tests.simulation.world import PowerCutError, World

SETTLES = 1_500.0  # s within which everything is told: the longest retry pause, a Pending station's next attempt
STARTS = 40.0  # s from cable and card to power


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went. ``broken`` is None where every rule held."""

    script: Script
    broken: Broken | None
    t: float
    steps: int
    lives: int
    transactions: int
    events: int


def live(script: Script, tell: Callable[[float, str, Any], None] | None = None) -> Outcome:
    """Live the script; an exception of the station is a broken rule, too."""
    world = World(script, tell)
    broken = None
    try:
        world.plan(perform)
        world.boot()
        world.run_until(script.days * DAY)
        morning_after(world)
    except Broken as rule:
        broken = rule
    except PowerCutError:
        raise
    except Exception as error:
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        place = f"{where.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{where.tb_lineno}" if where else ""
        broken = Broken("exception", f"{type(error).__name__} in {place}: {error}")
        broken.__cause__ = error
    books = world.watch.books
    return Outcome(script, broken, world.t, world.steps, world.lives, len(books.accounts.told), books.events)


def morning_after(world: World) -> None:
    """Everybody has left, every fault is gone: all is told, and the station serves the next ones."""
    world.tell and world.tell(world.t, "note", "all is well again, and everybody has left")
    heal(world)
    world.run_until(world.t + 30)
    for _ in range(100):
        if world.station is None:  # a long power cut
            world.run_until(world.t + 60)
    heal(world)  # what came back meanwhile
    world.disconnect()
    world.run_until(world.t + 400)
    world.csms.call("ChangeAvailability", {"operationalStatus": "Operative"})
    for number in world.site.evses:
        for target in ({"id": number}, {"id": number, "connectorId": 1}):
            world.csms.call("ChangeAvailability", {"operationalStatus": "Operative", "evse": target})
            world.run_until(world.t + 1)
    for transaction_id, heard in world.csms.transactions.items():
        if not heard.ended:  # its TxStopPoint does not end it
            world.csms.call("RequestStopTransaction", {"transactionId": transaction_id})
            world.run_until(world.t + 10)
    world.run_until(world.t + SETTLES)
    in_order(world)
    size = world.watch.size()
    for number in world.site.evses:
        next_one(world, number)
    world.run_until(world.t + SETTLES)
    in_order(world)
    grown = world.watch.size() - size
    if grown > 60:
        raise Broken("memory", f"{grown} more elements are kept after {len(world.site.evses)} more sessions")
    for number, car in world.site.evses.items():
        world.watch.books.close(number, int(car.energy))


def in_order(world: World) -> None:
    """Nothing waits, nothing runs, everything has arrived, and the CSMS sees what is."""
    station = world.station
    if station is None:
        raise Broken("not_alive", "the station is not there")
    if not world.line.up or world.watch.wire.registration != "Accepted":
        raise Broken("not_registered", f"line up: {world.line.up}, registration: {world.watch.wire.registration}")
    if world.disk.queue:
        raise Broken("not_drained", f"{len(world.disk.queue)} calls still wait")
    active = [one.transaction_id for one in world.disk.transactions.values() if one.active]
    if active:
        raise Broken("never_ends", f"transactions that nothing ends: {active}")
    heard = {key: one.events for key, one in world.csms.transactions.items()}
    if missing := world.watch.books.missing(heard):
        raise Broken("lost", f"never arrived: {missing[:5]}")
    for told in world.watch.books.accounts.told.values():
        if not told.ended:
            raise Broken("never_ended", f"no Ended event of {told.transaction_id}")
    for number, car in world.site.evses.items():
        if car.closed:
            raise Broken("power", f"EVSE {number} has power in the morning")
        if world.csms.statuses.get(number) != "Available":
            raise Broken("status", f"the CSMS believes that EVSE {number} is {world.csms.statuses.get(number)}")


def next_one(world: World, number: int) -> None:
    """Somebody with a good card comes, charges and leaves."""
    car = world.site.evses[number]
    before = len(world.watch.books.accounts.told)
    card = Deed(0.0, "card", {"uid": GOOD, "evse": number})
    perform(world, Deed(0.0, "bay", {"evse": number, "occupied": True}))
    world.run_until(world.t + 2)
    perform(world, Deed(0.0, "plug", {"evse": number, "ampere": 16.0, "need": None, "wants": True}))
    world.run_until(world.t + 5)
    if world.watch.settings.values["AuthCtrlr.Enabled"] == "true":
        perform(world, card)
    world.run_until(world.t + STARTS)
    if not car.closed:
        raise Broken("no_service", f"a good card gets no power at EVSE {number} within {STARTS} s")
    world.run_until(world.t + 600)
    if not car.closed:
        raise Broken("no_service", f"EVSE {number} stops by itself")
    if world.watch.settings.values["AuthCtrlr.Enabled"] == "true":
        perform(world, card)
        world.run_until(world.t + 15)
        if car.closed:
            raise Broken("power", f"EVSE {number} goes on after the card was held up again")
    perform(world, Deed(0.0, "unplug", {"evse": number}))
    world.run_until(world.t + 15)
    perform(world, Deed(0.0, "bay", {"evse": number, "occupied": False}))
    car.cable = False
    world.run_until(world.t + 15)
    if len(world.watch.books.accounts.told) == before:
        raise Broken("no_service", f"the CSMS heard of no transaction at EVSE {number}")
