"""How each quantity is measured: from a clock reading before the cause to the frame on the CSMS's side of the wire."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil

from tests.performance import screen, ten_years
from tests.performance.figures import MAX, P95, Figure
from tests.performance.memory import MB, parts
from tests.support.appliance import PASSWORD, PROJECT, Appliance
from tests.support.csms import Recorded, ScriptedCsms
from tests.support.ports import free_port
from tests.support.waiting import wait_until

MILLI = 1000.0
STARTS = 5
CALLS = 300
ACTIONS = 25
ITEMS, MANY_CALLS = 1000, 40
INTERVALS = (  # what may be set without disturbing what else is measured
    ("TxCtrlr", "EVConnectionTimeOut"),
    ("OCPPCommCtrlr", "OfflineThreshold"),
    ("OCPPCommCtrlr", "RetryBackOffWaitMinimum"),
    ("OCPPCommCtrlr", "RetryBackOffRandomRange"),
    ("AuthCacheCtrlr", "LifeTime"),
    ("TxCtrlr", "MaxEnergyOnInvalidId"),
)
AWAY = 60.0  # s
WINDOWS, WINDOW = 6, 5.0  # how often idle load is taken, and over how many seconds each time

Progress = Callable[[str], None]


def all_figures(folder: Path, progress: Progress) -> Iterator[Figure]:
    """Every figure of the bench; about a quarter of an hour, most of it for the history of ten years."""
    with ScriptedCsms(password=PASSWORD) as csms:
        with Appliance(folder / "starts") as appliance:
            appliance.provision_csms(csms.url, variables=())
            progress("starting and stopping")
            yield from starts(appliance, csms)
        with _board(folder / "board") as board, _running(folder / "idle", csms, STATION_BOARD=board) as appliance:
            progress("idle")
            yield from idle(appliance)
        with _running(folder / "poll", csms) as appliance:
            progress("polling while Redis is away")
            yield from poll_without_redis(appliance)
        with _running(folder / "runs", csms) as appliance:
            progress("GetVariables")
            yield get_variables(csms)
            progress("1000 variables at once")
            yield many_variables_got(csms)
            yield many_variables_set(csms)
            yield full_inventory(csms)
            progress("RequestStartTransaction")
            yield request_start(csms)
            progress("plugging in")
            yield plug_in(appliance, csms)
            progress("cards")
            yield card(appliance, csms)
        with _running(folder / "screens", csms) as appliance:
            progress("browsers")
            yield from screen.browsers(appliance, _cpu)
    yield from ten_years.ten_years(folder / "ten years", progress)
    progress("the conformance suite in memory")
    yield conformance()


@contextmanager
def _running(folder: Path, csms: ScriptedCsms, **variables: str) -> Iterator[Appliance]:
    with Appliance(folder, **variables) as appliance:
        appliance.provision("--admin-password", screen.ADMIN)
        appliance.provision_csms(csms.url, variables=())  # as from the factory: these times are what is measured
        appliance.start(healthy=False)
        appliance.wait_healthy()
        appliance.wait_registered()
        yield appliance
        appliance.stop()


@contextmanager
def _board(folder: Path) -> Iterator[str]:
    """A simulated board outside the appliance; its address. Forked by the supervisor it would share its memory."""
    modbus = free_port()
    places = {"STATION_SIMULATOR": f"127.0.0.1:{modbus}", "STATION_BENCH": f"127.0.0.1:{free_port()}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "hardware.simulator"],
        cwd=PROJECT,
        env={**os.environ, "STATION_DATA": str(folder), **places},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"modbus-tcp://127.0.0.1:{modbus}"
    finally:
        process.terminate()
        process.wait(10)


def starts(appliance: Appliance, csms: ScriptedCsms) -> Iterator[Figure]:
    """From ``manage.py appliance`` to ``/healthz`` 200 and to the BootNotification, the set-up being done."""
    healthy, booted = [], []
    for _ in range(STARTS):
        mark, begun = csms.mark(), time.monotonic()
        appliance.start(healthy=False)
        appliance.wait_healthy(60, every=0.01)
        healthy.append(time.monotonic() - begun)
        boot = csms.wait_for_frame(lambda frame: frame.action == "BootNotification", "a BootNotification", 60, mark)
        booted.append(boot.at - begun)
        appliance.wait_registered()
        appliance.stop()
    yield Figure("start to /healthz 200", "s", 10, MAX, healthy)
    yield Figure("start to BootNotification", "s", 5, MAX, booted)


def idle(appliance: Appliance) -> Iterator[Figure]:
    """PSS and CPU of all the station's processes, the supervisor's included; the board is outside."""
    wait_until(lambda: appliance.process("transfers"), "all processes up")
    time.sleep(10)  # what starting left to do
    family = appliance.processes()
    memory, load = [], []
    spent, at = _cpu(family), time.monotonic()
    for _ in range(WINDOWS):
        time.sleep(WINDOW)
        before, since = spent, at
        spent, at = _cpu(family), time.monotonic()
        load.append((spent - before) / (at - since) * 100)
        memory.append(sum(process.memory_full_info().pss for process in family) / MB)
    yield Figure("PSS, idle", "MB", 200, MAX, memory, parts(family))
    yield Figure("CPU, idle, of one core", "%", 8, MAX, load)


def poll_without_redis(appliance: Appliance) -> Iterator[Figure]:
    """How exactly two EVSEs are polled at 5 Hz while Redis is killed whenever it comes back, for a minute."""
    late, begun = [], appliance.health()[1]["poll"]["missed"]
    end = time.monotonic() + AWAY
    while time.monotonic() < end:
        redis = appliance.process("redis")
        if redis is not None:
            with suppress(psutil.NoSuchProcess):
                redis.kill()
        time.sleep(1)
        late.append(appliance.health()[1]["poll"]["late"]["max"])
    missed = appliance.health()[1]["poll"]["missed"] - begun
    yield Figure("a poll begins late, Redis away for 60 s", "ms", 20, MAX, late)
    yield Figure("polls missed, Redis away for 60 s", "", 0, MAX, [missed])


def get_variables(csms: ScriptedCsms) -> Figure:
    """From the request on the wire to its answer."""
    names = (("OCPPCommCtrlr", "HeartbeatInterval"), ("TxCtrlr", "TxStartPoint"), ("ClockCtrlr", "DateTime"))
    wanted = [{"component": {"name": component}, "variable": {"name": variable}} for component, variable in names]
    times = _answered(csms, "GetVariables", [{"getVariableData": wanted}] * CALLS)
    return Figure("GetVariables answered", "ms", 5, P95, times)


def many_variables_got(csms: ScriptedCsms) -> Figure:
    """Every variable of the station, again and again, in one request of as many as it takes."""
    wanted = [_named(component, variable) for component, variable in _every_variable(csms)]
    payload = {"getVariableData": list(islice(cycle(wanted), ITEMS))}
    return Figure("GetVariables, 1000 items", "ms", 50, P95, _answered(csms, "GetVariables", [payload] * MANY_CALLS))


def many_variables_set(csms: ScriptedCsms) -> Figure:
    """Each item changes its variable, and all is on the disk before the answer."""
    times = []
    for number in range(MANY_CALLS):
        items = [
            {**_named({"name": component}, {"name": variable}), "attributeValue": str(100 + (number + item) % 97)}
            for item, (component, variable) in zip(range(ITEMS), cycle(INTERVALS), strict=False)
        ]
        times += _answered(csms, "SetVariables", [{"setVariableData": items}])
    return Figure("SetVariables, 1000 items", "ms", 250, P95, times)


def full_inventory(csms: ScriptedCsms) -> Figure:
    """From GetBaseReport on the wire to the last NotifyReport on the wire."""
    times = []
    for number in range(1, MANY_CALLS + 1):
        mark = csms.mark()
        request = {"requestId": number, "reportBase": "FullInventory"}
        assert csms.call("GetBaseReport", request)["status"] == "Accepted"
        asked = csms.wait_for_frame(lambda frame: frame.action == "GetBaseReport", since=mark)
        last = csms.wait_for_frame(
            lambda frame: frame.action == "NotifyReport" and not frame.payload.get("tbc"), since=mark
        )
        times.append((last.at - asked.at) * MILLI)
    return Figure("GetBaseReport FullInventory to its last part", "ms", 300, P95, times)


def conformance() -> Figure:
    """All certification cases on the rig in memory."""
    begun = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "pytest", "tests/conformance", "-q", "--rig", "memory", "-p", "no:cacheprovider"],
        cwd=PROJECT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return Figure("the conformance suite in memory", "s", 120, MAX, [time.monotonic() - begun])


def request_start(csms: ScriptedCsms) -> Figure:
    """From RequestStartTransaction on the wire to the TransactionEvent on the wire, no cable being plugged in."""
    times = []
    for number in range(ACTIONS):
        mark = csms.mark()
        request = {"evseId": 1, "remoteStartId": number + 1, "idToken": {"idToken": "BENCH", "type": "Central"}}
        assert csms.call("RequestStartTransaction", request)["status"] == "Accepted"
        asked = csms.wait_for_frame(lambda frame: frame.action == "RequestStartTransaction", since=mark)
        event = csms.wait_for_frame(lambda frame: frame.action == "TransactionEvent", since=mark)
        times.append((event.at - asked.at) * MILLI)
        transaction_id = event.payload["transactionInfo"]["transactionId"]
        assert csms.call("RequestStopTransaction", {"transactionId": transaction_id})["status"] == "Accepted"
        csms.wait_for("TransactionEvent", lambda event: event["eventType"] == "Ended", since=mark)
    return Figure("RequestStartTransaction to TransactionEvent", "ms", 50, P95, times)


def plug_in(appliance: Appliance, csms: ScriptedCsms) -> Figure:
    """From the bench's request to the StatusNotification on the wire."""
    times = []
    for _ in range(ACTIONS):
        times.append(_lag(csms, lambda: appliance.plug(2, requests_energy=False), "StatusNotification"))
        _lag(csms, lambda: appliance.unplug(2), "StatusNotification")
    return Figure("plug-in to StatusNotification", "ms", 300, P95, times)


