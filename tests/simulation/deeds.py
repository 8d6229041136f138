"""What each kind of deed does to the world, and how it is told in plain words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from station.domain.board import CardRead, Fault
from station.domain.events import OperatorCommand
from tests.simulation.csms import Mood
from tests.simulation.script import Deed

if TYPE_CHECKING:
    from tests.simulation.cars import Car
    from tests.simulation.world import World

Perform = Callable[["World", Deed], None]
_TABLE: dict[str, tuple[Perform, str]] = {}


def _deed(kind: str, words: str) -> Callable[[Perform], Perform]:
    def enter(perform: Perform) -> Perform:
        _TABLE[kind] = (perform, words)
        return perform

    return enter


def perform(world: World, deed: Deed) -> None:
    """Do it."""
    if world.tell:
        world.tell(world.t, "deed", deed)
    _TABLE[deed.kind][0](world, deed)


def words(deed: Deed) -> str:
    """The deed in a sentence."""
    args = {key: "any" if value is None else value for key, value in deed.args.items()}
    return _TABLE[deed.kind][1].format(**args)


def _touched(world: World) -> None:
    """A hand was at the board: what follows by itself follows now; the station sees it at the next look."""
    if world.supply:
        world.site.step(0.0)
    world.watch.moved()


# ------------------------------------------------------------------ people


@_deed("plug", "an EV is plugged in at EVSE {evse} ({ampere:g} A, needs {need} Wh, wants energy: {wants})")
def _plug(world: World, deed: Deed) -> None:
    car = world.site.evses[deed["evse"]]
    if car.plugged:
        return
    car.plugged = car.cable = True
    car.ampere, car.need, car.wants_energy = deed["ampere"], deed["need"], deed["wants"]
    world.watch.plugged(car.evse_id)
    _touched(world)


@_deed("unplug", "the cable is pulled at EVSE {evse}")
def _unplug(world: World, deed: Deed) -> None:
    car = world.site.evses[deed["evse"]]
    if not car.plugged:
        if car.socket and car.cable and not car.locked:
            car.cable = False
            world.watch.cable_gone(car.evse_id)
        _touched(world)
        return
    car.plugged = False
    car.offered_for = 0.0
    car.cable = car.locked or (not car.socket and car.cable)
    world.watch.unplugged(car.evse_id)
    _touched(world)


@_deed("card", "card {uid} is held to the reader of EVSE {evse}")
def _card(world: World, deed: Deed) -> None:
    if not (world.supply and world.site.online):
        return
    site = world.site
    count = (site.reads[-1].count if site.reads else 0) + 1
    evse = deed["evse"] if deed["evse"] in site.evses else None
    site.reads.append(CardRead(count, deed["uid"], "ISO14443", evse, world.t + world.mono_offset))
    del site.reads[:-8]
    world.watch.presented(deed["uid"], evse)
    world.look_now()


@_deed("ev", "the EV at EVSE {evse} wants energy: {wants}")
def _ev(world: World, deed: Deed) -> None:
    world.site.evses[deed["evse"]].wants_energy = deed["wants"]
    _touched(world)


@_deed("bay", "the bay of EVSE {evse} is occupied: {occupied}")
def _bay(world: World, deed: Deed) -> None:
    world.site.evses[deed["evse"]].bay = deed["occupied"]


@_deed("door", "the station's door is open: {open}")
def _door(world: World, deed: Deed) -> None:
    world.site.door_open = deed["open"]


@_deed("operator", "somebody at the web page: {action}")
def _operator(world: World, deed: Deed) -> None:
    arguments = {key: value for key, value in deed.args.items() if key != "action"}
    number = world.watch.command(deed["action"], arguments)
    world.event(OperatorCommand(number, "owner", deed["action"], arguments))


# ------------------------------------------------------------------ the CSMS


@_deed("remote_start", "the CSMS asks to start with {uid} at EVSE {evse}")
def _remote_start(world: World, deed: Deed) -> None:
    payload: dict[str, Any] = {
        "remoteStartId": world.watch.next_remote_id(),
        "idToken": {"idToken": deed["uid"], "type": "ISO14443"},
    }
    if deed["evse"] is not None:
        payload["evseId"] = deed["evse"]
    world.csms.call("RequestStartTransaction", payload)


@_deed("remote_stop", "the CSMS asks to stop at EVSE {evse}")
def _remote_stop(world: World, deed: Deed) -> None:
    transaction_id = world.csms.running_on(deed["evse"]) or "no-such-transaction"
    world.csms.call("RequestStopTransaction", {"transactionId": transaction_id})


@_deed("call", "the CSMS calls {action} {payload}")
def _call(world: World, deed: Deed) -> None:
    world.csms.call(deed["action"], deed["payload"])


@_deed("set_variable", "the CSMS sets {name} to {value}")
def _set_variable(world: World, deed: Deed) -> None:
    world.csms.call("SetVariables", set_variable(deed["name"], deed["value"]))


def set_variable(name: str, value: str) -> dict[str, Any]:
    """SetVariablesRequest for ``Component.Variable[instance]``."""
    component, _, variable = name.partition(".")
    variable, _, instance = variable.rstrip("]").partition("[")
    names: dict[str, Any] = {"name": variable} | ({"instance": instance} if instance else {})
    return {"setVariableData": [{"attributeValue": value, "component": {"name": component}, "variable": names}]}


@_deed("crossed", "the CSMS calls several times without waiting for the answers")
def _crossed(world: World, deed: Deed) -> None:
    names = {"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStartPoint"}}
    world.csms.call("GetVariables", {"getVariableData": [names]})
    twice = world.csms.call("UnlockConnector", {"evseId": deed["evse"], "connectorId": 1})
    world.csms.call("UnlockConnector", {"evseId": deed["evse"], "connectorId": 1}, call_id=twice)
    world.csms.call("GetTransactionStatus", {})


@_deed("babble", "the CSMS sends {text!r}")
def _babble(world: World, deed: Deed) -> None:
    world.line.to_station(deed["text"])


@_deed("answers", "for {seconds:g} s the CSMS answers {action} like this: {how}")
def _answers(world: World, deed: Deed) -> None:
    csms = world.csms
    csms.moods = [mood for mood in csms.moods if mood.until > world.t]
    csms.moods.append(Mood(deed["action"], deed["how"], world.t + deed["seconds"], deed["late"]))


@_deed("registration", "for {seconds:g} s the CSMS answers BootNotification with {status}")
def _registration(world: World, deed: Deed) -> None:
    world.csms.registration = (deed["status"], world.t + deed["seconds"])


# ------------------------------------------------------------------ the line


@_deed("drop", "the connection breaks for {away:g} s (what was on its way arrives: {swallowed})")
def _drop(world: World, deed: Deed) -> None:
    world.line_back = max(world.line_back, world.t + deed["away"])
    world.disconnect(swallowed=deed["swallowed"])


@_deed("hole", "nothing arrives for {seconds:g} s, then the connection breaks for {away:g} s")
def _hole(world: World, deed: Deed) -> None:
    if not world.line.up:
        return
    world.line.hole = True
    number = world.line.number

    def ends() -> None:
        if world.line.up and world.line.number == number:
            world.line_back = max(world.line_back, world.t + deed["away"])
            world.disconnect()

    world.after(deed["seconds"], ends)


@_deed("slow", "for {seconds:g} s each message takes {latency:g} s")
def _slow(world: World, deed: Deed) -> None:
    world.line.latency = deed["latency"]

    def ends() -> None:
        world.line.latency = 0.02

    world.after(deed["seconds"], ends)


# ------------------------------------------------------------------ power, disk, clocks


@_deed("power_cut", "the power fails for {away:g} s, {steps} steps from now, at {point} (board as well: {board})")
def _power_cut(world: World, deed: Deed) -> None:
    if world.station is not None:
        world.cut = (deed["point"], deed["steps"], deed["away"], deed["board"])


@_deed("disk", "for {seconds:g} s the disk takes nothing")
def _disk(world: World, deed: Deed) -> None:
    world.disk_broken_until = world.t + deed["seconds"]


@_deed("wall_clock", "the machine's clock is moved by {moved} s")
def _wall_clock(world: World, deed: Deed) -> None:
    moved = deed["moved"]
    world.wall_offset = timedelta() if moved is None else timedelta(seconds=moved)
    world.watch.machine_clock_moved()


@_deed("csms_clock", "for {seconds:g} s the CSMS's clock is wrong by {moved} s")
def _csms_clock(world: World, deed: Deed) -> None:
    moved = timedelta(seconds=deed["moved"])
    world.csms.time_now = lambda: world.utc() + moved

    def ends() -> None:
        world.csms.time_now = world.utc

    world.after(deed["seconds"], ends)


# ------------------------------------------------------------------ the board


@_deed("fault", "fault at EVSE {evse}: {fault}")
def _fault(world: World, deed: Deed) -> None:
    car = world.site.evses[deed["evse"]]
    car.fault = Fault(deed["fault"]) if deed["fault"] else None
    car.latches += car.fault is not None
    _touched(world)


@_deed("lie", "for {seconds:g} s the meter of EVSE {evse} says {says}")
def _lie(world: World, deed: Deed) -> None:
    car = world.site.evses[deed["evse"]]
    car.meter = dict(deed["says"])
    world.watch.disturbed(car.evse_id)
    world.look_now()

    def ends() -> None:
        world.watch.disturbed(car.evse_id)
        car.meter = {}
        world.look_now()

    world.after(deed["seconds"], ends)


@_deed("board_offline", "the line to the board is broken for {seconds:g} s")
def _board_offline(world: World, deed: Deed) -> None:
    if not world.site.online:
        return
    world.watch.disturbed(None)
    world.board_answers(False)

    def ends() -> None:
        world.watch.disturbed(None)
        world.board_answers(True)

    world.after(deed["seconds"], ends)


@_deed("board_reset", "the board restarts and is away for {seconds:g} s")
def _board_reset(world: World, deed: Deed) -> None:
    if not (world.supply and world.site.online):
        return
    world.watch.disturbed(None)
    world.board_answers(False)
    world.site.power_cycle()
    world.after(deed["seconds"], lambda: world.board_answers(True))


@_deed("redis", "nothing goes between board and station for {seconds:g} s")
def _redis(world: World, deed: Deed) -> None:
    world.watch.disturbed(None)
    world.redis(deed["seconds"])
    world.at(world.redis_back + 1.0, lambda: world.watch.disturbed(None))


@_deed("lock", "for {seconds:g} s the lock of EVSE {evse} is {how}")
def _lock(world: World, deed: Deed) -> None:
    car = world.site.evses[deed["evse"]]
    if not car.socket:
        return
    _set_lock(car, deed["how"], bad=True)
    world.after(deed["seconds"], lambda: _set_lock(car, deed["how"], bad=False))


def _set_lock(car: Car, how: str, *, bad: bool) -> None:
    if how == "stuck":
        car.lock_stuck = bad and car.locked
    else:
        car.lock_broken = bad


@_deed("stale_snapshot", "a snapshot of the board arrives twice, the second time {age:g} s late")
def _stale_snapshot(world: World, deed: Deed) -> None:
    if world.station is None or not world.supply or world.t < world.redis_back:
        return
    world.look_now()
    snapshot, life = world.snapshot(), world.lives

    def again() -> None:
        if world.lives == life and world.station is not None:
            world.outside(lambda: world.show(snapshot))

    world.after(deed["age"], again)


def heal(world: World) -> None:
    """All is well again, and everybody has gone home."""
    world.csms.moods.clear()
    world.csms.registration = ("Accepted", 0.0)
    world.csms.time_now = world.utc
    world.line_back = world.t
    world.line.latency = 0.02
    world.line.hole = False
    world.disk_broken_until = 0.0
    world.cut = None
    if world.wall_offset:
        world.wall_offset = timedelta()
        world.watch.machine_clock_moved()
    world.connect()
    site = world.site
    site.door_open = False
    if not site.online:
        world.board_answers(True)
    for car in site.evses.values():
        car.lock_stuck = car.lock_broken = False
        car.fault, car.meter, car.bay = None, {}, False
        if car.plugged:
            car.plugged, car.offered_for, car.cable = False, 0.0, False
            world.watch.unplugged(car.evse_id)
        if car.cable:
            car.cable = False
            world.watch.cable_gone(car.evse_id)
    _touched(world)