def card(appliance: Appliance, csms: ScriptedCsms) -> Figure:
    """From the bench's request to the Authorize on the wire; the CSMS refuses, so that every card is asked about."""
    csms.on("Authorize", {"idTokenInfo": {"status": "Invalid"}})
    times = []
    for number in range(ACTIONS):
        uid = f"04{number:012X}"
        times.append(_lag(csms, lambda uid=uid: appliance.card(uid), "Authorize"))  # type: ignore[misc]
        time.sleep(0.3)  # a hand needs longer to take the next card
    csms.default()
    return Figure("card to Authorize", "ms", 300, P95, times)


def _answered(csms: ScriptedCsms, action: str, payloads: Iterable[Mapping[str, Any]]) -> list[float]:
    """How long each call took from the request on the wire to its answer there, in ms."""
    mark = csms.mark()
    for payload in payloads:
        csms.call(action, payload)
    asked = {frame.frame[1]: frame.at for frame in csms.frames(mark) if frame.action == action}
    answered = {frame.frame[1]: frame.at for frame in csms.frames(mark) if frame.direction == "in" and _answer(frame)}
    return [(answered[message_id] - at) * MILLI for message_id, at in asked.items()]


def _every_variable(csms: ScriptedCsms) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """ComponentType and VariableType of all that a full inventory reports."""
    mark = csms.mark()
    csms.call("GetBaseReport", {"requestId": 0, "reportBase": "FullInventory"})
    csms.wait_for_frame(lambda frame: frame.action == "NotifyReport" and not frame.payload.get("tbc"), since=mark)
    parts = [frame.payload for frame in csms.frames(mark) if frame.action == "NotifyReport"]
    return [(one["component"], one["variable"]) for part in parts for one in part["reportData"]]


def _named(component: Mapping[str, Any], variable: Mapping[str, Any]) -> dict[str, Any]:
    return {"component": dict(component), "variable": dict(variable)}


def _lag(csms: ScriptedCsms, act: Callable[[], None], action: str) -> float:
    mark, begun = csms.mark(), time.monotonic()
    act()
    return (csms.wait_for_frame(lambda frame: frame.action == action, action, since=mark).at - begun) * MILLI


def _answer(frame: Recorded) -> bool:
    return isinstance(frame.frame, list) and frame.frame[0] == 3


def _cpu(family: list[psutil.Process]) -> float:
    total = 0.0
    for process in family:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total
